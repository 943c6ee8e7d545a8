import { onEachStore } from '../support/store.ts'
import { eventTypesContract } from './event-types.contract.ts'
import { eventsContract } from './events.contract.ts'

onEachStore((opened) => {
  eventTypesContract(opened)
  eventsContract(opened)
})

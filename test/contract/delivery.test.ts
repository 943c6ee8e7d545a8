import { onEachStore, onServerStore } from '../support/store.ts'
import {
  deliveriesContract,
  sequencesContract,
  sharedDeliveriesContract,
} from './deliveries.contract.ts'
import { outboxContract } from './outbox.contract.ts'

onEachStore((opened) => {
  outboxContract(opened)
  deliveriesContract(opened)
  sequencesContract(opened)
})
onServerStore(sharedDeliveriesContract)

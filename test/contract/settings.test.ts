import { onEachStore, onServerStore } from '../support/store.ts'
import { catalogsContract, keysContract } from './settings.contract.ts'
import { announcementsContract, subscriptionsContract } from './subscriptions.contract.ts'

onEachStore((opened) => {
  subscriptionsContract(opened)
  catalogsContract(opened)
  keysContract(opened)
})
onServerStore(announcementsContract)

import { onEachStore, onServerStore } from '../support/store.ts'
import { catalogsContract, keysContract, keyUseContract } from './settings.contract.ts'
import { announcementsContract, subscriptionsContract } from './subscriptions.contract.ts'

onEachStore((opened) => {
  subscriptionsContract(opened)
  catalogsContract(opened)
  keysContract(opened)
})
onServerStore((opened) => {
  announcementsContract(opened)
  keyUseContract(opened)
})

import { onEachStore, onServerStore } from '../support/store.ts'
import { auditChainContract, auditGrantsContract } from './audit-chain.contract.ts'
import { auditChangesContract } from './audit-changes.contract.ts'

onEachStore((opened) => {
  auditChangesContract(opened)
  auditChainContract(opened)
})
onServerStore(auditGrantsContract)

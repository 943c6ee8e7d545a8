import { onEachStore } from '../support/store.ts'
import { approvalsContract } from './approvals.contract.ts'

onEachStore((opened) => {
  approvalsContract(opened)
})

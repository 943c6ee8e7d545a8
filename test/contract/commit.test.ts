import { onEachStore } from '../support/store.ts'
import { approvalsContract } from './approvals.contract.ts'
import { callerApprovalsContract } from './caller-approvals.contract.ts'
import { decisionsContract } from './decisions.contract.ts'
import { recordsContract } from './records.contract.ts'

onEachStore((opened) => {
  approvalsContract(opened)
  decisionsContract(opened)
  recordsContract(opened)
  callerApprovalsContract(opened)
})

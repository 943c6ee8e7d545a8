/**
 * The second half of an approval whose commit the caller makes itself: it says that it committed, once,
 * and everyone who wants to know is told; or it says that it did not.
 */
import { changeOf } from '../domain/change.ts'
import { committedEvents, notificationsOf } from '../domain/notification.ts'
import { Problem, unreachable } from '../domain/problem.ts'
import { canonicalJson, type Values } from '../domain/values.ts'
import type { Configurations } from './configuration.ts'
import { named } from './name-events.ts'
import type { Ids, Vault } from './ports.ts'
import type { CallerApproval, CallerApprovals } from './store.ts'

export type CommitApprovalPorts = {
  readonly callerApprovals: CallerApprovals
  readonly configurations: Configurations
  readonly ids: Ids
  readonly vault: Vault
  readonly onCommitted: () => void
}

export type CallerCommit = {
  readonly accountId: string
  readonly decisionId: string
  readonly token: string
  readonly recordId: string | undefined
  readonly values: Values | undefined
}

export type CommittedApproval = {
  readonly id: string
  readonly state: 'committed'
  readonly notifications: number
}

export async function commitApproval(
  commit: CallerCommit,
  ports: CommitApprovalPorts,
): Promise<CommittedApproval> {
  const approval = await readApproval(commit.accountId, commit.decisionId, ports)
  if (!ports.vault.isSame(ports.vault.sha256(commit.token), approval.tokenHash)) {
    throw new Problem('approval_token_invalid')
  }
  checkDigest(commit, approval, ports.vault)
  if (approval.state !== 'pending') return repeated(commit, approval)
  if (approval.isExpired) throw new Problem('approval_expired')
  const recordId = approval.change.recordId ?? commit.recordId
  const { index, eventTypes } = await ports.configurations.fresh(commit.accountId)
  const change = changeOf({ ...approval.change, recordId })
  const { accountId, decisionId } = commit
  const told = committedEvents(change, { recordId, decisionId, index, eventTypes })
  const events = named(told, ports.ids)
  const isMine = await ports.callerApprovals.commit(accountId, decisionId, recordId ?? null, events)
  // Somebody was faster, or the last moment passed: what is stored now says which.
  if (!isMine) return commitApproval(commit, ports)
  if (events.length > 0) ports.onCommitted()
  const notifications = notificationsOf(events)
  return { id: decisionId, state: 'committed', notifications }
}

async function readApproval(
  accountId: string,
  decisionId: string,
  { callerApprovals }: CommitApprovalPorts,
): Promise<CallerApproval> {
  const approval = await callerApprovals.read(accountId, decisionId)
  if (approval === null) throw new Problem('not_found', { detail: 'There is no such approval.' })
  return approval
}

/** What is committed must be what was approved. A record id made on create is outside of it. */
function checkDigest(
  { recordId, values }: CallerCommit,
  { change, committedRecordId, valuesDigest }: CallerApproval,
  vault: Vault,
) {
  const expectedId = change.recordId ?? committedRecordId ?? recordId
  if (recordId !== undefined && recordId !== expectedId) throw mismatch('/recordId')
  if (values === undefined) return
  const approved = valuesDigest ?? valuesDigestOf(change.values, vault)
  if (!vault.isTagged('approval', canonicalJson(values), approved)) throw mismatch('/values')
}

/** Tells whether the values that are committed are those that were approved; keyed, so that nobody can try them out. */
export function valuesDigestOf(values: Values | undefined, vault: Vault): string {
  return vault.tag('approval', canonicalJson(values ?? {}))
}

function mismatch(pointer: string): Problem {
  const message = 'This differs from what was approved.'
  return new Problem('digest_mismatch', { complaints: [{ pointer, message }] })
}

function repeated({ decisionId }: CallerCommit, approval: CallerApproval): CommittedApproval {
  switch (approval.state) {
    case 'committed':
      return { id: decisionId, state: 'committed', notifications: approval.notifications }
    case 'aborted':
      throw new Problem('approval_aborted')
    case 'pending':
      throw new Problem('approval_expired')
    default:
      return unreachable(approval.state)
  }
}

export async function abortApproval(
  accountId: string,
  decisionId: string,
  ports: CommitApprovalPorts,
): Promise<{ readonly id: string; readonly state: 'aborted' }> {
  const approval = await readApproval(accountId, decisionId, ports)
  if (approval.state === 'pending') await ports.callerApprovals.abort(accountId, decisionId)
  const { state } = await readApproval(accountId, decisionId, ports)
  if (state === 'committed') throw new Problem('approval_committed')
  return { id: decisionId, state: 'aborted' }
}

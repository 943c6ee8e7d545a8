/**
 * What goes into the audit with a commit: that a change was allowed although not everybody who has a say had allowed
 * it. A person confirmed it, or a subscription's failure policy passed by somebody who could not be asked.
 */
import type { Actor } from '../domain/audit.ts'
import { failedOpen } from '../domain/degraded.ts'
import type { FailureCause } from '../domain/verdict.ts'
import type { Conclusion } from './conclude.ts'
import type { Caller } from './store.ts'

/** The record and its values stay in the decision, where they can be erased. */
export type Exception = {
  readonly action: 'approval.confirmed' | 'approval.degraded'
  /** Who sent the change; the person behind it is `userId`, as far as anybody knows. */
  readonly actor: Actor
  readonly event: string
  readonly catalogId: string
  readonly userId: string | null
  /** Those who had asked for it to be confirmed, or were passed by. */
  readonly subscriptionIds: readonly string[]
  /** Why each of those could not be asked. */
  readonly causes?: readonly (FailureCause | undefined)[] | undefined
}

const TOKEN = 'jwt:'

export function actorOf(
  { accountId, keyId }: Pick<Caller, 'accountId' | 'keyId'>,
  requestId: string,
): Actor {
  return keyId.startsWith(TOKEN)
    ? { kind: 'token', id: keyId.slice(TOKEN.length), accountId, requestId }
    : { kind: 'key', id: keyId, accountId, requestId }
}

/** Of a change that was allowed. Costs nothing where all that were asked have said yes. */
export function exceptionsOf(conclusion: Conclusion): readonly Exception[] {
  const { command, decision } = conclusion
  if (decision.decision !== 'allow') return NONE
  if (command.confirm.length === 0 && !decision.degraded) return NONE
  return [...confirmed(conclusion), ...degraded(conclusion)]
}

const NONE: readonly Exception[] = []

function confirmed({ command, plan, asked }: Conclusion): readonly Exception[] {
  if (command.confirm.length === 0) return NONE
  const doubtful = plan.asked.filter(
    ({ mode }, index) => mode === 'enforce' && asked.answers[index]?.answer.kind === 'confirm',
  )
  if (doubtful.length === 0) return NONE
  const subscriptionIds = doubtful.map(({ id }) => id)
  return [{ action: 'approval.confirmed', ...circumstances(command), subscriptionIds }]
}

function degraded({ command, decision }: Conclusion): readonly Exception[] {
  if (!decision.degraded) return NONE
  const passedBy = failedOpen(decision.verdicts)
  const subscriptionIds = passedBy.map(({ subscriptionId }) => subscriptionId)
  const causes = passedBy.map(({ cause }) => cause)
  return [{ action: 'approval.degraded', ...circumstances(command), subscriptionIds, causes }]
}

function circumstances(command: Conclusion['command']) {
  const { event, catalogId, requestId, user } = command
  return { actor: actorOf(command, requestId), event, catalogId, userId: user?.id ?? null }
}

/** A person's word against a validator's doubt: what was confirmed, and is allowed for that reason, is audited. */
import type { Actor } from '../domain/audit.ts'
import type { Conclusion } from './conclude.ts'
import type { Caller } from './store.ts'

/** What is written down, with the commit. The record and its values stay in the decision, where they can be erased. */
export type Override = {
  /** Who sent it; the person behind it is `userId`, as far as anybody knows. */
  readonly actor: Actor
  readonly event: string
  readonly catalogId: string
  readonly userId: string | null
  /** Those who had asked for it to be confirmed. */
  readonly subscriptionIds: readonly string[]
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

/** Of a change that was allowed. Costs nothing where nothing was confirmed. */
export function overrideOf({ command, plan, asked, decision }: Conclusion): Override | undefined {
  if (command.confirm.length === 0 || decision.decision !== 'allow') return undefined
  const doubtful = plan.asked.filter(
    ({ mode }, index) => mode === 'enforce' && asked.answers[index]?.answer.kind === 'confirm',
  )
  if (doubtful.length === 0) return undefined
  return {
    actor: actorOf(command, command.requestId),
    event: command.event,
    catalogId: command.catalogId,
    userId: command.user?.id ?? null,
    subscriptionIds: doubtful.map(({ id }) => id),
  }
}

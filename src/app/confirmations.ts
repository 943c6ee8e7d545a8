import type { Change } from '../domain/change.ts'
import type { ConfirmationDesk, Finding } from '../domain/decision.ts'
import { canonicalJson } from '../domain/values.ts'
import type { Clock, Vault } from './ports.ts'

/** A person has this long to read the warning and confirm. */
export const CONFIRMATION_VALID_MS = 600_000

/**
 * Tokens are signed, not stored: `<expiry in base 36>.<tag>`. The tag covers the change, who makes it and
 * what the validator said, so that neither another change nor another warning is confirmed by it, and any
 * gateway of the installation can check it. The change is digested once: it may be large, and there may be
 * many findings and many tokens.
 */
export function confirmationDesk(
  presented: readonly string[],
  { vault, clock }: { readonly vault: Vault; readonly clock: Clock },
): ConfirmationDesk {
  const nowMs = clock.wallMs()
  const tokens = presented.map(parseToken).filter(({ expiresAtMs }) => expiresAtMs > nowMs)
  let digested: Change | null = null
  let digest = ''
  const digestOf = (change: Change): string => {
    if (change !== digested) {
      digested = change
      digest = vault.sha256(changeText(change))
    }
    return digest
  }
  return {
    tokenFor: (finding, change) => {
      const expiry = (nowMs + CONFIRMATION_VALID_MS).toString(36)
      const text = `${expiry} ${digestOf(change)} ${findingText(finding)}`
      return `${expiry}.${vault.tag('confirmation', text)}`
    },
    isConfirmed: (finding, change) => {
      if (tokens.length === 0) return false
      const subject = `${digestOf(change)} ${findingText(finding)}`
      return tokens.some(({ expiry, tag }) =>
        vault.isTagged('confirmation', `${expiry} ${subject}`, tag),
      )
    },
  }
}

function parseToken(token: string) {
  const [expiry = '', tag = ''] = token.split('.', 2)
  return { expiry, tag, expiresAtMs: Number.parseInt(expiry, 36) }
}

function changeText({ accountId, event, catalogId, recordId, values, user }: Change): string {
  return canonicalJson([accountId, event, catalogId, recordId, values, user?.id])
}

function findingText({ subscriptionId, code, field, message }: Finding): string {
  return canonicalJson([subscriptionId, code, field, message])
}

import type { Change } from '../domain/change.ts'
import type { ConfirmationDesk, Finding } from '../domain/decision.ts'
import { canonicalJson } from '../domain/values.ts'
import type { Clock, Vault } from './ports.ts'

/** A person has this long to read the warning and confirm. */
export const CONFIRMATION_VALID_MS = 600_000

/**
 * Tokens are signed, not stored: `<expiry in base 36>.<tag>`. The tag covers the change, who makes it and
 * what the validator said, so that neither another change nor another warning is confirmed by it, and any
 * gateway of the installation can check it.
 */
export function confirmationDesk(
  presented: readonly string[],
  { vault, clock }: { readonly vault: Vault; readonly clock: Clock },
): ConfirmationDesk {
  const nowMs = clock.wallMs()
  const tokenUntil = (expiry: string, finding: Finding, change: Change) =>
    `${expiry}.${vault.tag('confirmation', `${expiry} ${subjectOf(finding, change)}`)}`
  return {
    tokenFor: (finding, change) =>
      tokenUntil((nowMs + CONFIRMATION_VALID_MS).toString(36), finding, change),
    isConfirmed: (finding, change) =>
      presented.some((token) => {
        const expiry = token.split('.', 1)[0] ?? ''
        const isCurrent = Number.parseInt(expiry, 36) > nowMs
        return isCurrent && vault.isSame(token, tokenUntil(expiry, finding, change))
      }),
  }
}

function subjectOf(finding: Finding, change: Change): string {
  return canonicalJson([
    change.accountId,
    change.event,
    change.catalogId,
    change.recordId,
    change.values,
    change.user?.id,
    finding.subscriptionId,
    finding.code,
    finding.field,
    finding.message,
  ])
}

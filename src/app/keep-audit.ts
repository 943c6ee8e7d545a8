/** Seals the audit now and then, in every gateway; one does it at a time. */
import { type AuditPorts, sealAudit, sealAuditAnew } from './audit.ts'
import { Loop } from './deliver/loop.ts'
import type { Clock, Journal } from './ports.ts'

/** So long is a row without a hash, and a hash without a checkpoint. */
const SEAL_EVERY_MS = 1_000
const STEP = 'seal the audit'

type KeepPorts = AuditPorts & { readonly clock: Clock; readonly journal: Journal }

export function auditKeeper(ports: KeepPorts): Loop {
  const { clock, journal } = ports
  let isUnderNewestKey = false
  const told = new Set<string>()
  const tell = (accountId: string) => {
    if (told.has(accountId)) return
    told.add(accountId)
    const error = new Error(
      `The audit of ${accountId} cannot be sealed: GET /v1/audit/verify tells why.`,
    )
    journal.record({ kind: 'relay.stumbled', step: STEP, error })
  }
  const look = async () => {
    if (!isUnderNewestKey) for (const accountId of await sealAuditAnew(ports)) tell(accountId)
    isUnderNewestKey = true
    for (const accountId of await sealAudit(ports)) tell(accountId)
    return Number.POSITIVE_INFINITY
  }
  return new Loop({ clock, journal, step: STEP, pollMs: SEAL_EVERY_MS, look })
}

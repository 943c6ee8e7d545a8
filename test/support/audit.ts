/** What the suites of the audit have in common. */
import { createCheckpointSigner } from '../../src/adapters/system/checkpoint-signer.ts'
import { systemClock } from '../../src/adapters/system/clock.ts'
import { createVault, type MasterKeys, masterKeyOf } from '../../src/adapters/system/master-key.ts'
import { type AuditPorts, sealAudit } from '../../src/app/audit.ts'
import type { AuditLog } from '../../src/app/audit-store.ts'
import type { Actor } from '../../src/domain/audit.ts'
import type { AuditRow } from '../../src/domain/audit-chain.ts'
import type { Opened } from './store.ts'

export const keysOf = (...fills: readonly [number, ...number[]]): MasterKeys => {
  const [first, ...others] = fills
  const keyOf = (fill: number) => masterKeyOf(new Uint8Array(32).fill(fill))
  return [keyOf(first), ...others.map(keyOf)]
}

export function auditPorts(audit: AuditLog, keys: MasterKeys = keysOf(1)): AuditPorts {
  const signer = createCheckpointSigner(keys)
  return { audit, signer, vault: createVault(keys), clock: systemClock }
}

export const ADA: Actor = {
  kind: 'key',
  id: 'key_of_ada',
  accountId: 'default',
  requestId: 'req_of_ada',
}

/** All of an account, oldest first. */
export async function auditOf({ store }: Pick<Opened, 'store'>, accountId: string) {
  const rows = await store.audit.rows(accountId, null, 100_000)
  return rows.map(readable)
}

const valuesOf = (text: string | null): unknown => (text === null ? null : JSON.parse(text))

function readable(row: AuditRow) {
  return { ...row, before: valuesOf(row.before), after: valuesOf(row.after) }
}

/** An account with so many catalogs made in it, each with a row, sealed in chunks with a checkpoint each. */
export async function audited(opened: Opened, rows: number, chunk = rows): Promise<string> {
  const accountId = await opened.account()
  const { catalogs } = opened.store.changesBy(ADA)
  for (let made = 0; made < rows; made += chunk) {
    for (let n = made; n < Math.min(rows, made + chunk); n++) {
      await catalogs.create(accountId, { id: `c${n}`, title: `Catalog ${n}`, fields: [] })
    }
    await sealAudit(auditPorts(opened.store.audit))
  }
  return accountId
}

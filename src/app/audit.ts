/**
 * The audit is sealed behind the changes that it tells of, and can be checked at any time (src/domain/audit-chain.ts
 * says what for).
 */
import {
  type AuditRow,
  type BrokenRow,
  type Checkpoint,
  checkpointText,
  type Digest,
  type Followed,
  follow,
  hashOf,
  isBroken,
  NOTHING_FOLLOWED,
} from '../domain/audit-chain.ts'
import type {
  AuditFilter,
  AuditHead,
  AuditLog,
  CheckpointSigner,
  Seal,
  Sealed,
  Unsealed,
} from './audit-store.ts'
import type { Clock, Vault } from './ports.ts'
import type { Page } from './store.ts'

export type AuditPorts = {
  readonly audit: AuditLog
  readonly signer: CheckpointSigner
  readonly vault: Pick<Vault, 'sha256'>
  readonly clock: Pick<Clock, 'wallMs'>
}

/** Rows that are looked at without a pause, which others would have to wait for. */
const PAGE_ROWS = 100

/**
 * Gives every row that there is its hash, and each account's chain a checkpoint. The accounts that could not be
 * sealed, because somebody has tampered with the end of their chain, or its key is not configured.
 */
export function sealAudit(ports: AuditPorts): Promise<readonly string[]> {
  return untilNothing((except) => ports.audit.seal((one) => sealOf(one, ports), except))
}

/** After the first of the master keys was changed: no chain hangs on a key that is about to go. */
export function sealAuditAnew(ports: AuditPorts): Promise<readonly string[]> {
  const { audit, signer } = ports
  return untilNothing((except) => audit.sealAnew(signer.keyId, (one) => sealOf(one, ports), except))
}

async function untilNothing(
  seal: (except: readonly string[]) => Promise<Sealed>,
): Promise<readonly string[]> {
  const refused: string[] = []
  for (;;) {
    const sealed = await seal(refused)
    if (sealed.kind === 'nothing') return refused
    if (sealed.kind === 'refused') refused.push(sealed.accountId)
  }
}

/** A checkpoint vouches for the one before it, so that one is checked first. */
function isSound(
  { head, previous, checkpoint, checkpointBefore }: Unsealed,
  { signer }: AuditPorts,
): boolean {
  if (checkpoint === null) return head.checkpoint === 0 && head.sealedSeq === 0
  const text = checkpointText(checkpoint, checkpointBefore)
  return (
    checkpoint.seq === head.sealedSeq &&
    checkpoint.hash === previous &&
    signer.check(checkpoint.keyId, text, checkpoint.signature) === 'genuine'
  )
}

function sealOf(unsealed: Unsealed, ports: AuditPorts): Seal | null {
  if (!isSound(unsealed, ports)) return null
  const { accountId, rows, previous, checkpoint: before } = unsealed
  const { signer, vault, clock } = ports
  const hashes: string[] = []
  for (const row of rows) hashes.push(hashOf(row, hashes.at(-1) ?? previous, vault.sha256))
  const unsigned = {
    accountId,
    number: (before?.number ?? 0) + 1,
    seq: rows.at(-1)?.seq ?? before?.seq ?? 0,
    hash: hashes.at(-1) ?? previous,
    at: new Date(clock.wallMs()).toISOString(),
    keyId: signer.keyId,
  }
  const signature = signer.sign(checkpointText(unsigned, before))
  return { hashes, checkpoint: { ...unsigned, signature } }
}

export type Verification = {
  readonly ok: boolean
  /** Rows that were looked at, up to the first broken one. */
  readonly checked: number
  readonly firstBroken?: BrokenRow | undefined
  /** The newest checkpoint; whoever notes it elsewhere can tell later that nothing before it was cut off. */
  readonly checkpoint: Pick<Checkpoint, 'number' | 'seq' | 'hash' | 'at' | 'keyId'> | null
}

export async function verifyAudit(accountId: string, ports: AuditPorts): Promise<Verification> {
  // What was written a moment ago is sealed first, so that it is checked from now on.
  await sealAudit(ports)
  const head = await ports.audit.head(accountId)
  const checkpoints = new CheckpointWalk(accountId, head, ports)
  const { followed, broken } = await followRows(accountId, head, { checkpoints, ports })
  const firstBroken = broken ?? (await checkEnd(accountId, followed, { head, checkpoints, ports }))
  const { newest } = checkpoints
  return {
    ok: firstBroken === null,
    checked: followed.seq,
    ...(firstBroken === null ? {} : { firstBroken }),
    checkpoint: newest === null ? null : shownOf(newest),
  }
}

function shownOf({ number, seq, hash, at, keyId }: Checkpoint) {
  return { number, seq, hash, at, keyId }
}

type Walk = { readonly followed: Followed; readonly broken: BrokenRow | null }
type WalkPorts = { readonly checkpoints: CheckpointWalk; readonly ports: AuditPorts }

async function followRows(
  accountId: string,
  { lastSeq, sealedSeq }: AuditHead,
  { checkpoints, ports }: WalkPorts,
): Promise<Walk> {
  const digest: Digest = ports.vault.sha256
  let followed = NOTHING_FOLLOWED
  let after: number | null = null
  for (;;) {
    const rows: readonly AuditRow[] = await ports.audit.rows(accountId, after, PAGE_ROWS)
    for (const row of rows) {
      // It came after the look at the head.
      if (row.seq > lastSeq) return { followed, broken: null }
      const next = follow(followed, row, sealedSeq, digest)
      if (isBroken(next)) return { followed, broken: next }
      const broken = await checkpoints.pass(next)
      if (broken !== null) return { followed, broken }
      followed = next
    }
    const last = rows.at(-1)
    if (last === undefined) return { followed, broken: null }
    after = last.seq
  }
}

type End = WalkPorts & { readonly head: AuditHead }

/** Whether there is as much of everything as the head and the checkpoints say. */
async function checkEnd(
  accountId: string,
  { seq }: Followed,
  { head, checkpoints, ports }: End,
): Promise<BrokenRow | null> {
  if (seq < head.lastSeq) return { seq: seq + 1, reason: 'missing' }
  const stray = await ports.audit.stray(accountId)
  if (stray !== null) {
    return { seq: stray.seq, reason: stray.kind === 'row' ? 'inserted' : 'checkpoint_forged' }
  }
  return checkpoints.end(head.sealedSeq)
}

/** The checkpoints of a chain, passed in order while its rows are followed. */
class CheckpointWalk {
  readonly #accountId: string
  readonly #head: AuditHead
  readonly #ports: AuditPorts
  #page: readonly Checkpoint[] = []
  #at = 0
  #isLastPage = false
  /** The last one that was passed. */
  newest: Checkpoint | null = null
  #isNewestGenuine = true

  constructor(accountId: string, head: AuditHead, ports: AuditPorts) {
    this.#accountId = accountId
    this.#head = head
    this.#ports = ports
  }

  /** Checks those that end with this row. */
  async pass(row: Followed): Promise<BrokenRow | null> {
    for (let next = await this.#next(); next !== null && next.seq <= row.seq; ) {
      const reason = this.#reasonAgainst(next, row)
      if (reason !== null) return { seq: row.seq, reason }
      this.newest = next
      this.#at += 1
      next = await this.#next()
    }
    return null
  }

  async end(sealedSeq: number): Promise<BrokenRow | null> {
    const next = await this.#next()
    // It is about rows that are not there.
    if (next !== null) return { seq: sealedSeq + 1, reason: 'missing' }
    const { seq = 0, number: passed = 0 } = this.newest ?? {}
    if (passed < this.#head.checkpoint || seq !== sealedSeq) {
      return { seq: Math.max(1, seq), reason: 'checkpoint_missing' }
    }
    return this.#isNewestGenuine ? null : { seq, reason: 'checkpoint_key_unknown' }
  }

  /** One whose key is gone is vouched for by a later one, which was signed together with it. */
  #reasonAgainst(next: Checkpoint, row: Followed): BrokenRow['reason'] | null {
    const { signer } = this.#ports
    if (next.number !== (this.newest?.number ?? 0) + 1) return 'checkpoint_missing'
    const text = checkpointText(next, this.newest)
    const verdict = signer.check(next.keyId, text, next.signature)
    if (verdict === 'forged') return 'checkpoint_forged'
    this.#isNewestGenuine = verdict === 'genuine'
    const isTheSame = next.seq === row.seq && next.hash === row.hash
    return isTheSame ? null : 'checkpoint_differs'
  }

  async #next(): Promise<Checkpoint | null> {
    if (this.#at === this.#page.length && !this.#isLastPage) {
      const after = this.#page.at(-1)?.number ?? Number.MIN_SAFE_INTEGER
      this.#page = await this.#ports.audit.checkpoints(this.#accountId, after, PAGE_ROWS)
      this.#isLastPage = this.#page.length < PAGE_ROWS
      this.#at = 0
    }
    const next = this.#page[this.#at]
    // One that was made after the look at the head is about rows that are not followed.
    return next === undefined || next.number > this.#head.checkpoint ? null : next
  }
}

export async function listAudit(
  accountId: string,
  filter: AuditFilter,
  page: Page,
  { audit }: Pick<AuditPorts, 'audit'>,
) {
  return (await audit.list(accountId, filter, page)).map(viewOf)
}

function viewOf(row: AuditRow) {
  const { seq, at, action, target, hash } = row
  return {
    seq,
    at,
    actor: {
      kind: row.actorKind,
      id: row.actorId,
      accountId: row.actorAccount,
      requestId: row.requestId === '' ? undefined : row.requestId,
    },
    action,
    target,
    before: valuesOf(row.before),
    after: valuesOf(row.after),
    hash,
  }
}

/** What somebody has made unreadable is shown as it is. */
function valuesOf(text: string | null): unknown {
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

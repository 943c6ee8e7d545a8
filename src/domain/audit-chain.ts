/**
 * How it is found out that somebody has changed the audit past the gateway. Each row's hash covers the row and the
 * hash before it, so that no row can be changed, taken out, put in or moved without every later hash being wrong;
 * checkpoints, each signed together with the one before it under a key that the database does not hold, keep anybody
 * from computing all of them anew. What can not be found: a row that was changed before it was sealed, which is about
 * a second; and the end of a chain that was cut off together with its checkpoints and the counters in its head, unless
 * somebody has noted a hash elsewhere.
 */

export type AuditRow = {
  readonly accountId: string
  readonly seq: number
  readonly at: string
  readonly actorKind: string
  readonly actorId: string
  readonly actorAccount: string
  readonly requestId: string
  readonly action: string
  readonly target: string
  /** JSON, to the letter. */
  readonly before: string | null
  readonly after: string | null
  /** Null until it is sealed. */
  readonly hash: string | null
}

export type Checkpoint = {
  readonly accountId: string
  readonly number: number
  /** The last row that it covers, and its hash. */
  readonly seq: number
  readonly hash: string
  readonly at: string
  readonly keyId: string
  readonly signature: string
}

export const BROKEN_REASONS = [
  // It is not as it was when it was sealed, or not where it was.
  'changed',
  'missing',
  // It was not written by the gateway.
  'inserted',
  // Rows up to this one are not those that the checkpoint was made of.
  'checkpoint_differs',
  'checkpoint_forged',
  'checkpoint_missing',
  // The newest checkpoint was signed under a master key that is not configured any more.
  'checkpoint_key_unknown',
] as const
export type BrokenReason = (typeof BROKEN_REASONS)[number]

export type BrokenRow = { readonly seq: number; readonly reason: BrokenReason }

export type Digest = (text: string) => string

/** Of the row before the first one. */
export const NO_HASH = ''

export function hashOf(row: AuditRow, previous: string, digest: Digest): string {
  const { accountId, seq, at, actorKind, actorId, actorAccount, requestId } = row
  const { action, target, before, after } = row
  const who = [actorKind, actorId, actorAccount, requestId]
  return digest(JSON.stringify([previous, accountId, seq, at, who, action, target, before, after]))
}

/** What is signed: a checkpoint, and all of the one before. */
export function checkpointText(
  { accountId, number, seq, hash, at, keyId }: Omit<Checkpoint, 'signature'>,
  previous: Checkpoint | null,
): string {
  const before = previous && [
    previous.seq,
    previous.hash,
    previous.at,
    previous.keyId,
    previous.signature,
  ]
  return JSON.stringify([accountId, number, seq, hash, at, keyId, before])
}

/** How far a chain has been followed. */
export type Followed = { readonly seq: number; readonly hash: string }
export const NOTHING_FOLLOWED: Followed = { seq: 0, hash: NO_HASH }

/** The next row in order of number. Those that are not sealed yet only have to be there. */
export function follow(
  { seq, hash }: Followed,
  row: AuditRow,
  sealedSeq: number,
  digest: Digest,
): Followed | BrokenRow {
  if (row.seq > seq + 1) return { seq: seq + 1, reason: 'missing' }
  if (row.seq < seq + 1) return { seq: row.seq, reason: 'inserted' }
  if (row.seq > sealedSeq) return { seq: row.seq, hash: NO_HASH }
  const expected = hashOf(row, hash, digest)
  return row.hash === expected
    ? { seq: row.seq, hash: expected }
    : { seq: row.seq, reason: 'changed' }
}

export function isBroken(step: Followed | BrokenRow): step is BrokenRow {
  return 'reason' in step
}

/**
 * Everything secret hangs on the master key: secrets at rest are encrypted with a key derived from it, and
 * tokens that only this installation can have made are tagged with others. It is a list, so that it can
 * be rotated: the first encrypts and signs, all decrypt and verify.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import type { ChainTokens, Clock, Vault } from '../../app/ports.ts'
import { type Chain, EMPTY_CHAIN } from '../../domain/chain.ts'

export type MasterKey = { readonly id: string; readonly bytes: Uint8Array }
export type MasterKeys = readonly [MasterKey, ...MasterKey[]]

export const MASTER_KEY_BYTES = 32

/** A key's id tells which key sealed a text without telling the key. */
export function masterKeyOf(bytes: Uint8Array): MasterKey {
  const id = createHash('sha256').update('assent key id').update(bytes).digest('hex').slice(0, 8)
  return { id, bytes }
}

/** 32 bytes for one purpose; from none of them can the key or another one be told. */
export function derive(key: MasterKey, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key.bytes, 'assent', purpose, 32))
}

type Place = {
  readonly accountId: string
  readonly table: string
  readonly column: string
  readonly row: string
}

/** `v1.<key id>.<iv>.<ciphertext and tag>`, bound to its place by the additional data. */
export function createSealer(keys: MasterKeys) {
  const derived = new Map(keys.map((key) => [key.id, derive(key, 'seal')]))
  const [first, ...others] = keys
  const keyIds: readonly [string, ...string[]] = [first.id, ...others.map(({ id }) => id)]
  return {
    keyIds,
    seal: (place: Place, plain: string): string => {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', derive(first, 'seal'), iv)
      cipher.setAAD(boundTo(place))
      const sealed = Buffer.concat([
        cipher.update(plain, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ])
      return `v1.${first.id}.${iv.toString('base64url')}.${sealed.toString('base64url')}`
    },
    open: (place: Place, sealed: string): string => {
      const [version, id = '', iv = '', body = ''] = sealed.split('.')
      const key = derived.get(id)
      if (version !== 'v1' || key === undefined) {
        throw new Error(`a stored secret was sealed with master key ${id}, which is not configured`)
      }
      const bytes = Buffer.from(body, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'))
      decipher.setAAD(boundTo(place))
      decipher.setAuthTag(bytes.subarray(-16))
      const plain = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()])
      return plain.toString('utf8')
    },
  }
}

function boundTo({ accountId, table, column, row }: Place): Buffer {
  return Buffer.from(JSON.stringify([accountId, table, column, row]))
}

export function createVault(keys: MasterKeys): Vault {
  const derived = new Map<string, readonly Buffer[]>()
  const keysFor = (purpose: string): readonly Buffer[] => {
    const known = derived.get(purpose)
    if (known !== undefined) return known
    const made = keys.map((key) => derive(key, purpose))
    derived.set(purpose, made)
    return made
  }
  const tagWith = (key: Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest('base64url')
  return {
    randomBytes: (count) => randomBytes(count),
    random: () => Math.random(),
    sha256: (text) => hash('sha256', text),
    tag: (purpose, text) => tagWith(keysFor(purpose)[0] ?? Buffer.alloc(0), text),
    isTagged: (purpose, text, tag) =>
      keysFor(purpose).some((key) => isSame(tag, tagWith(key, text))),
    isSame,
  }
}

/** Only the length may be told apart by time; tags and digests are all of one length. */
function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * A chain is good for as long as the question that carries it can be open: its budget is 30 s at most, so the
 * minute of its making or the one before. The minute after is that of a gateway whose clock is ahead.
 */
const CHAIN_UNIT_MS = 60_000
const CHAIN_UNITS_APART_MAX = 1
/** Chains without records that are kept, one for each account and depth. */
const CHAINS_KEPT_MAX = 4_096

/**
 * `<base64url of the chain>.<tag>`. The tag covers the account too, so that a chain that was handed to
 * somebody else, like one that is old or made up, is none.
 */
export function createChainTokens(vault: Vault, clock: Pick<Clock, 'wallMs'>): ChainTokens {
  const unitNow = () => Math.floor(clock.wallMs() / CHAIN_UNIT_MS)
  // A chain without records says only how deep it is, and is made with every question about a new record.
  const withoutRecords = new Map<string, string>()
  let unitOfKept = 0
  const tokenOf = ({ depth, records }: Chain, accountId: string, unit: number): string => {
    const body = Buffer.from(JSON.stringify([unit, depth, ...records])).toString('base64url')
    return `${body}.${vault.tag('chain', taggedText(accountId, body))}`
  }
  return {
    seal: (chain, accountId) => {
      const unit = unitNow()
      if (chain.records.length > 0) return tokenOf(chain, accountId, unit)
      if (unit !== unitOfKept || withoutRecords.size >= CHAINS_KEPT_MAX) withoutRecords.clear()
      unitOfKept = unit
      const key = `${chain.depth} ${accountId}`
      const known = withoutRecords.get(key)
      if (known !== undefined) return known
      const sealed = tokenOf(chain, accountId, unit)
      withoutRecords.set(key, sealed)
      return sealed
    },
    open: (token, accountId) => {
      const [body = '', tag = ''] = token?.split('.', 2) ?? []
      if (body === '' || !vault.isTagged('chain', taggedText(accountId, body), tag)) {
        return EMPTY_CHAIN
      }
      const { unit, chain } = parseChain(Buffer.from(body, 'base64url').toString('utf8'))
      return Math.abs(unitNow() - unit) <= CHAIN_UNITS_APART_MAX ? chain : EMPTY_CHAIN
    },
  }
}

/** The body has no dot, so the last one divides the two. */
const taggedText = (accountId: string, body: string): string => `${accountId}.${body}`

/** Only what we tagged ourselves gets here. */
function parseChain(text: string): { readonly unit: number; readonly chain: Chain } {
  const [unit, depth, ...records] = JSON.parse(text) as [number, number, ...string[]]
  return { unit, chain: { depth, records } }
}

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
import type { ChainTokens, Vault } from '../../app/ports.ts'
import { type Chain, EMPTY_CHAIN } from '../../domain/chain.ts'

export type MasterKey = { readonly id: string; readonly bytes: Uint8Array }
export type MasterKeys = readonly [MasterKey, ...MasterKey[]]

export const MASTER_KEY_BYTES = 32

/** A key's id tells which key sealed a text without telling the key. */
export function masterKeyOf(bytes: Uint8Array): MasterKey {
  const id = createHash('sha256').update('assent key id').update(bytes).digest('hex').slice(0, 8)
  return { id, bytes }
}

function derive(key: MasterKey, purpose: string): Buffer {
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
  const [first] = keys
  return {
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

/** `<base64url of the chain>.<tag>`. */
export function createChainTokens(vault: Vault): ChainTokens {
  // A chain without records says only how deep it is: there are as many of them as depths.
  const withoutRecords = new Map<number, string>()
  const seal = (chain: Chain): string => {
    const body = Buffer.from(JSON.stringify([chain.depth, ...chain.records])).toString('base64url')
    return `${body}.${vault.tag('chain', body)}`
  }
  return {
    seal: (chain) => {
      if (chain.records.length > 0) return seal(chain)
      const known = withoutRecords.get(chain.depth)
      if (known !== undefined) return known
      const sealed = seal(chain)
      withoutRecords.set(chain.depth, sealed)
      return sealed
    },
    open: (token) => {
      const [body = '', tag = ''] = token?.split('.', 2) ?? []
      if (body === '' || !vault.isTagged('chain', body, tag)) return EMPTY_CHAIN
      return parseChain(Buffer.from(body, 'base64url').toString('utf8'))
    },
  }
}

/** Only what we tagged ourselves gets here. */
function parseChain(text: string): Chain {
  const [depth, ...records] = JSON.parse(text) as [number, ...string[]]
  return { depth, records }
}

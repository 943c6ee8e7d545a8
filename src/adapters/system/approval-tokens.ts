/**
 * Approvals that callers may show to others: a JWS (RFC 7515, compact) signed with Ed25519 (RFC 8037), which
 * anybody can verify with the keys at `/.well-known/jwks.json`. The signing keys are derived from the master keys,
 * so all gateways of an installation have the same ones, they rotate with the list, and none is stored.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import type { ApprovalClaims, ApprovalSigner } from '../../app/ports.ts'
import { derive, type MasterKey, type MasterKeys } from './master-key.ts'

const TYPE = 'assent-approval+jwt'

/** An Ed25519 private key in PKCS #8 is this, followed by the 32 bytes of the seed (RFC 8410 §7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A public key as RFC 7517 has it. */
export type PublicKey = {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

export function createApprovalSigner(
  keys: MasterKeys,
): ApprovalSigner & { readonly publicKeys: readonly PublicKey[] } {
  const [first] = keys
  const signing = privateKeyOf(first)
  const header = encoded({ alg: 'EdDSA', typ: TYPE, kid: first.id })
  return {
    sign: (claims: ApprovalClaims) => {
      const content = `${header}.${encoded(claims)}`
      return `${content}.${sign(null, Buffer.from(content), signing).toString('base64url')}`
    },
    publicKeys: keys.map((key) => {
      const { x = '' } = createPublicKey(privateKeyOf(key)).export({ format: 'jwk' })
      return { kty: 'OKP', crv: 'Ed25519', x, kid: key.id, alg: 'EdDSA', use: 'sig' }
    }),
  }
}

function privateKeyOf(key: MasterKey): KeyObject {
  const der = Buffer.concat([PKCS8_PREFIX, derive(key, 'approval')])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

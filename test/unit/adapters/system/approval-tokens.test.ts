import { randomBytes } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { createApprovalSigner } from '../../../../src/adapters/system/approval-tokens.ts'
import { masterKeyOf } from '../../../../src/adapters/system/master-key.ts'

const newKey = () => masterKeyOf(randomBytes(32))
const CLAIMS = {
  jti: 'dec_1',
  acc: 'default',
  event: 'record.before.updated',
  cat: 'orders',
  rec: '7',
  dig: 'AAAA',
  iat: 1_764_000_000,
  exp: 1_764_000_060,
}
const verify = (token: string, keys: readonly object[]) =>
  jwtVerify(token, createLocalJWKSet({ keys: keys as JWK[] }), {
    algorithms: ['EdDSA'],
    typ: 'assent-approval+jwt',
    currentDate: new Date(CLAIMS.iat * 1_000),
  })

describe('an approval’s token', () => {
  it('is verified by anybody with the public keys, and says what was approved', async () => {
    const signer = createApprovalSigner([newKey()])
    const token = signer.sign(CLAIMS)
    const { payload, protectedHeader } = await verify(token, signer.publicKeys)
    expect(payload).toEqual(CLAIMS)
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'assent-approval+jwt' })
    expect(
      (await verify(signer.sign({ ...CLAIMS, rec: undefined }), signer.publicKeys)).payload,
    ).not.toHaveProperty('rec')
  })

  it('that somebody else signed, or changed, is none', async () => {
    const signer = createApprovalSigner([newKey()])
    const other = createApprovalSigner([newKey()])
    await expect(verify(other.sign(CLAIMS), signer.publicKeys)).rejects.toThrow()
    const [header, , signature] = signer.sign(CLAIMS).split('.')
    const changed = Buffer.from(JSON.stringify({ ...CLAIMS, acc: 'other' })).toString('base64url')
    await expect(verify(`${header}.${changed}.${signature}`, signer.publicKeys)).rejects.toThrow()
  })

  it('verifies after its master key has gone to the end of the list', async () => {
    const [old, next] = [newKey(), newKey()]
    const token = createApprovalSigner([old]).sign(CLAIMS)
    const rotated = createApprovalSigner([next, old])
    expect((await verify(token, rotated.publicKeys)).payload).toEqual(CLAIMS)
    expect(decodeProtectedHeader(rotated.sign(CLAIMS)).kid).toBe(next.id)
  })

  it('is signed with a key that other gateways of the installation have too', () => {
    const key = newKey()
    const [one, two] = [createApprovalSigner([key]), createApprovalSigner([key])]
    expect(one.publicKeys).toEqual(two.publicKeys)
    expect(JSON.stringify(one.publicKeys)).not.toContain('"d"')
  })
})

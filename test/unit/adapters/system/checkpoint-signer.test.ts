import { describe, expect, it } from 'vitest'
import { createCheckpointSigner } from '../../../../src/adapters/system/checkpoint-signer.ts'
import { createVault } from '../../../../src/adapters/system/master-key.ts'
import { keysOf } from '../../../support/audit.ts'

describe('signatures of checkpoints', () => {
  it('are genuine for the same text, and forged for anything else', () => {
    const signer = createCheckpointSigner(keysOf(1))
    const signature = signer.sign('text')
    expect(signer.check(signer.keyId, 'text', signature)).toBe('genuine')
    expect(signer.check(signer.keyId, 'other', signature)).toBe('forged')
    expect(signer.check(signer.keyId, 'text', '')).toBe('forged')
    expect(signer.check(signer.keyId, 'text', createCheckpointSigner(keysOf(2)).sign('text'))).toBe(
      'forged',
    )
  })

  it('are known under every master key of the list, and made with the first', () => {
    const [old, both, fresh] = [keysOf(1), keysOf(2, 1), keysOf(2)].map(createCheckpointSigner)
    const before = old?.sign('text') ?? ''
    const after = both?.sign('text') ?? ''
    expect(both?.check(old?.keyId ?? '', 'text', before)).toBe('genuine')
    expect(both?.keyId).toBe(fresh?.keyId)
    expect(fresh?.check(both?.keyId ?? '', 'text', after)).toBe('genuine')
    expect(fresh?.check(old?.keyId ?? '', 'text', before)).toBe('key_unknown')
  })

  it('are no tags of any other purpose', () => {
    const vault = createVault(keysOf(1))
    const signature = createCheckpointSigner(keysOf(1)).sign('text')
    expect([vault.tag('chain', 'text'), vault.tag('confirmation', 'text')]).not.toContain(signature)
  })
})

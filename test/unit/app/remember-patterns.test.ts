import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { rememberPatterns } from '../../../src/app/remember-patterns.ts'

describe('patterns', () => {
  it('are compiled once while they are remembered, and match as ever', () => {
    const compiled: string[] = []
    const remembering = rememberPatterns((pattern) => {
      compiled.push(pattern)
      return compilePattern(pattern)
    }, 2)
    for (let round = 0; round < 3; round++) {
      expect([remembering('^a')?.matches('ab'), remembering('^a')?.matches('ba')]).toEqual([
        true,
        false,
      ])
      expect(remembering('(')).toBeNull()
    }
    expect(compiled).toEqual(['^a', '('])
    expect(remembering('^b')?.matches('ba')).toBe(true)
    expect(remembering('^a')?.matches('ab')).toBe(true)
    expect(compiled).toEqual(['^a', '(', '^b', '^a'])
  })
})

import { describe, expect, it } from 'vitest'
import { ownText, TEXTS } from '../../../src/domain/texts.ts'
import { failureCauses } from '../../../src/domain/verdict.ts'

const keys = Object.keys(TEXTS) as (keyof typeof TEXTS)[]

describe("the gateway's own texts", () => {
  it('are there for each failure, for a deny, a refused action and a confirm, in three languages', () => {
    expect(new Set(keys)).toEqual(new Set([...failureCauses, 'denied', 'refused', 'confirm']))
    for (const key of keys) expect(Object.keys(TEXTS[key])).toEqual(['en', 'ru', 'uk'])
  })

  it('name the subscription once each, and are all different', () => {
    const texts = keys.flatMap((key) => Object.values(TEXTS[key]))
    for (const text of texts) expect(text.split('{name}')).toHaveLength(2)
    expect(new Set(texts).size).toBe(texts.length)
  })

  it("speak the person's language, else English", () => {
    expect(ownText('timeout', 'Stock', ['uk']).text).toContain('Stock: немає відповіді')
    expect(ownText('timeout', 'Stock', ['ru-RU']).text).toContain('Stock: нет ответа')
    expect(ownText('timeout', 'Stock', ['de']).text).toContain('Stock did not answer')
    expect(ownText('timeout', 'Stock', []).text).toContain('Stock did not answer')
  })

  it('take a name without what hides or turns text', () => {
    expect(ownText('timeout', '\u202eSto\u200bck\u0007', []).text).toMatch(/^Stock did not/)
  })

  it('take a name as it is', () => {
    expect(ownText('denied', "$& $' {name}", []).text).toBe(
      "$& $' {name} refused the change without giving a reason.",
    )
  })
})

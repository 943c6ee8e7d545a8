import { describe, expect, it } from 'vitest'
import { PROBLEMS, Problem, type ProblemCode } from '../../../src/domain/problem.ts'
import { FIELD_TEXTS, PROBLEM_TEXTS, problemText } from '../../../src/domain/problem-texts.ts'

const codes = Object.keys(PROBLEMS) as ProblemCode[]
const tables = [...Object.values(PROBLEM_TEXTS), ...Object.values(FIELD_TEXTS)]

describe('what a problem says to people', () => {
  it('is there for each code, in three languages', () => {
    expect(Object.keys(PROBLEM_TEXTS).toSorted()).toEqual(codes.toSorted())
    for (const texts of tables) expect(Object.keys(texts)).toEqual(['en', 'ru', 'uk'])
  })

  it('is a sentence or two in the letters of its language', () => {
    for (const { en, ru, uk } of tables) {
      expect(en).toMatch(/^[A-Z][ -~“”’]{20,}\.$/)
      expect(ru).toMatch(/^[А-ЯЁ][^іїєґІЇЄҐ’]{20,}\.$/)
      expect(uk).toMatch(/^[А-ЩЬЮЯЄІЇҐ][^ыэъёЫЭЪЁ]{20,}\.$/)
    }
  })

  it('differs from code to code, but for those of which only a programmer makes sense', () => {
    const shared = codes.filter((code) => PROBLEM_TEXTS[code] === PROBLEM_TEXTS.invalid_json)
    expect(shared.toSorted()).toEqual([
      'headers_too_large',
      'idempotency_key_reused',
      'invalid_header',
      'invalid_json',
      'invalid_query',
      'json_too_deep',
      'method_not_allowed',
      'unreadable_request',
      'unsupported_media_type',
    ])
    for (const language of ['en', 'ru', 'uk'] as const) {
      const texts = new Set(codes.map((code) => PROBLEM_TEXTS[code][language]))
      expect(texts.size).toBe(codes.length - shared.length + 1)
    }
  })

  it.each([
    [['uk-UA', 'en'], 'uk'],
    [['uk_UA'], 'uk'],
    [['RU'], 'ru'],
    [['de', 'ru'], 'ru'],
    [['de', 'fr'], 'en'],
    [[''], 'en'],
    [[], 'en'],
  ] as const)('is for a reader of %j in %s', (locales, language) => {
    for (const code of codes) {
      const text = PROBLEM_TEXTS[code][language]
      expect(problemText(new Problem(code), locales)).toEqual({ text, language })
    }
  })

  const about = (field: string, count: number) => {
    const complaints = Array.from({ length: count }, () => ({ pointer: '/values/x', message: '' }))
    return problemText(new Problem('invalid_values', { complaints, field }), []).text
  }

  it('names the first field of the form that has to be looked at, and how many there are', () => {
    expect(about('Total', 1)).toBe('Please check the field “Total”: it is empty or does not fit.')
    expect(about('Total', 2)).toBe(
      'Please check the field “Total”: it is empty or does not fit. Fields to check in all: 2.',
    )
    expect(about('', 2)).toBe(PROBLEM_TEXTS.invalid_values.en)
  })

  it('takes the title of a field as text: cleaned, cut, and nothing of it replaced', () => {
    expect(about("\u202ea\u200b$& $' {count}", 1)).toContain("“a$& $' {count}”")
    expect(about('\u202e', 1)).toBe(PROBLEM_TEXTS.invalid_values.en)
    expect(about('x'.repeat(200), 1)).toContain(`“${'x'.repeat(99)}…”`)
  })
})

import { describe, expect, it } from 'vitest'
import {
  acceptedLanguages,
  chooseLocale,
  cleanText,
  messageFor,
  TEXT_LENGTH_MAX,
  TITLE_LENGTH_MAX,
} from '../../../src/domain/message.ts'

describe('a text of a validator', () => {
  it('loses the marks that turn the direction of writing', () => {
    const marks = '\u061C\u200E\u200F\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069'
    expect(cleanText(`pay${marks}ment`)).toBe('payment')
    for (const mark of marks) expect(cleanText(`a${mark}b`)).toBe('ab')
  })

  it('loses control characters but line feed and tab', () => {
    for (let code = 0; code <= 0x9f; code++) {
      if (code >= 0x20 && code <= 0x7e) continue
      const character = String.fromCharCode(code)
      const expected = character === '\n' || character === '\t' ? `a${character}b` : 'ab'
      expect(cleanText(`a${character}b`), code.toString(16)).toBe(expected)
    }
    expect(cleanText('\uFEFFa\u2028b\u2029c\u0000')).toBe('abc')
    expect(cleanText('\u001b[31mred')).toBe('[31mred')
  })

  it('loses halves of surrogate pairs and keeps whole ones', () => {
    expect(cleanText('a\ud83db')).toBe('ab')
    expect(cleanText('a\ude00b')).toBe('ab')
    expect(cleanText('a\ud83d\ude00b')).toBe('a\u{1f600}b')
    expect(cleanText('\ude00\ud83d')).toBe('')
    // Taking out what stands between two halves must not make a pair of them.
    for (const text of ['\ud83d\u0000\ude00', '\ud83d\ud83d\ude00', '\ud83d\ude00\ude00']) {
      expect(cleanText(text).isWellFormed()).toBe(true)
    }
  })

  it('is composed and trimmed', () => {
    expect(cleanText(' \n e\u0301 \t')).toBe('\u00e9')
    expect(cleanText('\u202e  \u202c')).toBe('')
  })

  it('of up to 1,000 characters is kept whole, a longer one ends in an ellipsis at the limit', () => {
    expect(TEXT_LENGTH_MAX).toBe(1_000)
    expect(cleanText('a'.repeat(1_000))).toBe('a'.repeat(1_000))
    expect(cleanText('a'.repeat(1_001))).toBe(`${'a'.repeat(999)}…`)
    expect(cleanText('ab', 1)).toBe('…')
  })

  it('is not cut through a pair', () => {
    const cut = cleanText(`${'a'.repeat(998)}\u{1f600}b`)
    expect(cut).toBe(`${'a'.repeat(998)}…`)
    expect(cut.isWellFormed()).toBe(true)
  })

  it('that is huge costs no more than a long one', () => {
    expect(cleanText('\u202e'.repeat(2_000_000))).toBe('')
    expect(cleanText(`b${'a\u0301'.repeat(2_000_000)}`)).toHaveLength(1_000)
  })
})

describe('a message', () => {
  it('is shown as it is, cleaned, with a title where one is left', () => {
    expect(messageFor({ text: ' a\u202e ' }, [])).toEqual({ text: 'a' })
    expect(messageFor({ title: ' T ', text: 'a' }, [])).toEqual({ title: 'T', text: 'a' })
    expect(messageFor({ title: '\u200f', text: 'a' }, [])).toEqual({ text: 'a' })
    const { title } = messageFor({ title: 't'.repeat(300), text: '' }, [])
    expect(title).toHaveLength(TITLE_LENGTH_MAX)
  })

  const locales = {
    ru: { text: 'нет' },
    'pt-BR': { text: 'não' },
    en: { text: 'no' },
  }

  it.each([
    [['ru'], 'нет'],
    [['RU'], 'нет'],
    [['ru-RU'], 'нет'],
    [['ru_RU'], 'нет'],
    [['pt'], 'não'],
    [['pt-PT'], 'não'],
    [['de', 'ru'], 'нет'],
    [['de'], 'no'],
    [[], 'no'],
  ])('for a reader of %j says %s', (wanted, text) => {
    expect(messageFor({ locales }, wanted)).toEqual({ text })
  })

  it('is the first there is when neither the language nor English is there', () => {
    expect(messageFor({ locales: { uk: { text: 'ні' }, ru: { text: 'нет' } } }, ['de'])).toEqual({
      text: 'ні',
    })
    expect(messageFor({ locales: {} }, ['de'])).toEqual({ text: '' })
  })

  it('prefers the very tag over another of the same language', () => {
    const byLocale = { 'en-US': 'color', 'en-GB': 'colour' }
    expect(chooseLocale(byLocale, ['en-GB'])).toBe('colour')
    expect(chooseLocale(byLocale, ['en-AU'])).toBe('color')
    expect(chooseLocale(byLocale, ['toString'])).toBe('color')
    expect(chooseLocale({}, ['en'])).toBeUndefined()
  })
})

describe('Accept-Language', () => {
  it.each([
    ['ru', ['ru']],
    ['uk-UA, ru;q=0.8, en;q=0.9', ['uk-ua', 'en', 'ru']],
    ['en;q=0.5,de', ['de', 'en']],
    ['en;q=0, de', ['de']],
    ['*, de', ['de']],
    ['en;q=0.001', ['en']],
    ['de;level=1;q=0.5, fr;q=0.7', ['fr', 'de']],
    ['', []],
    ['<script>, de', ['de']],
    ['a'.repeat(501), []],
  ])('%j asks for %j', (header, tags) => {
    expect(acceptedLanguages(header)).toEqual(tags)
  })

  it('that is missing asks for nothing, and one of many languages for ten', () => {
    expect(acceptedLanguages(undefined)).toEqual([])
    const header = Array.from({ length: 26 }, (_, at) => String.fromCharCode(97 + at)).join(',')
    expect(acceptedLanguages(header)).toHaveLength(10)
  })
})

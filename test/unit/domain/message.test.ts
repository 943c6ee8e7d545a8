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
    const cut = cleanText(`${'a'.repeat(998)}\u{1f600}bc`)
    expect(cut).toBe(`${'a'.repeat(998)}\u{1f600}…`)
    expect(cleanText('ab\u{1f600}\u{1f600}\u{1f600}', 3)).toBe('ab…')
    expect(cleanText('\u{1f600}'.repeat(3), 3)).toBe('\u{1f600}'.repeat(3))
    expect(cleanText('\u{1f600}'.repeat(1_000))).toBe('\u{1f600}'.repeat(1_000))
    expect(cleanText('\u{1f600}'.repeat(1_001))).toBe(`${'\u{1f600}'.repeat(999)}…`)
  })

  it.each([
    ['a letter and its marks', 'ab\u0915\u094d\u0937\u093f', 'ab…'],
    ['a letter and a mark that it has no own letter with', 'abx\u0301\u0302\u0303z', 'ab…'],
    ['an emoji of several', 'ab\u{1f469}\u200d\u{1f467}\u200d\u{1f466}', 'ab…'],
    ['an emoji and its skin', 'ab\u{1f44d}\u{1f3fd}cd', 'ab…'],
    ['a flag', 'ab\u{1f1fa}\u{1f1e6}cd', 'ab…'],
    ['an emoji and its selector', 'ab\u2764\ufe0fcd', 'ab…'],
  ])('is not cut through %s', (_, text, cut) => {
    expect(cleanText(text, 4)).toBe(cut)
  })

  it('is cut through what no language writes: a letter under a tower of marks', () => {
    const tower = cleanText(`a${'\u0330'.repeat(2_000)}`, 500)
    expect(Array.from(tower)).toHaveLength(500)
    expect(tower.startsWith('a\u0330')).toBe(true)
  })

  it('that is cut before it is cleaned says so', () => {
    expect(cleanText(`ab${'\u200b'.repeat(100)}cd`, 10)).toBe('ab…')
    expect(cleanText(`abcdefghij${'\u200b'.repeat(100)}`, 10)).toBe('abcdefghi…')
  })

  it('loses what is drawn as nothing, and what smuggles text past the eye', () => {
    const hidden = [
      '\u00AD\u034F\u115F\u1160\u17B4\u17B5\u180E\u200B\u2060\u2061\u2062\u2063\u2064\u206A\u206F',
      '\u3164\uFFA0\uFFF9\uFFFA\uFFFB\uFFFE\uFFFF\u{1D173}\u{1BCA0}\u{1FFFE}',
      '\u{E0001}\u{E0061}\u{E007F}\u{E0200}',
    ].join('')
    for (const one of hidden) {
      expect(cleanText(`pay${one}ment`), one.codePointAt(0)?.toString(16)).toBe('payment')
    }
    expect(cleanText(`pay${hidden}ment`)).toBe('payment')
    expect(cleanText(hidden)).toBe('')
  })

  it.each([
    ['Persian', 'می\u200cخواهم'],
    ['Bengali', 'র\u200d\u09cdয'],
    ['Malayalam', 'ന\u0d4d\u200d'],
    ['Mongolian', 'ᠠ\u180b'],
    ['Japanese names', '葛\u{E0100}城'],
    ['families', '\u{1f469}\u200d\u{1f467}'],
    ['people with a skin', '\u{1f469}\u{1f3fd}\u200d\u{1f4bb}'],
    ['the rainbow flag', '\u{1f3f3}\ufe0f\u200d\u{1f308}'],
    ['a heart', '\u2764\ufe0f'],
    ['keycaps', '1\ufe0f\u20e3'],
  ])('keeps the joiners and selectors of %s', (_, text) => {
    expect(cleanText(text)).toBe(text.normalize('NFC'))
  })

  it.each([
    ['a joiner in Latin', 'pay\u200dment', 'payment'],
    ['a non-joiner in Cyrillic', 'за\u200cказ', 'заказ'],
    ['joiners at the beginning and after a space', '\u200da \u200db', 'a b'],
    ['a second joiner', 'می\u200c\u200cخ', 'می\u200cخ'],
    ['a second selector', 'a\ufe00\ufe01\u{E0100}b', 'a\ufe00b'],
    ['a selector after a space', 'a \ufe0fb', 'a b'],
    ['a joiner that only hangs on marks', 'x\u0330\u200dy', 'x\u0330y'],
  ])('loses %s', (_, text, clean) => {
    expect(cleanText(text)).toBe(clean)
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

  it.each([
    ['pt-BR', 'pt'],
    ['pt_BR', 'pt'],
    ['PT-ao', 'pt'],
    ['pt-PT', 'pt-PT'],
    ['zh-Hant-TW', 'zh_Hant'],
    ['zh-HANT-HK', 'zh_Hant'],
    ['zh-SG', 'zh-CN'],
    ['sr-Latn-RS', 'en'],
  ])('for a reader of %s is that of %s: shorter tags before other regions', (wanted, chosen) => {
    const byLocale = { 'pt-PT': 'pt-PT', pt: 'pt', 'zh-CN': 'zh-CN', zh_Hant: 'zh_Hant', en: 'en' }
    expect(chooseLocale(byLocale, [wanted])).toBe(chosen)
  })

  it('is passed over where it says nothing in that language', () => {
    const locales = { uk: { text: ' ' }, ru: { title: 'Нет', text: '' }, en: { text: 'no' } }
    expect(messageFor({ locales }, ['uk'])).toEqual({ text: 'no' })
    expect(messageFor({ locales }, ['uk', 'ru'])).toEqual({ title: 'Нет', text: '' })
    expect(messageFor({ locales: { uk: { text: '' } } }, ['uk'])).toEqual({ text: '' })
  })

  it('in very many languages is chosen in no time', () => {
    const tags = Array.from({ length: 20_000 }, (_, at) => [`x-${at}`, { text: `${at}` }])
    const wanted = Array.from({ length: 11 }, (_, at) => `${'q-'.repeat(17)}${at}`)
    expect(messageFor({ locales: Object.fromEntries(tags) }, [...wanted, 'x-19999'])).toEqual({
      text: '19999',
    })
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

/** Texts for people: what a validator wrote, made safe to show, in a language that the person reads. */

import { getOrAdd } from './maps.ts'

export type Message = { readonly title?: string | undefined; readonly text: string }

/** The same text in several languages, by language tag. */
export type LocalisedText = { readonly locales: Readonly<Record<string, Message>> }

/** A text of a validator longer than this is cut: it has to fit beside a form field. */
export const TEXT_LENGTH_MAX = 1_000
export const TITLE_LENGTH_MAX = 200

/**
 * What hides or reorders the text that a person reads: controls (but line feed and tab), marks that turn the
 * writing direction, everything that Unicode says to draw as nothing, line and paragraph separators,
 * annotations, non-characters, lone surrogates. Joiners and variation selectors are judged by their place.
 */
const UNSAFE =
  /(?![\n\t\p{Join_Control}\p{Variation_Selector}])[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\uFFF9-\uFFFB]/gu

/** A variation selector chooses the look of the one visible character before it, and of nothing else. */
const STRAY_SELECTOR = /(?<![\p{L}\p{N}\p{P}\p{S}])\p{Variation_Selector}/gu

/** Joiners shape emoji, and the scripts without capitals (Arabic, Indic and others); Latin has no use for them. */
const STRAY_JOINER =
  /(?<![\p{Lo}\p{Lm}\p{Extended_Pictographic}\p{Emoji_Modifier}]\p{M}{0,8})\p{Join_Control}/gu

/** ASCII and Cyrillic letters: nothing to clean, nothing to compose. Most texts are no more than this. */
const PLAIN =
  /^[\n\t\u0020-\u007E\u0401\u0404\u0406\u0407\u0410-\u044F\u0451\u0454\u0456\u0457\u0490\u0491\u00AB\u00BB\u2014\u2019]*$/

/** Text only: without what hides or reorders, composed, trimmed, cut at the limit with an ellipsis. */
export function cleanText(text: string, lengthMax: number = TEXT_LENGTH_MAX): string {
  // A text many times over the limit is cut first, so that cleaning it costs no more than a long one.
  const isWhole = text.length <= lengthMax * 4
  const clean = visible(isWhole ? text : text.slice(0, lengthMax * 4)).trim()
  const room = isWhole || clean === '' ? lengthMax : lengthMax - 1
  if (clean.length <= room || lengthOf(clean) <= room) return room < lengthMax ? `${clean}…` : clean
  return `${beginning(clean, lengthMax - 1)}…`
}

/** Composed before places are judged, and again when what stood between a letter and its mark is gone. */
function visible(text: string): string {
  if (PLAIN.test(text)) return text
  return text
    .replace(UNSAFE, '')
    .normalize('NFC')
    .replace(STRAY_SELECTOR, '')
    .replace(STRAY_JOINER, '')
    .normalize('NFC')
}

/** In characters as Unicode counts them, so that a line of emoji may be as long as one of letters. */
const lengthOf = (text: string): number => Array.from(text).length

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** A letter with more marks than this is no letter of any language: it may be cut through. */
const GRAPHEME_UNITS_MAX = 64

/** So many characters at most, and never half of what a person sees as one. */
function beginning(text: string, length: number): string {
  const end = Array.from(text).slice(0, length).join('').length
  const start = graphemes.segment(text).containing(end)?.index ?? end
  return text.slice(0, end - start > GRAPHEME_UNITS_MAX ? end : start)
}

function cleanMessage(message: Message): Message {
  const text = cleanText(message.text)
  if (message.title === undefined) return { text }
  const title = cleanText(message.title, TITLE_LENGTH_MAX)
  return title === '' ? { text } : { title, text }
}

/** The languages that a person reads, best first: `user.locale` before `Accept-Language`. */
export type Locales = readonly string[]

/** The language tags of an Accept-Language header (RFC 9110 §12.5.4), best first; at most ten. */
export function acceptedLanguages(header: string | undefined): Locales {
  if (header === undefined || header.length > 500) return []
  return header
    .split(',', 10)
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().split(';')
      const quality = parameters.map((p) => /^\s*q=([01](?:\.\d{1,3})?)\s*$/.exec(p)?.[1])
      return { tag: tag.trim().toLowerCase(), quality: Number(quality.find(Boolean) ?? 1) }
    })
    .filter(({ tag, quality }) => /^[a-z]{1,8}(-[a-z0-9]{1,8})*$/.test(tag) && quality > 0)
    .sort((left, right) => right.quality - left.quality)
    .map(({ tag }) => tag)
}

/** `uk_UA` is `uk-ua`. */
const normalTag = (tag: string): string => tag.toLowerCase().replaceAll('_', '-')
const languageOf = (normal: string): string => normal.split('-', 1)[0] ?? ''

/**
 * The entry for the first language that the person reads; else English; else the first there is. A tag
 * finds itself, then its shorter forms (RFC 4647 §3.4), then another region of its language.
 */
export function chooseLocale<T>(
  byLocale: Readonly<Record<string, T>>,
  locales: Locales,
): T | undefined {
  const byTag = new Map<string, string>()
  const byLanguage = new Map<string, string>()
  for (const tag of Object.keys(byLocale)) {
    const normal = normalTag(tag)
    getOrAdd(byTag, normal, () => tag)
    getOrAdd(byLanguage, languageOf(normal), () => tag)
  }
  for (const wanted of [...locales, 'en']) {
    const tag = shorterForms(wanted).find((form) => byTag.has(form))
    const found = tag === undefined ? byLanguage.get(languageOf(normalTag(wanted))) : byTag.get(tag)
    if (found !== undefined) return byLocale[found]
  }
  return Object.values(byLocale)[0]
}

/** `zh-Hant-TW` is `zh-hant-tw`, `zh-hant`, `zh`. */
function shorterForms(tag: string): string[] {
  const subtags = normalTag(tag).split('-')
  return subtags.map((_, index) => subtags.slice(0, subtags.length - index).join('-'))
}

/** The message to show: the person's language, cleaned. Empty text when there is nothing left to show. */
export function messageFor(message: Message | LocalisedText, locales: Locales): Message {
  if (!('locales' in message)) return cleanMessage(message)
  const said = Object.entries(message.locales).filter(([, { title, text }]) => title || text.trim())
  return cleanMessage(chooseLocale(Object.fromEntries(said), locales) ?? { text: '' })
}

/** Texts for people: what a validator wrote, made safe to show, in a language that the person reads. */

export type Message = { readonly title?: string | undefined; readonly text: string }

/** The same text in several languages, by language tag. */
export type LocalisedText = { readonly locales: Readonly<Record<string, Message>> }

/** A text of a validator longer than this is cut: it has to fit beside a form field. */
export const TEXT_LENGTH_MAX = 1_000
export const TITLE_LENGTH_MAX = 200

// C0 (but line feed and tab) and C1 controls, marks that turn the writing direction, lone surrogates,
// line and paragraph separators: they hide or reorder what a person reads.
const UNSAFE =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g

/** Text only: without control and direction characters, trimmed, cut at the limit with an ellipsis. */
export function cleanText(text: string, lengthMax: number = TEXT_LENGTH_MAX): string {
  // A text many times over the limit is cut first, so that cleaning it costs no more than a long one.
  const bounded = text.length > lengthMax * 4 ? text.slice(0, lengthMax * 4) : text
  const clean = bounded.replace(UNSAFE, '').normalize('NFC').trim()
  if (clean.length <= lengthMax) return clean
  return `${clean.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
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

const languageOf = (tag: string): string => tag.toLowerCase().split(/[-_]/, 1)[0] ?? ''

/** The entry for the first language that the person reads; else English; else the first there is. */
export function chooseLocale<T>(
  byLocale: Readonly<Record<string, T>>,
  locales: Locales,
): T | undefined {
  const tags = Object.keys(byLocale)
  for (const wanted of [...locales, 'en']) {
    const tag =
      tags.find((candidate) => candidate.toLowerCase() === wanted.toLowerCase()) ??
      tags.find((candidate) => languageOf(candidate) === languageOf(wanted))
    if (tag !== undefined) return byLocale[tag]
  }
  return tags[0] === undefined ? undefined : byLocale[tags[0]]
}

/** The message to show: the person's language, cleaned. Empty text when there is nothing left to show. */
export function messageFor(message: Message | LocalisedText, locales: Locales): Message {
  if (!('locales' in message)) return cleanMessage(message)
  return cleanMessage(chooseLocale(message.locales, locales) ?? { text: '' })
}

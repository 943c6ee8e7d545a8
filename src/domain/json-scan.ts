/**
 * JSON.parse accepts what later breaks: ten thousand nested arrays (RangeError in JSON.stringify), NUL and
 * lone surrogates (refused by jsonb), `__proto__` (may reach a prototype), 1e400 (Infinity). One pass
 * over the text, before it is parsed, refuses all of these. The pass knows just enough of the grammar to
 * find strings, keys, numbers and brackets; that the text is JSON at all is JSON.parse's business.
 */
import { pointerTo } from './pointer.ts'

export type ScanFault = {
  readonly kind: 'too_deep' | 'nul' | 'lone_surrogate' | 'forbidden_key' | 'number_out_of_range'
  /** UTF-16 offset in the text where it was noticed. */
  readonly offset: number
}

export const FAULT_TEXTS: Record<ScanFault['kind'], string> = {
  too_deep: 'Nested too deep.',
  nul: 'A text holds the NUL character.',
  lone_surrogate: 'A text holds half of a surrogate pair.',
  forbidden_key: 'The keys __proto__ and constructor are refused.',
  number_out_of_range: 'A number is larger than can be kept exactly.',
}

export const JSON_DEPTH_MAX = 64

/** Whether integers beyond 2^53 are refused as well: in what we store, not in what we merely read. */
export type NumberRule = 'exact' | 'finite'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const MINUS = 0x2d

/** The first thing in the text that must not get further, or null. */
export function scanJson(text: string, numbers: NumberRule): ScanFault | null {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      const fault = stringFault(text, at, end)
      if (fault !== null) return fault
      at = end
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > JSON_DEPTH_MAX) return { kind: 'too_deep', offset: at }
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--
    } else if (code === MINUS || (code >= 0x30 && code <= 0x39)) {
      const end = endOfNumber(text, at)
      if (!fitsNumber(text, at, end, numbers)) return { kind: 'number_out_of_range', offset: at }
      at = end - 1
    }
  }
  return null
}

/** Offset of the closing quote (or of the text's last character, where there is none). */
function endOfString(text: string, start: number): number {
  let at = start + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return text.length - 1
    let backslashes = 0
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return quote
    at = quote + 1
  }
}

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor'])

function stringFault(text: string, start: number, end: number): ScanFault | null {
  const raw = text.slice(start + 1, end)
  const decoded = raw.includes('\\') ? unescape(raw) : raw
  if (decoded.includes('\u0000')) return { kind: 'nul', offset: start }
  if (!decoded.isWellFormed()) return { kind: 'lone_surrogate', offset: start }
  if (FORBIDDEN_KEYS.has(decoded) && isKey(text, end))
    return { kind: 'forbidden_key', offset: start }
  return null
}

function isKey(text: string, end: number): boolean {
  let at = end + 1
  while (at < text.length && /\s/.test(text.charAt(at))) at++
  return text.charCodeAt(at) === COLON
}

/** Resolves \uXXXX only: no other escape can hide what is looked for here. */
function unescape(raw: string): string {
  return raw.replace(/\\(?:u([0-9a-fA-F]{4})|.)/gs, (whole, hex: string | undefined) =>
    hex === undefined ? whole : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  while (at < text.length) {
    const code = text.charCodeAt(at)
    const isDigit = code >= 0x30 && code <= 0x39
    // + - . E e
    if (!isDigit && code !== 0x2b && code !== 0x2d && code !== 0x2e && (code | 0x20) !== 0x65) break
    at++
  }
  return at
}

/** Up to 15 digits always fit, so that the common number costs no conversion. */
function fitsNumber(text: string, start: number, end: number, rule: NumberRule): boolean {
  const length = end - start
  const number = text.slice(start, end)
  if (length <= 15 && !/[eE]/.test(number)) return true
  const value = Number(number)
  if (Number.isNaN(value)) return true // not a number at all: JSON.parse will say so
  if (!Number.isFinite(value)) return false
  if (rule === 'finite') return true
  const isInteger = !/[.eE]/.test(number)
  return length <= 400 && (!isInteger || Number.isSafeInteger(value))
}

/** RFC 6901 pointer to the innermost member or item that holds the offset. For error messages only. */
export function pointerAt(text: string, offset: number): string {
  const path: { key: string | number | null; isArray: boolean }[] = []
  for (let at = 0; at <= offset && at < text.length; at++) {
    const top = path.at(-1)
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      if (top !== undefined && !top.isArray && isKey(text, end)) {
        top.key = unescape(text.slice(at + 1, end))
      }
      at = end
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      path.push({ key: code === OPEN_BRACKET ? 0 : null, isArray: code === OPEN_BRACKET })
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      path.pop()
    } else if (code === 0x2c && top?.isArray && typeof top.key === 'number') {
      top.key += 1
    }
  }
  const keys = path.map(({ key }) => key).filter((key) => key !== null)
  return pointerTo(...keys).slice(0, 500)
}

/**
 * JSON read by the letter: a second reader, which has nothing in common with the one that is tested. What
 * two readers could take differently is none: a key twice, a key that may reach a prototype, NUL, half of a
 * character, a number that is infinite, anything deeper than 64.
 */

const DEPTH_MAX = 64
const FORBIDDEN_KEYS: readonly string[] = ['__proto__', 'constructor']
const SPACE = ' \t\n\r'
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
])

class NotLiteral extends Error {}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): unknown {
    const value = this.#value(1)
    this.#skip()
    if (this.#at < this.#text.length) throw new NotLiteral()
    return value
  }

  #value(depth: number): unknown {
    this.#skip()
    const first = this.#text[this.#at]
    if (first === '{') return this.#members(depth)
    if (first === '[') return this.#items(depth)
    if (first === '"') return this.#string()
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        return value
      }
    }
    const number = Number(this.#match(NUMBER))
    if (!Number.isFinite(number)) throw new NotLiteral()
    return number
  }

  #members(depth: number): ReadonlyMap<string, unknown> {
    if (depth > DEPTH_MAX) throw new NotLiteral()
    const members = new Map<string, unknown>()
    this.#at += 1
    if (this.#has('}')) return members
    do {
      this.#skip()
      const key = this.#string()
      if (members.has(key) || FORBIDDEN_KEYS.includes(key) || !this.#has(':'))
        throw new NotLiteral()
      members.set(key, this.#value(depth + 1))
    } while (this.#has(','))
    if (!this.#has('}')) throw new NotLiteral()
    return members
  }

  #items(depth: number): readonly unknown[] {
    if (depth > DEPTH_MAX) throw new NotLiteral()
    const items: unknown[] = []
    this.#at += 1
    if (this.#has(']')) return items
    do items.push(this.#value(depth + 1))
    while (this.#has(','))
    if (!this.#has(']')) throw new NotLiteral()
    return items
  }

  #string(): string {
    const text = JSON.parse(this.#match(STRING)) as string
    if (text.includes('\u0000') || !text.isWellFormed()) throw new NotLiteral()
    return text
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) throw new NotLiteral()
    this.#at += found.length
    return found
  }

  #has(sign: string): boolean {
    this.#skip()
    if (this.#text[this.#at] !== sign) return false
    this.#at += 1
    return true
  }

  #skip(): void {
    while (SPACE.includes(this.#text[this.#at] ?? 'x')) this.#at += 1
  }
}

/** Objects as maps, so that no key can mean anything; undefined for what is not JSON by the letter. */
export function literalJson(bytes: Uint8Array): unknown {
  try {
    return new Reader(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    ).whole()
  } catch {
    return undefined
  }
}

/** JSON Pointer, RFC 6901. */
import type { Values } from './values.ts'

/** A pointer to a member by its keys; `~` and `/` of a key are escaped. */
export function pointerTo(...keys: readonly (string | number)[]): string {
  return keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Whether a text is a pointer at all. */
export function isPointer(text: string): boolean {
  return /^(\/([^~/]|~[01])*)*$/.test(text)
}

/** What a pointer points at; undefined where there is nothing. Inherited properties are nothing. */
export function readPointer(document: unknown, pointer: string): unknown {
  let at = document
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Values)[key]
  }
  return at
}

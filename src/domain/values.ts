/**
 * Record values are plain JSON. Everything here treats them as such: no classes, no cycles, keys that
 * could touch a prototype are refused before a value gets this far (see json-scan.ts).
 */

export type Values = Readonly<Record<string, unknown>>

/** Equality of two JSON values, by content. Objects compare without regard to the order of keys. */
export function deepEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return false
  }
  if (Array.isArray(left) || Array.isArray(right)) return equalArrays(left, right)
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  const a = left as Values
  const b = right as Values
  return keys.every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]))
}

function equalArrays(left: object, right: object): boolean {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
  return left.every((item, index) => deepEqual(item, right[index]))
}

/** The record as it will be: `over` laid on top of `base`, field by field. */
export function overlay(base: Values | undefined, over: Values | undefined): Values {
  if (base === undefined) return over ?? {}
  return over === undefined ? base : { ...base, ...over }
}

/** Only the named fields of a record, in the order of the names. */
export function pick(values: Values | undefined, fields: readonly string[]): Values {
  const picked: Record<string, unknown> = {}
  if (values === undefined) return picked
  for (const field of fields) {
    if (Object.hasOwn(values, field)) picked[field] = values[field]
  }
  return picked
}

/** Fields of `values` that differ from `previous`; every field that was sent when there is no previous. */
export function changedFields(
  values: Values | undefined,
  previous: Values | undefined,
): readonly string[] {
  const sent = Object.keys(values ?? {})
  if (values === undefined || previous === undefined) return sent
  return sent.filter(
    (field) => !Object.hasOwn(previous, field) || !deepEqual(values[field], previous[field]),
  )
}

/** RFC 8785 canonical JSON for the JSON values that we accept: sorted keys, no white space. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const object = value as Values
  const members = Object.keys(object)
    .filter((key) => object[key] !== undefined)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(object[key])}`)
  return `{${members.join(',')}}`
}

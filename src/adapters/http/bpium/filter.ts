/**
 * The value of one of Bpium's filters. What is meant follows from its form: a text is looked for in texts
 * and contacts, `{at, to}` is a range of numbers, a list is any of its choices, users or linked records.
 */
import { Problem } from '../../../domain/problem.ts'
import type { RecordFilter, RecordLink } from '../../../domain/record-filter.ts'
import type { Values } from '../../../domain/values.ts'

const OPTIONS_MAX = 100

export function filterOf(field: string, value: unknown, pointer: string): RecordFilter {
  const refuse = (message: string): never => {
    throw new Problem('invalid_query', { complaints: [{ pointer, message }] })
  }
  if (field.startsWith('$')) return refuse('Filters are not combined here: all of them must fit.')
  if (typeof value === 'string') return ofText(field, value)
  if (isScalar(value)) return { kind: 'oneOf', field, options: [String(value)] }
  if (Array.isArray(value)) return ofList(field, value, refuse)
  if (typeof value === 'object' && value !== null) return ofRange(field, value as Values, refuse)
  return refuse('A filter needs a value.')
}

type Refuse = (message: string) => never

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

/** A text that is a list of numbers is one: `[1,2,3]`. */
function ofText(field: string, text: string): RecordFilter {
  const inside = /^\[\s*(\d{1,15}(?:\s*,\s*\d{1,15}){0,99})\s*\]$/.exec(text)?.[1]
  if (inside === undefined) return { kind: 'contains', field, text }
  return { kind: 'oneOf', field, options: inside.split(',').map((one) => one.trim()) }
}

function ofList(field: string, list: readonly unknown[], refuse: Refuse): RecordFilter {
  if (list.length === 0 || list.length > OPTIONS_MAX) {
    return refuse(`A list has 1 to ${OPTIONS_MAX} items.`)
  }
  const links = list.map(linkOf)
  if (links.every((link) => link !== null)) return { kind: 'linked', field, records: links }
  const options = list.map((one) => (isScalar(one) ? one : isObject(one) ? one['id'] : undefined))
  if (options.includes('CURRENT_USER')) return refuse('Name the user by its id.')
  if (options.every(isScalar)) return { kind: 'oneOf', field, options: options.map(String) }
  return refuse('A list has choices, users ({id}) or linked records ({catalogId, recordId}).')
}

const isObject = (value: unknown): value is Values => typeof value === 'object' && value !== null

/** Nothing else is known of a linked record here, so that nothing else can be asked of it. */
function linkOf(sent: unknown): RecordLink | null {
  if (!isObject(sent) || Object.keys(sent).length !== 2) return null
  const { catalogId, recordId } = sent
  if (!isScalar(catalogId) || !isScalar(recordId)) return null
  return { catalogId: String(catalogId), recordId: String(recordId) }
}

function ofRange(field: string, { at, to, ...others }: Values, refuse: Refuse): RecordFilter {
  const isRange = Object.keys(others).length === 0 && (at !== undefined || to !== undefined)
  const from = numberOf(at)
  const until = numberOf(to)
  if (!isRange) return refuse('A range has `at`, `to` or both, and nothing else.')
  if (Number.isNaN(from) || Number.isNaN(until)) {
    return refuse('A range is one of numbers; dates cannot be looked for here.')
  }
  return { kind: 'range', field, from, to: until }
}

function numberOf(sent: unknown): number | undefined {
  if (sent === undefined || typeof sent === 'number') return sent
  const isNumber = typeof sent === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(sent)
  return isNumber ? Number(sent) : Number.NaN
}

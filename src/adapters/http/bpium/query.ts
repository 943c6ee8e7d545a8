/**
 * What Bpium's clients say in a query string. What cannot be honoured here and would change which records
 * are meant, or what is shown of them, is refused; nothing of that kind is passed over.
 */
import type { z } from 'zod'
import { pointerTo } from '../../../domain/pointer.ts'
import { type Complaint, Problem } from '../../../domain/problem.ts'
import type { RecordFilter } from '../../../domain/record-filter.ts'
import { pick, type Values } from '../../../domain/values.ts'
import { parseJson } from '../body.ts'
import { bpiumListQuery, bpiumReadQuery } from '../schemas/bpium.ts'
import { filterOf } from './filter.ts'

export type ListQuery = z.output<typeof bpiumListQuery>
export type ReadQuery = z.output<typeof bpiumReadQuery>

const FILTERS_MAX = 20

/** Parameters of Bpium's that stand for what is not here. */
const UNUSABLE: Readonly<Record<string, string>> = {
  viewId: 'There are no views here.',
  searchText: 'There is no search over all fields here; `filters` looks into one.',
  id: 'Records are read by their ids one by one: `…/records/{id}`.',
  withFieldsAdditional: 'Values of linked records are not given here.',
}

export type Wanted = {
  readonly filters: readonly RecordFilter[]
  readonly direction: 'asc' | 'desc'
  readonly limit: number
  readonly offset: number
  /** Null: all of them. */
  readonly fields: readonly string[] | null
}

export function readListQuery(query: ListQuery): Wanted {
  const bracketed = Object.entries(query).filter(([name]) => name.startsWith('filters['))
  refuseUnknown(query, bpiumListQuery, bracketed)
  const filters = [...inJson(query.filters), ...inBrackets(bracketed)]
  if (filters.length > FILTERS_MAX) refuse('/filters', `At most ${FILTERS_MAX} filters.`)
  return {
    filters,
    direction: query.sortType === '1' ? 'asc' : 'desc',
    limit: query.limit,
    offset: query.offset,
    fields: fieldsOf(query.fields),
  }
}

export function readItemQuery(query: ReadQuery): Pick<Wanted, 'fields'> {
  refuseUnknown(query, bpiumReadQuery, [])
  return { fields: fieldsOf(query.fields) }
}

export const shown = (values: Values, fields: Wanted['fields']): Values =>
  fields === null ? values : pick(values, fields)

function refuse(pointer: string, message: string): never {
  throw new Problem('invalid_query', { complaints: [{ pointer, message }] })
}

function readJson(pointer: string, text: string): unknown {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof Problem) refuse(pointer, 'This is not JSON, or none that can be taken.')
    throw error
  }
}

function refuseUnknown(
  query: Values,
  schema: { readonly shape: object },
  known: readonly (readonly [string, unknown])[],
): void {
  const others = new Set(known.map(([name]) => name))
  const complaints = Object.keys(query)
    .filter((name) => !Object.hasOwn(schema.shape, name) && !others.has(name))
    .map((name): Complaint => {
      const message = Object.hasOwn(UNUSABLE, name) ? UNUSABLE[name] : undefined
      return { pointer: pointerTo(name), message: message ?? 'There is no such parameter.' }
    })
  if (complaints.length > 0) throw new Problem('invalid_query', { complaints })
}

function fieldsOf(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null
  const sent = readJson('/fields', text)
  const isUsable =
    Array.isArray(sent) && sent.every((one) => typeof one === 'string' || typeof one === 'number')
  if (isUsable) return sent.map(String)
  return refuse(
    '/fields',
    'A list of field ids in JSON: ["2","3"]. Fields of linked records are not given.',
  )
}

/** `{"field": value}`, or a list of `{fieldId, value}`. */
function inJson(text: string | undefined): RecordFilter[] {
  if (text === undefined) return []
  const sent = readJson('/filters', text)
  if (Array.isArray(sent)) return sent.map((one, index) => oneOf(one, `/filters/${index}`))
  if (typeof sent !== 'object' || sent === null) refuse('/filters', 'An object or a list in JSON.')
  return Object.entries(sent).map(([field, value]) =>
    filterOf(field, value, `/filters${pointerTo(field)}`),
  )
}

function oneOf(sent: unknown, pointer: string): RecordFilter {
  const { fieldId, value } = (typeof sent === 'object' ? (sent ?? {}) : {}) as Values
  const isId = typeof fieldId === 'string' || typeof fieldId === 'number'
  if (!isId) refuse(pointer, 'A filter has a fieldId and a value.')
  return filterOf(String(fieldId), value, `${pointer}/value`)
}

/** `filters[0][fieldId]=4&filters[0][value][at]=1`: what brackets say is put together again first. */
function inBrackets(parameters: readonly (readonly [string, unknown])[]): RecordFilter[] {
  const root: Tree = new Map()
  for (const [name, text] of parameters) {
    const steps = /^filters((?:\[[^[\]]{1,200}\]){1,8})$/.exec(name)?.[1]?.slice(1, -1).split('][')
    if (steps === undefined) refuse(pointerTo(name), 'This is no filter.')
    plant(root, steps, String(text))
  }
  return [...root].map(([index, one]) => oneOf(plain(one), `/filters${pointerTo(index)}`))
}

type Tree = Map<string, Tree | string>

function plant(tree: Tree, [step = '', ...rest]: readonly string[], text: string): void {
  if (rest.length === 0) return void tree.set(step, text)
  const known = tree.get(step)
  const next: Tree = known instanceof Map ? known : new Map()
  tree.set(step, next)
  plant(next, rest, text)
}

/** Numbered branches are a list. */
function plain(tree: Tree | string): unknown {
  if (typeof tree === 'string') return tree
  const branches = [...tree].map(([step, one]) => [step, plain(one)] as const)
  const isList = branches.every(([step]) => /^\d{1,3}$/.test(step))
  return isList ? branches.map(([, one]) => one) : Object.fromEntries(branches)
}

/** Values that a JSON Schema of our own OpenAPI document would take, most of the time. */
import { BUILT_IN_EVENTS } from '../../../src/domain/change.ts'
import type { Chance } from './chance.ts'

export type Schema = {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: string
}

export type Schemas = Readonly<Record<string, Schema>>

/** Few, so that requests meet: what one makes another changes. */
export const CATALOGS = ['orders', 'goods', 'a b', "o'clock", '*'] as const
export const RECORDS = ['1', '2', '3', 'r 4', 'запис', '{}'] as const

/**
 * What stands under a name, where the schema alone would make something that nobody takes. Addresses lead
 * nowhere or to a closed port of this machine, and budgets are short: a fuzzer waits for nobody.
 */
const BY_NAME: Readonly<Record<string, readonly unknown[]>> = {
  catalogId: CATALOGS,
  recordId: RECORDS,
  event: BUILT_IN_EVENTS,
  type: [...BUILT_IN_EVENTS, 'order.paid', 'none'],
  url: ['http://127.0.0.1:1/', 'http://127.0.0.1:9/a?b=c', 'http://10.0.0.1/', 'http://x.invalid/'],
  redirect: ['https://x.invalid/'],
  timeoutMs: [50, 60, 80],
  denyGraceMs: [0, 1],
  maxPerSecond: [null, 1_000_000],
  from: ['/data/values/a', '/data/recordId', '/type', ''],
  field: ['a', 'b', 'status'],
  op: ['eq', 'ne', 'in', 'gt', 'exists', 'matches', 'changed', 'contains'],
  value: ['^a+$', 1, 'new', null, ['x'], {}, true],
  locale: ['uk', 'ru-RU', 'en'],
  header: ['x-own', 'authorization'],
  token: ['token'],
  accountId: ['shop 1', 'shop 2'],
  since: ['2026-01-01T00:00:00Z'],
  until: ['2027-01-01T00:00:00Z'],
  expiresAt: ['2099-01-01T00:00:00Z'],
}

const LISTS_BY_NAME: Readonly<Record<string, readonly unknown[]>> = {
  events: BUILT_IN_EVENTS,
  fields: ['a', 'status'],
  initiators: ['anna'],
}

const DEPTH_MAX = 5

export class Shapes {
  readonly #schemas: Schemas
  readonly #chance: Chance

  constructor(schemas: Schemas, chance: Chance) {
    this.#schemas = schemas
    this.#chance = chance
  }

  of(schema: Schema, name = '', depth = 0): unknown {
    const chance = this.#chance
    const named = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined
    if (named !== undefined && chance.happens(0.9)) return chance.pick(named)
    if (schema.$ref !== undefined) return this.of(this.#resolved(schema.$ref), name, depth)
    if (schema.const !== undefined) return schema.const
    if (schema.enum !== undefined) return chance.pick(schema.enum)
    const options = schema.anyOf ?? schema.oneOf
    if (options !== undefined) return this.of(chance.pick(options), name, depth)
    if (schema.allOf !== undefined) {
      return Object.assign({}, ...schema.allOf.map((one) => this.of(one, name, depth)))
    }
    return this.#ofType(schema, name, depth)
  }

  #resolved(reference: string): Schema {
    return this.#schemas[reference.slice(reference.lastIndexOf('/') + 1)] ?? {}
  }

  #ofType(schema: Schema, name: string, depth: number): unknown {
    const chance = this.#chance
    const type = Array.isArray(schema.type) ? chance.pick(schema.type as string[]) : schema.type
    switch (type ?? '') {
      case 'object':
        return this.#object(schema, depth)
      case 'array':
        return this.#list(schema, name, depth)
      case 'string':
        return schema.format === 'date-time' ? '2026-11-22T10:00:00.000Z' : this.#text()
      case 'integer':
      case 'number':
        return this.#number(schema)
      case 'boolean':
        return chance.happens(0.5)
      case 'null':
        return null
      default:
        return chance.pick([1, 'a', null, true, ['a'], { a: 1 }])
    }
  }

  #object({ properties = {}, required = [], additionalProperties }: Schema, depth: number) {
    const made: Record<string, unknown> = {}
    for (const [name, schema] of Object.entries(properties)) {
      const isWanted = required.includes(name) || this.#chance.happens(depth === 0 ? 0.25 : 0.2)
      if (isWanted && depth < DEPTH_MAX) made[name] = this.of(schema, name, depth + 1)
    }
    if (additionalProperties !== undefined && additionalProperties !== false) {
      const schema = additionalProperties === true ? {} : additionalProperties
      for (let count = this.#chance.below(3); count > 0; count--) {
        made[this.#chance.pick(['a', 'b', 'status', 'total'])] = this.of(schema, '', depth + 1)
      }
    }
    return made
  }

  #list({ items = {} }: Schema, name: string, depth: number): unknown[] {
    const named = Object.hasOwn(LISTS_BY_NAME, name) ? LISTS_BY_NAME[name] : undefined
    const count = depth >= DEPTH_MAX ? 0 : 1 + this.#chance.below(2)
    return Array.from({ length: count }, () =>
      named === undefined ? this.of(items, '', depth + 1) : this.#chance.pick(named),
    )
  }

  #text(): string {
    return this.#chance.pick(['a', 'new', 'Warehouse', 'Склад', '42', 'x y', 'ключ-1'])
  }

  #number({ minimum = 0, maximum = 1_000 }: Schema): number {
    const from = Math.max(minimum, -1_000)
    return from + this.#chance.below(Math.min(maximum - from, 1_000) + 1)
  }
}

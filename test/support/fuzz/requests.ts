/** Requests to every route of the OpenAPI document, most of them with something wrong. */
import { ADMIN_KEY } from '../gateway.ts'
import { Chance } from './chance.ts'
import {
  flipped,
  mutateHeaders,
  mutatePath,
  mutateQuery,
  mutateText,
  mutateValue,
  textOf,
  tooLong,
} from './mutate.ts'
import { CATALOGS, RECORDS, type Schema, type Schemas, Shapes } from './shapes.ts'

type Operation = {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>
  }
}

export type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Schemas }
}

export type FuzzRequest = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | null
}

type Target = {
  readonly method: string
  readonly path: string
  readonly query: readonly string[]
  readonly body: Schema | null
}

/** `/v1/subscriptions/{id}/test` → `subscriptions`. What was approved is read as a decision, and committed. */
function collectionOf(path: string): string {
  const name = /^(?:\/api)?\/v1\/(\w[\w-]*)/.exec(path)?.[1] ?? ''
  return name === 'approve' || name === 'approvals' ? 'decisions' : name
}

const ODD_METHODS = ['PUT', 'HEAD', 'OPTIONS', 'GET', 'POST', 'DELETE', 'PATCH'] as const
/** These write so much at once that little else would be tried. */
const RARE = /^\/v1\/presets\//
const IDS_MAX = 300

export class Requests {
  readonly #targets: readonly Target[]
  readonly #schemas: Schemas
  readonly #seed: number
  /** By the collection that they were named in. */
  readonly #ids = new Map<string, string[]>()

  constructor({ paths, components }: Document, seed: number) {
    this.#seed = seed
    this.#schemas = components.schemas
    this.#targets = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { parameters = [], requestBody }]) => ({
        method: method.toUpperCase(),
        path,
        query: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
        body: requestBody?.content['application/json']?.schema ?? null,
      })),
    )
  }

  /** Whatever an answer names is asked for later. */
  heed({ path }: Pick<FuzzRequest, 'path'>, answer: unknown): void {
    const { id, items } = (answer ?? {}) as { id?: unknown; items?: unknown }
    const last: unknown = Array.isArray(items) ? (items.at(-1) as { id?: unknown })?.id : undefined
    const ids = this.#idsOf(collectionOf(path))
    for (const one of [id, last]) {
      // The account that all of this is sent from is not to be limited by it.
      if (typeof one !== 'string' || one === 'default') continue
      ids.push(one)
      if (ids.length > IDS_MAX) ids.shift()
    }
  }

  #idsOf(collection: string): string[] {
    const known = this.#ids.get(collection) ?? ['none']
    this.#ids.set(collection, known)
    return known
  }

  /** The request of a number: the same whenever the same answers came before. */
  at(index: number): FuzzRequest {
    const chance = new Chance(Math.imul(this.#seed, 1_000_003) + index)
    let target = chance.pick(this.#targets)
    while (RARE.test(target.path) && !chance.happens(0.05)) target = chance.pick(this.#targets)
    const method = chance.happens(0.04) ? chance.pick(ODD_METHODS) : target.method
    const headers: Record<string, string> = {
      authorization: `Bearer ${ADMIN_KEY}`,
      'content-type': 'application/json',
    }
    let path = target.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      this.#idFor(name, collectionOf(target.path), chance),
    )
    for (const name of target.query) {
      if (chance.happens(0.1)) path = mutateQuery(path, [name], chance)
    }
    if (chance.happens(0.1)) path = mutateQuery(path, target.query, chance)
    if (chance.happens(0.06)) path = mutatePath(path, chance)
    for (let count = chance.below(4) - 1; count > 0; count--) mutateHeaders(headers, chance)
    return { method, path, headers, body: this.#body(target, method, chance) }
  }

  #idFor(name: string, collection: string, chance: Chance): string {
    if (name === 'catalogId') return encodeURIComponent(chance.pick(CATALOGS))
    if (name === 'recordId' && chance.happens(0.7)) return encodeURIComponent(chance.pick(RECORDS))
    return encodeURIComponent(chance.pick(this.#idsOf(collection)))
  }

  #body({ body }: Target, method: string, chance: Chance): Uint8Array | null {
    if (method === 'GET' || method === 'HEAD') return null
    if (body === null) return chance.happens(0.8) ? null : Buffer.from('{"a":1}')
    let value = new Shapes(this.#schemas, chance).of(body)
    const mutations = chance.happens(0.5) ? 0 : 1 + chance.below(3)
    for (let count = 0; count < mutations; count++) value = mutateValue(value, chance)
    const text = textOf(value)
    if (chance.happens(0.001)) return tooLong()
    if (chance.happens(0.2)) return mutateText(text, chance)
    const bytes = Buffer.from(text)
    return chance.happens(0.02) ? flipped(bytes, chance) : bytes
  }
}

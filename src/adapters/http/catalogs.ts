import type { z } from 'zod'
import type { Catalogs } from '../../app/store.ts'
import { type Catalog, RECORD_VALUES_MAX } from '../../domain/catalog.ts'
import { pointerTo } from '../../domain/pointer.ts'
import { Problem } from '../../domain/problem.ts'
import { type ActingPorts, acting } from './acting.ts'
import { paged, pageOf } from './paging.ts'
import { created, noContent, ok, type Route, route } from './route.ts'
import { catalog, catalogPatch } from './schemas/catalog.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'

const ITEM = '/v1/catalogs/{catalogId}'

type Ports = ActingPorts & { readonly catalogs: Catalogs }

export function catalogRoutes(ports: Ports): Route[] {
  const { catalogs } = ports
  return [
    route({
      method: 'GET',
      path: '/v1/catalogs',
      scopes: ['read'],
      tag: 'Catalogs',
      summary: 'List catalogs, in order of id',
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(catalog) } },
      handle: async ({ caller, query }) =>
        ok(paged(await catalogs.list(caller.accountId, pageOf(query)), query)),
    }),
    route({
      method: 'POST',
      path: '/v1/catalogs',
      scopes: ['manage'],
      tag: 'Catalogs',
      summary: `Define a catalog (at most ${RECORD_VALUES_MAX} fields)`,
      body: catalog,
      responses: { 201: { description: 'Defined.', schema: catalog } },
      handle: async ({ caller, requestId, body }) => {
        checkRedaction(body)
        const own = acting(ports, caller, requestId).catalogs
        return created(await own.create(caller.accountId, body))
      },
    }),
    route({
      method: 'GET',
      path: ITEM,
      scopes: ['read'],
      tag: 'Catalogs',
      summary: 'Read a catalog',
      responses: { 200: { description: 'The catalog.', schema: catalog } },
      handle: async ({ caller, params: { catalogId = '' } }) =>
        ok(orNotFound(await catalogs.read(caller.accountId, catalogId))),
    }),
    route({
      method: 'PATCH',
      path: ITEM,
      scopes: ['manage'],
      tag: 'Catalogs',
      summary: 'Change a catalog; fields are replaced as a whole',
      body: catalogPatch,
      responses: { 200: { description: 'The catalog as it is now.', schema: catalog } },
      handle: async ({ caller, requestId, params: { catalogId = '' }, body }) => {
        const change = (current: Catalog) => patched(current, body)
        const own = acting(ports, caller, requestId).catalogs
        const updated = await own.update(caller.accountId, catalogId, change)
        return ok(orNotFound(updated))
      },
    }),
    route({
      method: 'DELETE',
      path: ITEM,
      scopes: ['manage'],
      tag: 'Catalogs',
      summary: 'Delete a catalog without records',
      responses: { 204: { description: 'Deleted.' } },
      handle: async ({ caller, requestId, params: { catalogId = '' } }) => {
        const own = acting(ports, caller, requestId).catalogs
        if (!(await own.remove(caller.accountId, catalogId))) throw new Problem('not_found')
        return noContent
      },
    }),
  ]
}

function patched(current: Catalog, patch: z.output<typeof catalogPatch>): Catalog {
  const { id, title, fields, redact } = current
  const rules = patch.redact === undefined ? redact : (patch.redact ?? undefined)
  const next = { id, title: patch.title ?? title, fields: patch.fields ?? fields, redact: rules }
  checkRedaction(next)
  return next
}

/** A misspelt field would be kept as it is. */
function checkRedaction({ fields, redact }: Catalog): void {
  if (fields.length === 0) return
  const known = new Set(fields.map(({ id }) => id))
  const complaints = Object.keys(redact ?? {})
    .filter((field) => !known.has(field))
    .map((field) => ({
      pointer: pointerTo('redact', field),
      message: `The catalog has no field "${field}".`,
    }))
  if (complaints.length > 0) throw new Problem('invalid_request', { complaints })
}

function orNotFound(found: Catalog | null): Catalog {
  if (found === null) throw new Problem('not_found')
  return found
}

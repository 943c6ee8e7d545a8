import type { Catalogs } from '../../app/store.ts'
import { type Catalog, RECORD_VALUES_MAX } from '../../domain/catalog.ts'
import { Problem } from '../../domain/problem.ts'
import { paged, pageOf } from './paging.ts'
import { created, noContent, ok, type Route, route } from './route.ts'
import { catalog, catalogPatch } from './schemas/catalog.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'

const ITEM = '/v1/catalogs/{catalogId}'

export function catalogRoutes({ catalogs }: { readonly catalogs: Catalogs }): Route[] {
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
      handle: async ({ caller, body }) => created(await catalogs.create(caller.accountId, body)),
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
      handle: async ({ caller, params: { catalogId = '' }, body }) => {
        const updated = await catalogs.update(caller.accountId, catalogId, (current) => ({
          id: current.id,
          title: body.title ?? current.title,
          fields: body.fields ?? current.fields,
        }))
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
      handle: async ({ caller, params: { catalogId = '' } }) => {
        if (!(await catalogs.remove(caller.accountId, catalogId))) throw new Problem('not_found')
        return noContent
      },
    }),
  ]
}

function orNotFound(found: Catalog | null): Catalog {
  if (found === null) throw new Problem('not_found')
  return found
}

import { z } from 'zod'
import { createKey, type KeyPorts } from '../../app/manage-keys.ts'
import { Problem } from '../../domain/problem.ts'
import { paged, pageOf } from './paging.ts'
import { created, noContent, ok, type Route, route } from './route.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'
import { keyRequest, keyView } from './schemas/log.ts'

type Ports = KeyPorts & { readonly forgetKeys: () => void }
const tag = 'Keys'

export function keyRoutes(ports: Ports): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/keys',
      scopes: ['admin'],
      tag,
      summary: 'List keys; the keys themselves are kept nowhere',
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(keyView) } },
      handle: async ({ caller, query }) =>
        ok(paged(await ports.keys.list(caller.accountId, pageOf(query)), query)),
    }),
    route({
      method: 'POST',
      path: '/v1/keys',
      scopes: ['admin'],
      tag,
      summary: 'Make a key; it is shown this once',
      body: keyRequest,
      responses: {
        201: { description: 'Made.', schema: keyView.extend({ key: z.string() }) },
      },
      handle: async ({ caller, body }) => {
        const { name, scopes, expiresAt } = body
        const accountId = body.accountId ?? caller.accountId
        // Managing other accounts comes with accounts; until a second one exists there is nothing there.
        if (accountId !== caller.accountId) throw new Problem('not_found')
        return created(await createKey({ name, scopes, accountId, expiresAt }, ports))
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/keys/{id}',
      scopes: ['admin'],
      tag,
      summary: 'Remove a key; it is refused from now on',
      responses: { 204: { description: 'Removed.' } },
      handle: async ({ caller, params: { id = '' } }) => {
        if (!(await ports.keys.remove(caller.accountId, id))) throw new Problem('not_found')
        ports.forgetKeys()
        return noContent
      },
    }),
  ]
}

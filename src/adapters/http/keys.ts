import { z } from 'zod'
import { OPERATOR_ACCOUNT } from '../../app/app-store.ts'
import { type AccountPorts, isManageable } from '../../app/manage-accounts.ts'
import { createKey, type KeyPorts } from '../../app/manage-keys.ts'
import type { Caller } from '../../app/store.ts'
import { Problem } from '../../domain/problem.ts'
import { type ActingPorts, acting } from './acting.ts'
import { paged, pageOf } from './paging.ts'
import { created, noContent, ok, type Route, route } from './route.ts'
import { pageOf as pageSchema } from './schemas/common.ts'
import { keyPageQuery, keyQuery, keyRequest, keyView } from './schemas/log.ts'

type Ports = KeyPorts &
  Pick<AccountPorts, 'accounts'> &
  ActingPorts & { readonly forgetKeys: () => void }
const tag = 'Keys'

export function keyRoutes(ports: Ports): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/keys',
      scopes: ['admin'],
      tag,
      summary: 'List keys; the keys themselves are kept nowhere',
      query: keyPageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(keyView) } },
      handle: async ({ caller, query }) => {
        const accountId = await accountOf(caller, query.accountId, ports)
        return ok(paged(await ports.keys.list(accountId, pageOf(query)), query))
      },
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
      handle: async ({ caller, requestId, body }) => {
        const { name, scopes, expiresAt, maxPerSecond } = body
        const accountId = await accountOf(caller, body.accountId, ports)
        const draft = { name, scopes, accountId, expiresAt, maxPerSecond }
        return created(await createKey(draft, acting(ports, caller, requestId)))
      },
    }),
    route({
      method: 'DELETE',
      path: '/v1/keys/{id}',
      scopes: ['admin'],
      tag,
      summary: 'Remove a key; it is refused from now on',
      responses: { 204: { description: 'Removed.' } },
      query: keyQuery,
      handle: async ({ caller, requestId, params: { id = '' }, query }) => {
        const isAnywhere = query.accountId === undefined && caller.accountId === OPERATOR_ACCOUNT
        const accountId = isAnywhere ? null : await accountOf(caller, query.accountId, ports)
        const { keys } = acting(ports, caller, requestId)
        if (!(await keys.remove(accountId, id))) throw new Problem('not_found')
        ports.forgetKeys()
        return noContent
      },
    }),
  ]
}

/** The caller's own account, or another one that is the caller's business. */
export async function accountOf(
  caller: Caller,
  wanted: string | undefined,
  ports: Pick<AccountPorts, 'accounts'>,
): Promise<string> {
  const accountId = wanted ?? caller.accountId
  if (await isManageable(caller.accountId, accountId, ports)) return accountId
  throw new Problem('not_found', { detail: 'There is no such account.' })
}

import {
  type AccountPorts,
  createAccount,
  listAccounts,
  readAccount,
  updateAccount,
} from '../../app/manage-accounts.ts'
import { type ActingPorts, acting } from './acting.ts'
import { paged, pageOf } from './paging.ts'
import { created, ok, type Route, route } from './route.ts'
import { accountDraft, accountPatch, accountView } from './schemas/account.ts'
import { pageQuery, pageOf as pageSchema } from './schemas/common.ts'

const COLLECTION = '/v1/accounts'
const ITEM = `${COLLECTION}/{id}`
const tag = 'Accounts'

export function accountRoutes(ports: AccountPorts & ActingPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: COLLECTION,
      scopes: ['admin'],
      tag,
      summary: 'List accounts: all for the admins of `default`, their own for others',
      query: pageQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(accountView) } },
      handle: async ({ caller, query }) =>
        ok(paged(await listAccounts(caller.accountId, pageOf(query), ports), query)),
    }),
    route({
      method: 'POST',
      path: COLLECTION,
      scopes: ['admin'],
      tag,
      summary: 'Open an account (admins of `default` only); then make a key for it',
      body: accountDraft,
      responses: { 201: { description: 'Opened.', schema: accountView } },
      handle: async ({ caller, requestId, body: { id, title, accountNumber, maxPerSecond } }) => {
        const draft = { id, title, accountNumber, maxPerSecond }
        const own = acting(ports, caller, requestId)
        return created(await createAccount(caller.accountId, draft, own))
      },
    }),
    route({
      method: 'GET',
      path: ITEM,
      scopes: ['admin'],
      tag,
      summary: 'Read an account',
      responses: { 200: { description: 'The account.', schema: accountView } },
      handle: async ({ caller, params: { id = '' } }) =>
        ok(await readAccount(caller.accountId, id, ports)),
    }),
    route({
      method: 'PATCH',
      path: ITEM,
      scopes: ['admin'],
      tag,
      summary: 'Rename an account, change its number, or limit how often it calls',
      body: accountPatch,
      responses: { 200: { description: 'As it is now.', schema: accountView } },
      handle: async ({ caller, requestId, params: { id = '' }, body }) =>
        ok(await updateAccount(caller.accountId, id, body, acting(ports, caller, requestId))),
    }),
  ]
}

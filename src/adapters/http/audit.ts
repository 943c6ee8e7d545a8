import { type AuditPorts, listAudit, verifyAudit } from '../../app/audit.ts'
import type { AccountPorts } from '../../app/manage-accounts.ts'
import { Problem } from '../../domain/problem.ts'
import { accountOf } from './keys.ts'
import { pagedBy, pageOf } from './paging.ts'
import { ok, type Route, route } from './route.ts'
import { auditQuery, auditView, verifyQuery, verifyView } from './schemas/audit.ts'
import { pageOf as pageSchema } from './schemas/common.ts'

type Ports = AuditPorts & Pick<AccountPorts, 'accounts'>
const tag = 'Audit'

export function auditRoutes(ports: Ports): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/audit',
      scopes: ['admin'],
      tag,
      summary: 'List who changed which setting, newest first; secrets read `***`',
      query: auditQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(auditView) } },
      handle: async ({ caller, query }) => {
        const { since, until, actor, action, target } = query
        const filter = { since, until, actor, action, target }
        const page = pageOf(query)
        refuseNoNumber(page.after)
        const accountId = await accountOf(caller, query.accountId, ports)
        const rows = await listAudit(accountId, filter, page, ports)
        return ok(pagedBy(rows, query, ({ seq }) => String(seq)))
      },
    }),
    route({
      method: 'GET',
      path: '/v1/audit/verify',
      scopes: ['admin'],
      tag,
      summary: 'Check the whole audit of an account; names the first row that was tampered with',
      query: verifyQuery,
      responses: { 200: { description: 'What was found.', schema: verifyView } },
      handle: async ({ caller, query }) =>
        ok(await verifyAudit(await accountOf(caller, query.accountId, ports), ports)),
    }),
  ]
}

/** Anybody can write a cursor of another list. */
function refuseNoNumber(after: string | null): void {
  if (after === null || /^\d{1,15}$/.test(after)) return
  const complaints = [{ pointer: '/cursor', message: 'This is no cursor of this list.' }]
  throw new Problem('invalid_query', { complaints })
}

import type { Configurations } from '../../app/configuration.ts'
import type { Decisions, DecisionView } from '../../app/decision-store.ts'
import { unconsidered } from '../../domain/matching.ts'
import { Problem } from '../../domain/problem.ts'
import { paged, pageOf } from './paging.ts'
import { ok, type Route, route } from './route.ts'
import { pageOf as pageSchema } from './schemas/common.ts'
import { decisionDetail, decisionQuery, decisionView } from './schemas/log.ts'

type DecisionPorts = { readonly decisions: Decisions; readonly configurations: Configurations }

export function decisionRoutes(ports: DecisionPorts): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/decisions',
      scopes: ['read'],
      tag: 'Decisions',
      summary: 'List decisions, newest first',
      query: decisionQuery,
      responses: { 200: { description: 'A page.', schema: pageSchema(decisionView) } },
      handle: async ({ caller, query }) =>
        ok(paged(await ports.decisions.list(caller.accountId, query, pageOf(query)), query)),
    }),
    route({
      method: 'GET',
      path: '/v1/decisions/{id}',
      scopes: ['read'],
      tag: 'Decisions',
      summary:
        'Explain a decision: who was considered, who matched and why not, who said what when, who was told',
      responses: { 200: { description: 'The decision.', schema: decisionDetail } },
      handle: async ({ caller: { accountId }, params: { id = '' } }) => {
        const found = await ports.decisions.read(accountId, id)
        if (found === null) throw new Problem('not_found')
        const notifications = await ports.decisions.told(accountId, id)
        return ok({ ...(await explained(found, accountId, ports)), notifications })
      },
    }),
  ]
}

/**
 * Stored with a decision is who listed its event and catalog. The others of the account are added for
 * the reader, as long as the configuration is the one of then.
 */
async function explained(
  found: DecisionView,
  accountId: string,
  { configurations }: DecisionPorts,
): Promise<DecisionView> {
  const { index, generation } = await configurations.of(accountId)
  if (generation !== found.generation) return found
  const others = unconsidered(index, found.event, found.catalogId)
  return { ...found, considered: [...found.considered, ...others] }
}

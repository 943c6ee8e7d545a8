/** What only the dialects and the egress guard know about an endpoint that somebody wants to save. */
import type { Vault } from '../../app/ports.ts'
import type { EndpointRules } from '../../app/secret-settings.ts'
import { DIALECTS } from '../../dialects/index.ts'
import { requestFaults } from '../../dialects/request.ts'
import { conditionComplaints, type PatternCompiler } from '../../domain/condition.ts'
import { checkUrl, type EgressPolicy } from './egress-policy.ts'

export function createRules(
  policy: EgressPolicy,
  vault: Vault,
  compilePattern: PatternCompiler,
): EndpointRules {
  return {
    newSecret: (dialect) => DIALECTS[dialect].newSecret(vault.randomBytes(32)),
    complaints: (endpoint) => {
      const complaints = [...requestFaults(endpoint)]
      const urlFault = checkUrl(endpoint.url, policy)
      if (urlFault !== null && !complaints.some(({ pointer }) => pointer === '/url')) {
        complaints.push({ pointer: '/url', message: urlFault })
      }
      complaints.push(...conditionComplaints(endpoint.conditions, compilePattern))
      const secretFault = DIALECTS[endpoint.dialect].secretFault(endpoint.secret)
      if (secretFault !== null) complaints.push({ pointer: '/secret', message: secretFault })
      return complaints
    },
  }
}

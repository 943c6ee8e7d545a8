/** What only the dialects and the egress guard know about an endpoint that somebody wants to save. */
import type { Clock, Vault } from '../../app/ports.ts'
import type { EndpointRules } from '../../app/secret-settings.ts'
import { DIALECTS } from '../../dialects/index.ts'
import { requestFaults } from '../../dialects/request.ts'
import { conditionComplaints, type PatternCompiler } from '../../domain/condition.ts'
import { checkUrl, type EgressPolicy } from './egress-policy.ts'
import { tlsFaults } from './tls-faults.ts'

export type RuleOptions = {
  readonly policy: EgressPolicy
  readonly vault: Vault
  readonly clock: Clock
  readonly compilePattern: PatternCompiler
}

/** Sent in plain text, whoever shows a certificate would not notice that it is not asked for. */
const NO_TLS = { pointer: '/tls', message: 'These settings are for https; the URL has none.' }

export function createRules({ policy, vault, clock, compilePattern }: RuleOptions): EndpointRules {
  return {
    newSecret: (dialect) => DIALECTS[dialect].newSecret(vault.randomBytes(32)),
    complaints: (endpoint, stored) => {
      const complaints = [...requestFaults(endpoint)]
      const urlFault = checkUrl(endpoint.url, policy)
      if (urlFault !== null && !complaints.some(({ pointer }) => pointer === '/url')) {
        complaints.push({ pointer: '/url', message: urlFault })
      }
      if (endpoint.tls !== undefined) {
        if (!/^https:/i.test(endpoint.url)) complaints.push(NO_TLS)
        if (endpoint.tls !== stored?.tls) {
          complaints.push(...tlsFaults(endpoint.tls, clock.wallMs()))
        }
      }
      complaints.push(...conditionComplaints(endpoint.conditions, compilePattern))
      const secretFault = DIALECTS[endpoint.dialect].secretFault(endpoint.secret)
      if (secretFault !== null) complaints.push({ pointer: '/secret', message: secretFault })
      return complaints
    },
  }
}

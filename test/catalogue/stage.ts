/**
 * A real gateway with a validator of each kind behind it, and what it made of each. A behaviour has two
 * subscriptions, one for each failure policy, and is asked alone and beside a healthy validator.
 */
import { ownText } from '../../src/domain/texts.ts'
import { type Answer, startTestGateway, type TestGateway } from '../support/gateway.ts'
import type { Listening } from '../support/hostile-server.ts'
import { startValidator, type ValidatorServer } from '../support/validator-server.ts'
import type { Expected, ValidatorBehaviour } from './behaviour.ts'

export const POLICIES = ['deny', 'allow'] as const
export const COMPANIES = ['alone', 'beside a healthy one'] as const
export type Policy = (typeof POLICIES)[number]
type Company = (typeof COMPANIES)[number]

/** So high that no breaker opens, whatever the behaviours do. */
const BREAKER = { minimumCalls: 100_000, consecutiveFailures: 100_000 }
const NAME = 'The validator'

export type Stage = {
  readonly gateway: TestGateway
  /** Allows whatever has `context.accompanied`. */
  readonly healthy: { readonly server: ValidatorServer; readonly subscriptionId: string }
  /** Which subscription a behaviour has under a policy. */
  readonly subscriptionOf: (one: ValidatorBehaviour, policy: Policy) => Cast
  readonly serverOf: (one: ValidatorBehaviour) => Listening
  readonly close: () => Promise<void>
}

type Cast = { readonly id: string; readonly catalogId: string }

export async function startStage(behaviours: readonly ValidatorBehaviour[]): Promise<Stage> {
  const gateway = await startTestGateway()
  const server = await startValidator()
  const { id } = await gateway.api.subscribe({
    name: 'The healthy one',
    url: server.url,
    conditions: [{ field: 'accompanied', source: 'context', op: 'eq', value: true }],
    breaker: BREAKER,
  })
  const around = { gatewayUrl: gateway.url }
  const servers = await Promise.all(behaviours.map((one) => one.start(around)))
  const cast = new Map<ValidatorBehaviour, Record<Policy, Cast>>()
  for (const [index, one] of behaviours.entries()) {
    const url = servers[index]?.url ?? ''
    const subscribe = (policy: Policy) => castOf(gateway, one, { url, policy, index })
    cast.set(one, { deny: await subscribe('deny'), allow: await subscribe('allow') })
  }
  const present = <T>(found: T | undefined, { name }: ValidatorBehaviour): T => {
    if (found === undefined) throw new Error(`"${name}" is not on stage`)
    return found
  }
  return {
    gateway,
    healthy: { server, subscriptionId: id },
    subscriptionOf: (one, policy) => present(cast.get(one), one)[policy],
    serverOf: (one) => present(servers[behaviours.indexOf(one)], one),
    close: async () => {
      await gateway.close()
      await Promise.all([server, ...servers].map((each) => each.close()))
    },
  }
}

type Part = { readonly url: string; readonly policy: Policy; readonly index: number }

async function castOf(
  { api }: TestGateway,
  { dialect, timeoutMs }: ValidatorBehaviour,
  { url, policy, index }: Part,
): Promise<Cast> {
  const catalogId = `${policy}-${index}`
  const { id } = await api.subscribe({
    name: NAME,
    catalogId,
    url,
    dialect,
    timeoutMs,
    onFailure: policy,
    breaker: BREAKER,
  })
  return { id, catalogId }
}

export type Run = {
  readonly behaviour: ValidatorBehaviour
  readonly policy: Policy
  readonly company: Company
}

/** What came of one run, as far as it is the same each time. */
type Result = ReturnType<typeof deserved>

type Seen = { readonly result: Result; readonly response: any; readonly tookMs: number }

let records = 0

export async function perform(stage: Stage, run: Run): Promise<Seen> {
  const { api } = stage.gateway
  const { id, catalogId } = stage.subscriptionOf(run.behaviour, run.policy)
  const recordId = `record-${++records}`
  const startedAt = performance.now()
  const answer = await api.approve({
    catalogId,
    recordId,
    values: { title: 'A thing' },
    context: { accompanied: run.company !== 'alone' },
    // Everybody is waited for, so that only what the behaviour does decides who is heard.
    denyGraceMs: 10_000,
  })
  const tookMs = performance.now() - startedAt
  const { status } = await api.get(`/v1/catalogs/${catalogId}/records/${recordId}`)
  const result = resultOf(stage, run, { answer, subscriptionId: id, readStatus: status })
  return { result, response: answer.json, tookMs }
}

type Outcome = {
  readonly answer: Answer
  readonly subscriptionId: string
  /** Of reading the record afterwards. */
  readonly readStatus: number
}

function resultOf(stage: Stage, run: Run, { answer, subscriptionId, readStatus }: Outcome): Result {
  const { json, status } = answer
  if (status !== 200) throw new Error(`${status} ${answer.text}`)
  const verdictOf = (id: string) => json.verdicts.find((one: any) => one.subscriptionId === id)
  const verdict = verdictOf(subscriptionId)
  const other = verdictOf(stage.healthy.subscriptionId)
  const asked = stage.healthy.server.received.filter(
    ({ headers }) => headers['x-assent-decision'] === json.id,
  )
  const texts = (findings: any[]) => findings.map(({ message }) => message.text)
  return {
    decision: json.decision,
    committed: json.committed,
    degraded: json.degraded === true,
    readStatus,
    outcome: verdict.outcome,
    cause: verdict.cause,
    status: verdict.status,
    applied: verdict.applied,
    message: json.message?.text,
    errors: json.errors.map(shownOf),
    warnings: texts(json.warnings),
    infos: texts(json.infos),
    confirmations: json.confirmations?.length ?? 0,
    verdicts: json.verdicts.length,
    healthy:
      run.company === 'alone'
        ? undefined
        : { outcome: other.outcome, applied: other.applied, timesAsked: asked.length },
  }
}

const shownOf = ({ name, cause, field, message }: any): Shown => ({
  name,
  cause,
  field: field ?? '',
  title: message.title ?? '',
  text: message.text,
})

type Shown = Readonly<Record<'name' | 'cause' | 'field' | 'title' | 'text', string>>

/** What ought to come of a run, by what the catalogue expects and the policy alone. */
export function deserved({ behaviour: { expected, status }, policy, company }: Run) {
  const effect = effectOf(expected, policy)
  const errors = errorsOf(expected, effect)
  const isAlone = company === 'alone'
  return {
    decision: effect,
    committed: effect === 'allow',
    degraded: expected.outcome === 'failed' && effect === 'allow',
    readStatus: effect === 'allow' ? 200 : 404,
    outcome: expected.outcome === 'confirm' ? 'allow' : expected.outcome,
    cause: expected.outcome === 'failed' ? expected.cause : undefined,
    status,
    applied: effect === 'confirm' ? 'none' : effect,
    message: errors[0]?.text,
    errors,
    warnings: warningsOf(expected, effect),
    infos: expected.outcome === 'allow' ? (expected.infos ?? []) : [],
    confirmations: expected.outcome === 'confirm' ? expected.texts.length : 0,
    verdicts: isAlone ? 1 : 2,
    healthy: isAlone ? undefined : { outcome: 'allow', applied: 'allow', timesAsked: 1 },
  }
}

function effectOf(expected: Expected, policy: Policy): 'allow' | 'deny' | 'confirm' {
  return expected.outcome === 'failed' ? policy : expected.outcome
}

function warningsOf(expected: Expected, effect: string): readonly string[] {
  switch (expected.outcome) {
    case 'confirm':
      return expected.texts
    case 'allow':
      return expected.warnings ?? []
    case 'deny':
      return []
    case 'failed':
      // What its dialect shows although it failed is shown although the change goes through.
      return effect === 'allow' && expected.text !== undefined ? [expected.text] : []
  }
}

function errorsOf(expected: Expected, effect: string): readonly Shown[] {
  if (effect !== 'deny') return []
  if (expected.outcome === 'failed') {
    const { cause, text } = expected
    return [{ name: NAME, cause, field: '', title: '', text: text ?? own(cause) }]
  }
  if (expected.outcome !== 'deny') return []
  const texts = expected.texts.length === 0 ? [own('denied')] : expected.texts
  return texts.map((text, index) => ({
    name: NAME,
    cause: 'denied',
    field: expected.fields?.[index] ?? '',
    title: expected.titles?.[index] ?? '',
    text,
  }))
}

const own = (key: Parameters<typeof ownText>[0]): string => ownText(key, NAME, []).text

/**
 * The composition root: adapters are made here, handed to the use cases, and closed in reverse. What is
 * started here is what the tests start.
 */

import { readConsole } from './adapters/console/files.ts'
import { accountRoutes } from './adapters/http/accounts.ts'
import { actionRoutes } from './adapters/http/actions.ts'
import { activityRoutes } from './adapters/http/activity.ts'
import { createApp } from './adapters/http/app.ts'
import { approvalRoutes } from './adapters/http/approvals.ts'
import { appRoutes } from './adapters/http/apps.ts'
import { auditRoutes } from './adapters/http/audit.ts'
import { type Authenticator, createAuthenticator } from './adapters/http/authenticate.ts'
import { bpiumRoutes } from './adapters/http/bpium.ts'
import { catalogRoutes } from './adapters/http/catalogs.ts'
import { type ConsolePorts, consoleRoutes } from './adapters/http/console.ts'
import { decisionRoutes } from './adapters/http/decisions.ts'
import { deliveryRoutes } from './adapters/http/deliveries.ts'
import { eventTypeRoutes } from './adapters/http/event-types.ts'
import { eventRoutes } from './adapters/http/events.ts'
import { IssuerKeys } from './adapters/http/jwks.ts'
import { createTokenVerifier } from './adapters/http/jwt.ts'
import { keyRoutes } from './adapters/http/keys.ts'
import { type OperationPorts, operationRoutes, type Readiness } from './adapters/http/operations.ts'
import { presetRoutes } from './adapters/http/presets.ts'
import { recordRoutes } from './adapters/http/records.ts'
import type { Route } from './adapters/http/route.ts'
import { type Listening, listen } from './adapters/http/server.ts'
import { createSessions, type Sessions } from './adapters/http/session.ts'
import { subscriptionRoutes } from './adapters/http/subscriptions.ts'
import { type EgressPolicy, parseAllowList } from './adapters/outbound/egress-policy.ts'
import { createRules } from './adapters/outbound/endpoint-rules.ts'
import { createOutbound, type Outbound } from './adapters/outbound/outbound.ts'
import { OwnAddress } from './adapters/outbound/own-address.ts'
import { openStore, type Store } from './adapters/postgres/store.ts'
import { isApiKey, makeApiKey } from './adapters/system/api-keys.ts'
import { createApprovalSigner } from './adapters/system/approval-tokens.ts'
import { createCheckpointSigner } from './adapters/system/checkpoint-signer.ts'
import { systemClock } from './adapters/system/clock.ts'
import type { DataFolder } from './adapters/system/data-folder.ts'
import { systemIds } from './adapters/system/ids.ts'
import {
  createChainTokens,
  createSealer,
  createVault,
  type MasterKeys,
} from './adapters/system/master-key.ts'
import { compilePattern } from './adapters/system/patterns.ts'
import { createLog } from './adapters/telemetry/log.ts'
import {
  type Gauges,
  METRICS_CONTENT_TYPE,
  Metrics,
  type MetricValues,
} from './adapters/telemetry/metrics.ts'
import { numberWithin, within } from './app/bounded-wait.ts'
import { createCallLimiter } from './app/call-limiter.ts'
import { createConfigurations } from './app/configuration.ts'
import type { Loop } from './app/deliver/loop.ts'
import { Relay } from './app/deliver/relay.ts'
import { retire } from './app/deliver/watch-failing.ts'
import { createArriving, createInFlight, type InFlight } from './app/in-flight.ts'
import { auditKeeper } from './app/keep-audit.ts'
import { createKey } from './app/manage-keys.ts'
import { createKeyRegistry } from './app/once-only.ts'
import type { Clock, Journal, Vault } from './app/ports.ts'
import { rememberPatterns } from './app/remember-patterns.ts'
import { ACTIONS_IN_FLIGHT_MAX } from './app/run-action.ts'
import { TRIALS_IN_FLIGHT_MAX } from './app/try-subscription.ts'
import type { Config } from './config.ts'
import { refuseUnknownKeys, takePlace } from './place.ts'
import { version } from './version.ts'

/** In-flight approvals and deliveries have this long to finish when the gateway is stopped. */
const DRAIN_MS = 10_000
/** After that, connections that still send something are cut, and nothing is waited for longer. */
const CLOSE_MS = 2_000
/** A gauge that asks the database must not keep the other metrics waiting when they are wanted most. */
const GAUGE_MS = 500

export type Gateway = {
  readonly url: string
  /** Made on a first start without ASSENT_ADMIN_KEY; told once. */
  readonly generatedAdminKey: string | null
  readonly metrics: () => Promise<MetricValues>
  /** Stores the decisions that were answered. */
  readonly flush: () => Promise<void>
  /** Refuses nothing that was begun: answers, stores, delivers, then lets go of everything. */
  readonly close: () => Promise<void>
}

export type GatewayOptions = {
  readonly clock?: Clock | undefined
  /** The other workers, where this is one of several. */
  readonly siblings?: Siblings | undefined
}

export type Siblings = {
  /** Null when they cannot be had. */
  readonly metricsOfAll: () => Promise<string | null>
  readonly flushAll: () => Promise<void>
}

export async function startGateway(
  config: Config,
  { clock = systemClock, siblings }: GatewayOptions = {},
): Promise<Gateway> {
  const undo: (() => Promise<void>)[] = []
  try {
    return await assemble({ config, clock, siblings }, undo)
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {})
    throw error
  }
}

async function assemble(
  { config, clock, siblings }: Required<GatewayOptions> & { config: Config; clock: Clock },
  undo: (() => Promise<void>)[],
): Promise<Gateway> {
  const { folder, location, keys } = await takePlace(config)
  if (folder !== null) undo.push(() => folder.release())
  const vault = createVault(keys)
  const telemetry = createTelemetry(config, clock, {
    inFlight: () => parts.inFlight.count,
    actionsInFlight: () => parts.actionsInFlight.count,
    waiting: () => listening.waiting(),
    commitQueue: () => store.approvals.queued,
    backlogAgeMs: () => numberWithin(GAUGE_MS, store.outbox.backlogAgeMs(), clock),
  })
  const { journal } = telemetry
  const store = await openStore({
    location,
    payloadsKeptDays: config.payloadsKeptDays,
    sealer: createSealer(keys),
    clock,
    ids: systemIds,
    journal,
    flushSiblings: () => siblings?.flushAll() ?? Promise.resolve(),
  })
  undo.push(() => store.close())
  await refuseUnknownKeys(store, keys)
  if (folder !== null) journal.record(NOT_POWER_LOSS_PROOF)
  const own = new OwnAddress()
  const counting: Journal = {
    record: (event) => {
      journal.record(event)
      store.activity.record(event)
    },
  }
  const parts = wire({ config, clock, keys, vault, journal: counting, store, own })
  undo.push(async () => parts.outbound.close())
  const { metrics } = telemetry
  const metricsText = async () => (await siblings?.metricsOfAll()) ?? metrics.text()
  const app = createApp(parts.routes(metricsText), {
    authenticator: parts.authenticator,
    sessions: parts.sessions,
    ids: systemIds,
    journal,
    arriving: createArriving(),
    isStopping: () => parts.state.isStopping,
  })
  const { port, host } = config
  const door = { clock, ids: systemIds, journal, nextTurn: setImmediate }
  const listening = await listen(app, { port, host, door, processClock: systemClock })
  own.port = listening.address.port
  parts.relay.start()
  parts.auditKeeper.start()
  const adminKey = config.adminKey === null ? await firstKey(store, vault, clock) : null
  const stop = stopper({ listening, parts, store, clock, folder, flushLog: telemetry.flush })
  return {
    url: urlOf(listening, config),
    generatedAdminKey: adminKey,
    metrics: () => metrics.values(),
    flush: () => store.approvals.flush(),
    close: once(stop),
  }
}

const NOT_POWER_LOSS_PROOF = {
  kind: 'process',
  level: 'warn',
  message:
    'The embedded database survives kill -9, but it is not proof against power loss. Set DATABASE_URL for records that matter.',
} as const

/** The first key of an installation; null when there is one already. */
async function firstKey(store: Store, vault: Vault, clock: Clock): Promise<string | null> {
  if (!(await store.keys.isEmpty())) return null
  const ports = { keys: store.keys, ids: systemIds, vault, clock, makeKey: makeApiKey }
  const unlimited = { expiresAt: undefined, maxPerSecond: undefined }
  const draft = { name: 'First admin key', scopes: ['admin'] as const, ...unlimited }
  return (await createKey({ ...draft, accountId: 'default' }, ports)).key
}

function urlOf({ address }: Listening, { host }: Config): string {
  const isEverywhere = host === '0.0.0.0' || host === '::'
  const name = isEverywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${address.port}`
}

/** The gauges are read when somebody asks for them, which nobody can before everything is there. */
function createTelemetry(config: Config, clock: Clock, gauges: Gauges) {
  const log = createLog(config.logLevel, clock)
  const metrics = new Metrics(gauges)
  const journal: Journal = {
    record: (event) => {
      metrics.record(event)
      log.record(event)
    },
  }
  return { journal, metrics, flush: log.flush }
}

type Parts = {
  readonly outbound: Outbound
  readonly relay: Relay
  readonly auditKeeper: Loop
  readonly inFlight: InFlight
  readonly actionsInFlight: InFlight
  readonly store: Store
  readonly authenticator: Authenticator
  readonly sessions: Sessions
  readonly state: { isStopping: boolean }
  readonly routes: (metricsText: () => Promise<string>) => Route[]
}

type WireOptions = {
  readonly config: Config
  readonly clock: Clock
  readonly keys: MasterKeys
  readonly vault: Vault
  readonly journal: Journal
  readonly store: Store
  readonly own: OwnAddress
}

function wire(options: WireOptions): Parts {
  const { config, clock, keys, vault, journal, store } = options
  const { policy } = parseAllowList(config.egressAllow, config.egressHttp)
  const configurations = createConfigurations(store.configuration, compilePattern)
  const outbound = outboundOf(options, policy)
  const inFlight = createInFlight()
  const actionsInFlight = createInFlight(ACTIONS_IN_FLIGHT_MAX)
  const chainTokens = createChainTokens(vault, clock)
  const signer = createCheckpointSigner(keys)
  const approvalSigner = createApprovalSigner(keys)
  const world = { clock, ids: systemIds, vault, journal, chainTokens, signer, approvalSigner }
  const shared = { ...store, ...world, configurations, inFlight }
  const { notifier } = outbound
  const relay = new Relay({ ...shared, notifier, patience: config.deliveries })
  store.onConfigurationChanged((accountId) => {
    configurations.invalidate(accountId)
    relay.tend()
  })
  const onTrouble = (error: unknown) => journal.record({ kind: 'store.trouble', error })
  const retirePorts = { ...shared, onRaised: () => relay.wake() }
  const authenticator = authenticatorOf(options)
  const sessions = createSessions({ vault, clock })
  const state = { isStopping: false }
  const useCases = {
    ...shared,
    ...outbound,
    actionsInFlight,
    trialsInFlight: createInFlight(TRIALS_IN_FLIGHT_MAX),
    keyRegistry: createKeyRegistry(store.keptAnswers),
    rules: createRules({ policy, vault, clock, compilePattern }),
    makeKey: makeApiKey,
    compilePattern,
    onCommitted: () => relay.wake(),
    onGone: (subscriptionId: string, accountId: string) =>
      void retire({ accountId, subscriptionId, reason: 'gone' }, retirePorts).catch(onTrouble),
    onDeliveriesWanted: () => relay.tend(),
    forgetKeys: () => authenticator.forget(),
    onEnabled: (subscriptionId: string) => outbound.resetBreaker(subscriptionId),
    onRemoved: (subscriptionId: string) => {
      outbound.forget(subscriptionId)
      journal.record({ kind: 'subscription.forgotten', subscriptionId })
    },
  }
  const api = [
    ...approvalRoutes(useCases),
    ...recordRoutes(useCases),
    ...catalogRoutes(useCases),
    ...subscriptionRoutes(useCases),
    ...actionRoutes({ ...useCases, compilePattern: rememberPatterns(compilePattern) }),
    ...eventTypeRoutes(useCases),
    ...eventRoutes(useCases),
    ...decisionRoutes(useCases),
    ...activityRoutes(useCases),
    ...deliveryRoutes(useCases),
    ...accountRoutes(useCases),
    ...keyRoutes(useCases),
    ...appRoutes(useCases),
    ...bpiumRoutes(useCases),
    ...presetRoutes(useCases),
    ...auditRoutes(useCases),
  ]
  const routes = (metricsText: () => Promise<string>) => {
    const ports = operations(metricsText, { store, relay, state, ...approvalSigner })
    return withPages(api, { ...ports, authenticator, sessions, consoleFile: readConsole() })
  }
  const working = { outbound, relay, auditKeeper: auditKeeper(shared), inFlight, actionsInFlight }
  return { ...working, store, authenticator, sessions, state, routes }
}

/** The API, and what is served beside it. */
function withPages(api: readonly Route[], ports: OperationPorts & ConsolePorts): Route[] {
  const documented = [...api, ...consoleRoutes(ports)]
  return [...documented, ...operationRoutes(documented, ports)]
}

function outboundOf(
  { config, clock, journal, store, own }: WireOptions,
  policy: EgressPolicy,
): Outbound {
  return createOutbound({
    clock,
    journal,
    sequences: store.sequences,
    policy,
    isOwnAddress: (address, port) => own.is(address, port),
    proxy: config.egressProxy,
  })
}

function authenticatorOf({ config, clock, vault, journal, store }: WireOptions): Authenticator {
  const { jwt, adminKey } = config
  const { keys, accounts } = store
  const limiter = createCallLimiter({ clock, journal })
  const adminKeyHash = adminKey === null ? null : vault.sha256(adminKey)
  const tokens = jwt && createTokenVerifier(jwt, new IssuerKeys(jwt.jwksUrl, clock), clock)
  const world = { vault, clock, limiter, isApiKey }
  return createAuthenticator({ ...world, keys, accounts, adminKeyHash, tokens })
}

function operations(
  metricsText: () => Promise<string>,
  { store, relay, state, publicKeys }: Pick<Parts, 'store' | 'relay' | 'state'> & PublicKeys,
) {
  return {
    version,
    publicKeys,
    metrics: async () => ({ text: await metricsText(), contentType: METRICS_CONTENT_TYPE }),
    readiness: async (): Promise<Readiness> => {
      const database = await store.trouble()
      return {
        process: state.isStopping ? 'stopping' : null,
        database,
        // Migrations run before the port opens.
        migrations: null,
        dispatcher: relay.trouble,
      }
    },
  }
}

type PublicKeys = Pick<ReturnType<typeof createApprovalSigner>, 'publicKeys'>

type StopOptions = {
  readonly listening: Listening
  readonly parts: Parts
  readonly store: Store
  readonly clock: Clock
  readonly folder: DataFolder | null
  readonly flushLog: () => Promise<void>
}

function stopper({ listening, parts, store, clock, folder, flushLog }: StopOptions) {
  return async (): Promise<void> => {
    parts.state.isStopping = true
    parts.inFlight.shut()
    parts.actionsInFlight.shut()
    const relayStopped = Promise.all([parts.relay.stop(), parts.auditKeeper.stop()])
    // The port stays open until the last approval is answered, so that /readyz can say 503 meanwhile.
    const drained = [parts.inFlight.drained(), parts.actionsInFlight.drained()]
    await within(DRAIN_MS, Promise.all(drained), clock)
    await listening.close(CLOSE_MS, clock.schedule)
    await within(DRAIN_MS, relayStopped, clock)
    parts.outbound.close()
    // A database that has gone silent must not keep the process: what it would have stored is lost either way.
    await within(CLOSE_MS, relayStopped, clock)
    await within(CLOSE_MS, store.close(), clock)
    await folder?.release()
    await within(CLOSE_MS, flushLog(), clock)
  }
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => {
    running ??= run()
    return running
  }
}

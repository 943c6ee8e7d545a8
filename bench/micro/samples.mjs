/** The change and the subscriptions that the micro-benchmarks work on: those of the load's record. */
import { recordText } from '../lib/record.mjs'

/** The change's values, as they come out of JSON.parse. */
export const sampleValues = () => JSON.parse(recordText(1))

export const SAMPLE_CATALOG = 'orders'

/** The body that a caller sends to `POST /v1/approve`. */
export const approveText = () =>
  `{"event":"record.before.created","catalogId":"${SAMPLE_CATALOG}","user":{"id":"1"},"values":${recordText(1)}}`

const DEFAULTS = {
  accountId: 'default',
  revision: 1,
  active: true,
  catalogId: SAMPLE_CATALOG,
  events: ['record.before.created'],
  fields: [],
  initiators: [],
  conditions: [],
  url: 'http://127.0.0.1:9000/check',
  method: 'POST',
  parameters: null,
  auth: { type: 'none' },
  headers: {},
  dialect: 'standard',
  secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  retiring: [],
  timeoutMs: 10_000,
  onFailure: 'deny',
  mode: 'enforce',
  breaker: {
    failureRate: 0.5,
    minimumCalls: 20,
    windowMs: 30_000,
    openMs: 10_000,
    consecutiveFailures: 5,
  },
  maxConcurrency: 256,
  retry: { preset: 'standard' },
  disabledReason: null,
  order: 0,
  mayChange: null,
  fallbackMessage: null,
  maxPerSecond: null,
  maxInFlight: 20,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
}

/** A subscription as the gateway works with it. */
export const subscription = (number, overrides = {}) => ({
  ...DEFAULTS,
  id: `sub_${String(number).padStart(6, '0')}`,
  name: `Subscription ${number}`,
  ...overrides,
})

/** As many subscriptions as asked for, of which the first concerns the sample's catalog. */
export const scattered = (count) =>
  Array.from({ length: count }, (_, number) =>
    subscription(number, number === 0 ? {} : { catalogId: `catalog-${number % 1_000}` }),
  )

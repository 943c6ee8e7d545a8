/** What fast means here: the goals, as data. A figure is judged by its value or by its ratio to a yardstick. */

/**
 * @typedef {object} Goal
 * @property {string} title What is measured.
 * @property {string} goal The goal as the table prints it.
 * @property {'value' | 'ratio'} of What the limit is compared with.
 * @property {'least' | 'most'} direction The limit is the least, or the most, that it may be.
 * @property {number} limit
 * @property {string} unit
 * @property {string | null} yardstick What it is measured beside, in the same run.
 */

/** @returns {Goal} */
const ratio = (direction, limit, { title, unit, yardstick }) => ({
  title,
  goal: `${direction === 'least' ? '≥' : '≤'} ${limit} × ${yardstick}`,
  of: 'ratio',
  direction,
  limit,
  unit,
  yardstick,
})

/** @returns {Goal} */
const value = (direction, limit, { title, unit, goal }) => ({
  title,
  goal: goal ?? `${direction === 'least' ? '≥' : '≤'} ${limit.toLocaleString('en')} ${unit}`,
  of: 'value',
  direction,
  limit,
  unit,
  yardstick: null,
})

const approvals = (callers, limit, yardstick) =>
  ratio('least', limit, {
    title: `approvals/s, 1 validator, ${callers} callers`,
    unit: '/s',
    yardstick,
  })

const peer = (limit, name) =>
  ratio('least', limit, {
    title: 'the same, 16 or 64 callers: the worse',
    unit: '/s',
    yardstick: name,
  })

const validators = (count, callers) =>
  ratio('least', 0.8, {
    title: `approvals/s, ${count} validators, ${callers} callers`,
    unit: '/s',
    yardstick: 'floor',
  })

/** What numbers, order, fairness, leases and the log of attempts may cost. */
const deliveries = (subscriptions) =>
  ratio('least', 0.45, {
    title: `deliveries/s, ${subscriptions} subscription${subscriptions === 1 ? '' : 's'}`,
    unit: '/s',
    yardstick: 'bare SKIP LOCKED queue',
  })

/** @type {Readonly<Record<string, Goal>>} In the order in which they are printed. */
export const GOALS = {
  'approvals-16-floor': approvals(16, 1, 'floor'),
  'approvals-64-floor': approvals(64, 1, 'floor'),
  'approvals-16-nginx': approvals(16, 1, 'nginx auth_request'),
  'approvals-64-nginx': approvals(64, 1, 'nginx auth_request'),
  'approvals-16-group': approvals(16, 0.55, 'floor nat'),
  'approvals-64-group': approvals(64, 0.55, 'floor nat'),
  'approvals-parse-server': peer(6, 'Parse Server'),
  'approvals-strapi': peer(18, 'Strapi'),
  'approvals-directus': peer(35, 'Directus'),
  'validators-3-16': validators(3, 16),
  'validators-3-64': validators(3, 64),
  'validators-10-16': validators(10, 16),
  'validators-10-64': validators(10, 64),
  'one-caller': ratio('most', 2, {
    title: 'p50, 1 validator, 1 caller',
    unit: 'ms',
    yardstick: 'floor',
  }),
  'slow-validator-p50': value('most', 3, {
    title: 'p50 beyond a validator of 20 ms, 16 callers',
    unit: 'ms',
  }),
  'slow-validator-p99': value('most', 10, {
    title: 'p99 beyond a validator of 20 ms, 16 callers',
    unit: 'ms',
  }),
  'hostile-account-p99': ratio('most', 1.2, {
    title: 'p99 of an account beside a hostile one',
    unit: 'ms',
    yardstick: 'alone',
  }),
  'slow-validator-floor': ratio('most', 1.3, {
    title: 'p50 beyond a validator of 20 ms',
    unit: 'ms',
    yardstick: 'floor',
  }),
  deadlines: value('most', 5, {
    title: 'deadline of a validator under load: p99 off',
    unit: 'ms',
  }),
  denials: ratio('least', 0.6, {
    title: 'denials/s, 64 callers, decision logged',
    unit: '/s',
    yardstick: 'floor',
  }),
  'approval-cpu': ratio('most', 1.5, {
    title: 'gateway CPU per approval, 64 callers',
    unit: 'µs',
    yardstick: 'floor',
  }),
  updating: ratio('most', 2, {
    title: '`record.updating` p50, 3 validators, 1 caller',
    unit: 'ms',
    yardstick: 'floor valid',
  }),
  'validators-cpu': ratio('most', 3.5, {
    title: 'gateway CPU per approval, 10 validators',
    unit: 'µs',
    yardstick: '1 validator',
  }),
  'many-subscriptions-p50': ratio('most', 1.05, {
    title: 'p50 beside 10,000 subscriptions that do not match, 1 caller',
    unit: 'ms',
    yardstick: 'none',
  }),
  'many-subscriptions-cpu': ratio('most', 1.05, {
    title: 'CPU per approval beside them',
    unit: 'µs',
    yardstick: 'none',
  }),
  'many-rows-commit': ratio('most', 1.1, {
    title: 'commit beside old decisions and deliveries',
    unit: 'ms',
    yardstick: 'empty',
  }),
  'many-rows-claim': ratio('most', 1.1, {
    title: 'claim of deliveries beside them',
    unit: 'ms',
    yardstick: 'empty',
  }),
  'soak-p99': value('most', 60, { title: '500 approvals/s × 3 validators: p99', unit: 'ms' }),
  'soak-errors': value('most', 0, { title: 'errors meanwhile', unit: '', goal: '0' }),
  'soak-lag': value('most', 1_000, { title: 'notification lag p99 meanwhile', unit: 'ms' }),
  'soak-memory': value('most', 5, {
    title: 'resident memory after the first fifth, slope',
    unit: 'MB/min',
    goal: 'flat (≤ 5 MB/min)',
  }),
  'overload-goodput': ratio('least', 0.8, {
    title: '5 × overload: good answers/s',
    unit: '/s',
    yardstick: 'peak',
  }),
  'overload-refusals': value('most', 0, {
    title: 'other answers than 2xx, or 429 and 503 with Retry-After',
    unit: '',
    goal: '0',
  }),
  'overload-verdicts': value('most', 0, {
    title: 'verdicts `overloaded` meanwhile',
    unit: '',
    goal: '0',
  }),
  'overload-recovery': value('most', 2, { title: 'normal again after it', unit: 's' }),
  'notifications-p50': value('most', 20, { title: 'commit → receiver, idle: p50', unit: 'ms' }),
  'notifications-p99': value('most', 100, { title: 'commit → receiver, idle: p99', unit: 'ms' }),
  'deliveries-1': deliveries(1),
  'deliveries-20': deliveries(20),
  'deliveries-500': deliveries(500),
  'deliveries-beside-dead': ratio('least', 0.9, {
    title: 'deliveries/s to 20 subscriptions beside a dead one with a backlog',
    unit: '/s',
    yardstick: 'without it',
  }),
  'deliveries-claim': value('most', 5, { title: 'claim beside that backlog', unit: 'ms' }),
  embedded: ratio('least', 0.35, {
    title: 'embedded database, approvals/s, 16 callers',
    unit: '/s',
    yardstick: 'on PostgreSQL',
  }),
  'startup-postgres': value('most', 1, { title: 'start to ready, PostgreSQL', unit: 's' }),
  'startup-embedded-first': value('most', 4, {
    title: 'start to ready, embedded, first',
    unit: 's',
  }),
  'startup-embedded-again': value('most', 1.5, {
    title: 'start to ready, embedded, again',
    unit: 's',
  }),
  memory: value('most', 250, { title: 'resident memory under the load of 64 callers', unit: 'MB' }),
  'two-gateways': ratio('least', 1.3, {
    title: 'two gateways on one PostgreSQL, approvals/s',
    unit: '/s',
    yardstick: 'one',
  }),
  'two-workers': ratio('least', 1.3, {
    title: 'ASSENT_WORKERS=2, approvals/s',
    unit: '/s',
    yardstick: 'one',
  }),
}

/**
 * A row of the result: the figure of a goal, judged.
 *
 * @param {string} id
 * @param {{ value: number, yardstick?: number | null, cpu?: readonly number[] | null,
 *   note?: string | null, faults?: string | null }} figure `cpu`: milliseconds of CPU per request, ours
 *   and the yardstick's. `faults` says what went wrong while it was measured; it makes the row a miss.
 */
export function judge(
  id,
  { value: measured, yardstick = null, cpu = null, note = null, faults = null },
) {
  const goal = GOALS[id]
  if (goal === undefined) throw new Error(`There is no goal ${id}`)
  const quotient = yardstick === null ? null : measured / yardstick
  const figure = goal.of === 'ratio' ? quotient : measured
  const reaches = goal.direction === 'least' ? figure >= goal.limit : figure <= goal.limit
  return {
    id,
    value: measured,
    unit: goal.unit,
    yardstick,
    ratio: quotient,
    cpu,
    pass: Number.isFinite(figure) && reaches && faults === null,
    note: [note, faults].filter((text) => text !== null).join('; ') || null,
  }
}

/** A row without a figure, with the reason. */
export const unmeasured = (id, note) => ({
  id,
  value: null,
  unit: GOALS[id].unit,
  yardstick: null,
  ratio: null,
  pass: null,
  note,
})

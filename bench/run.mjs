/**
 * Runs the scenarios one after the other and prints the table of goals with what was measured.
 *
 *   npm run bench -- [--quick | --full] [--only=<scenario,…>] [--rounds=3] [--json=<file>] [--micro]
 */
import { writeFileSync } from 'node:fs'
import { startValidators } from './compare/start.mjs'
import { GOALS } from './goals.mjs'
import { readArguments, UsageError } from './lib/args.mjs'
import { describeMachine, watchOthers } from './lib/machine.mjs'
import { startPostgres } from './lib/postgres.mjs'
import { stopAll } from './lib/processes.mjs'
import { figure, markdownTable } from './lib/table.mjs'

/** In the order in which they run: what fills the disk and the caches comes last. */
const SCENARIOS = [
  'approvals',
  'validators',
  'one-caller',
  'slow-validator',
  'deadlines',
  'denials',
  'embedded',
  'two-processes',
  'startup',
  'notifications',
  'deliveries',
  'many-subscriptions',
  'soak',
  'overload',
  'hostile-account',
  'many-rows',
]

const MODES = {
  quick: { rounds: 1, seconds: 0.8 },
  default: { rounds: 3, seconds: 2 },
  full: { rounds: 5, seconds: 4 },
}

/** A check that the bench still works must not become what a build waits for, however slow its machine. */
const QUICK_SECONDS_MAX = 80

/** sysexits.h, EX_USAGE. */
const EXIT_USAGE = 64

const ARGUMENTS = { quick: false, full: false, micro: false, only: '', rounds: 0, json: '' }

async function main() {
  const given = readArguments(process.argv.slice(2), ARGUMENTS)
  if (given.micro) {
    const { runMicro } = await import('./micro/run.mjs')
    return runMicro()
  }
  const mode = given.quick ? 'quick' : given.full ? 'full' : 'default'
  const options = { quick: given.quick, full: given.full, ...MODES[mode] }
  if (given.rounds > 0) options.rounds = given.rounds
  const outcome = await runScenarios(chosenOf(given.only), options)
  report({ ...outcome, mode, options, isPartial: given.only !== '' })
  if (given.json !== '')
    writeFileSync(given.json, `${JSON.stringify({ ...outcome, mode, options }, null, 2)}\n`)
  // A goal that was missed is a finding; a scenario that broke is a fault of the bench or of the gateway.
  if (outcome.failures.length > 0) process.exitCode = 1
}

function chosenOf(only) {
  if (only === '') return SCENARIOS
  const names = only.split(',')
  const unknown = names.filter((name) => !SCENARIOS.includes(name))
  if (unknown.length === 0) return names
  throw new UsageError(
    `There is no scenario ${unknown.join(', ')}; there are ${SCENARIOS.join(', ')}.`,
  )
}

async function runScenarios(names, options) {
  const startedAt = performance.now()
  const shareOfOthers = watchOthers()
  try {
    const postgres = await startPostgres()
    const context = { postgres, validators: await startValidators(), options }
    const results = await runEach(names, context, startedAt)
    const [{ server_version: version }] = await postgres.query(postgres.url, 'show server_version')
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: `${describeMachine()}; Node ${process.versions.node}, PostgreSQL ${version}`,
      others: shareOfOthers(),
      seconds: Math.round(secondsSince(startedAt)),
      ...results,
    }
  } finally {
    await stopAll()
  }
}

/** One that breaks does not keep the others from being measured. */
async function runEach(names, context, startedAt) {
  const rows = []
  const failures = []
  const skipped = []
  for (const name of names) {
    if (context.options.quick && secondsSince(startedAt) > QUICK_SECONDS_MAX) {
      skipped.push(name)
      continue
    }
    try {
      rows.push(...(await runOne(name, context)))
    } catch (error) {
      console.error(`${name}: ${error.stack}`)
      failures.push({ name, message: error.message })
    }
  }
  return { rows, failures, skipped }
}

const secondsSince = (startedAt) => (performance.now() - startedAt) / 1_000

/** Progress goes to stderr, so that stdout is the table. */
async function runOne(name, context) {
  const startedAt = performance.now()
  console.error(name)
  const { run } = await import(`./scenarios/${name}.mjs`)
  const rows = await run({ ...context, say: (text) => console.error(`  ${text}`) })
  console.error(`  ${secondsSince(startedAt).toFixed(1)} s`)
  return rows
}

// ---- the report

const HEADER = ['figure', 'goal', 'measured', 'yardstick (same run)', 'ratio', 'result']

function report({ date, machine, others, seconds, rows, mode, options, isPartial, ...troubles }) {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const lines = Object.entries(GOALS)
    .filter(([id]) => byId.has(id) || !isPartial)
    .map(([id, goal]) => lineOf(goal, byId.get(id)))
  const { rounds, seconds: each } = options
  console.log(`\n${date}, ${mode}, ${rounds} × ${each} s each, ${seconds} s in all`)
  console.log(`${machine}; others took ${Math.round(others * 100)} % of it meanwhile\n`)
  console.log(markdownTable(HEADER, lines))
  printNotes(rows, troubles)
}

function lineOf(goal, row) {
  if (row === undefined || row.value === null)
    return [goal.title, goal.goal, '–', '–', '–', 'not measured']
  const [cpu, yardstickCpu] = (row.cpu ?? [null, null]).map(cpuText)
  const yardstick = row.yardstick === null ? '–' : figure(row.yardstick, row.unit) + yardstickCpu
  const ratio = row.ratio === null ? '–' : row.ratio.toFixed(2)
  const result = row.pass === null ? '–' : row.pass ? 'pass' : 'miss'
  return [goal.title, goal.goal, figure(row.value, row.unit) + cpu, yardstick, ratio, result]
}

const cpuText = (milliseconds) =>
  milliseconds === null ? '' : ` (CPU ${Math.round(milliseconds * 1_000)} µs)`

function printNotes(rows, { failures, skipped }) {
  const noted = rows.filter(({ note }) => note !== null && note !== undefined)
  if (noted.length > 0) console.log('')
  for (const { id, note } of noted) {
    const { title, goal } = GOALS[id]
    console.log(`- ${title} (${goal}): ${note}`)
  }
  for (const { name, message } of failures) console.log(`- The scenario ${name} broke: ${message}`)
  for (const name of skipped) console.log(`- No time was left for ${name} within --quick`)
  const judged = rows.filter(({ pass }) => pass !== null)
  const reached = judged.filter(({ pass }) => pass === true).length
  console.log(`\n${reached} of ${judged.length} goals reached`)
}

main().catch((error) => {
  console.error(error instanceof UsageError ? error.message : error)
  process.exitCode = error instanceof UsageError ? EXIT_USAGE : 1
})

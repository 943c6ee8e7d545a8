/**
 * Two gateways on one PostgreSQL beside one, and one gateway with two workers. The cores are shared with
 * the load, the validators and the database, so twice as much is out of reach here.
 */
import { unmeasured } from '../goals.mjs'
import { startGateway, subscribeValidators } from '../lib/gateway.mjs'
import { processesOf } from '../lib/processes.mjs'
import { measureInTurns, rateRow, warmUp } from '../lib/rounds.mjs'
import { targetOf } from './stage.mjs'

export const name = 'two-processes'

const CALLERS = 64
const WORKERS = 2

export async function run(context) {
  const databaseUrl = await context.postgres.createDatabase('two')
  const started = []
  const start = async (gatewayName, env) => {
    const [like] = started
    started.push(await startGateway({ name: gatewayName, databaseUrl, like, env }))
    return started.at(-1)
  }
  try {
    const first = await start('first')
    const second = await start('second')
    const clustered = await start('clustered', { ASSENT_WORKERS: `${WORKERS}` })
    await subscribeValidators(first, context.validators, { catalogId: 'one' })
    return await compare(context, { first, second, clustered })
  } finally {
    for (const gateway of started) await gateway.stop()
  }
}

async function compare(context, { first, second, clustered }) {
  const knowsWorkers = processesOf(clustered.pid).length > WORKERS
  const one = targetOf(first, { name: 'one' })
  const two = {
    ...one,
    name: 'two',
    ports: [first.port, second.port],
    pids: [first.pid, second.pid],
  }
  const workers = targetOf(clustered, { name: 'workers' })
  // Whoever is called in `one` is warm after `two`.
  for (const target of knowsWorkers ? [two, workers] : [two]) await warmUp(target, context.options)
  const targets = knowsWorkers ? [one, two, workers] : [one, two]
  const measured = await measureInTurns(targets, {
    callers: CALLERS,
    options: context.options,
    isWarm: true,
  })
  const row = (id, ours) =>
    rateRow(id, ours, measured.one, `resident ${Math.round(ours.residentMb)} MB in all`)
  return [
    row('two-gateways', measured.two),
    knowsWorkers
      ? row('two-workers', measured.workers)
      : unmeasured('two-workers', 'this build does not know ASSENT_WORKERS'),
  ]
}

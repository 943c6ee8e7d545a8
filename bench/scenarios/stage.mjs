/**
 * The gateway and the floor that the closed-loop scenarios share: started by the first that needs them,
 * warm for all that follow. Each catalog of the gateway has validators of its own.
 */
import { startFloor } from '../compare/start.mjs'
import { ALLOWED, startGateway, subscribeValidators } from '../lib/gateway.mjs'
import { warmUp } from '../lib/rounds.mjs'

/** How many validators a catalog has, and how long they think. */
export const CATALOGS = {
  one: { count: 1 },
  three: { count: 3, events: ['record.before.created', 'record.updating'] },
  ten: { count: 10 },
  slow: { count: 1, delayMs: 20 },
}

/** One for each run, and a run is known by its PostgreSQL. */
const stages = new WeakMap()

/** @returns {Promise<{ gateway: object, floor: object }>} */
export function stageOf(context) {
  const { postgres } = context
  if (!stages.has(postgres)) stages.set(postgres, openStage(context))
  return stages.get(postgres)
}

async function openStage(context) {
  const databaseUrl = await context.postgres.createDatabase('gateway')
  const gateway = await startGateway({ name: 'gateway', databaseUrl })
  for (const [catalogId, catalog] of Object.entries(CATALOGS)) {
    await subscribeValidators(gateway, context.validators, { catalogId, ...catalog })
  }
  const floor = await startFloor(context)
  context.say('warming up')
  await warmUp(targetOf(gateway), context.options)
  await warmUp(floor.target(), context.options)
  return { gateway, floor }
}

/** What runLoad takes, of a gateway and one of its catalogs. */
export function targetOf(
  gateway,
  { name = 'gateway', catalogId = 'one', expect = ALLOWED, ...options } = {},
) {
  return {
    name,
    port: gateway.port,
    pids: [gateway.pid],
    make: (sequence) => gateway.approve(catalogId, sequence, options),
    expect,
  }
}

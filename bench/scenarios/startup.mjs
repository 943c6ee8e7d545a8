/** From the start of the process to the first ready answer of /readyz. */
import { judge } from '../goals.mjs'
import { startGateway } from '../lib/gateway.mjs'
import { temporaryFolder } from '../lib/processes.mjs'
import { median } from '../lib/statistics.mjs'

export const name = 'startup'

const timesOf = ({ quick }) => (quick ? 1 : 5)

export async function run({ postgres, options, say }) {
  const times = timesOf(options)
  say(`startup: ${times} starts on PostgreSQL, ${times} on new and on used data folders`)
  const databaseUrl = await postgres.createDatabase('startup')
  // The first start migrates.
  const migratingMs = await startOnce({ name: 'startup-migrating', databaseUrl })
  const onPostgres = []
  const first = []
  const again = []
  for (let time = 0; time < times; time++) {
    onPostgres.push(await startOnce({ name: `startup-postgres-${time}`, databaseUrl }))
    const dataDirectory = temporaryFolder(`startup-${time}`)
    const inFolder = { name: `startup-embedded-${time}`, dataDirectory }
    first.push(await startOnce(inFolder))
    again.push(await startOnce(inFolder))
  }
  return [
    rowOf('startup-postgres', onPostgres, `with migrations ${seconds(migratingMs)} s`),
    rowOf('startup-embedded-first', first),
    rowOf('startup-embedded-again', again),
  ]
}

// A folder's secrets are sealed with its key: the same for every start of a run.
const masterKey = Buffer.alloc(32, 1).toString('base64')

async function startOnce(options) {
  const gateway = await startGateway({ ...options, masterKey })
  await gateway.stop()
  return gateway.readyMs
}

const seconds = (ms) => (ms / 1_000).toFixed(2)

function rowOf(id, startsMs, remark = '') {
  const slowest = `slowest of ${startsMs.length}: ${seconds(Math.max(...startsMs))} s`
  const note = [slowest, remark].filter((text) => text !== '').join('; ')
  return judge(id, { value: median(startsMs) / 1_000, note })
}

/** Several validators for one change: the rate beside the floor that asks as many, and what each costs. */
import { judge, unmeasured } from '../goals.mjs'
import { faultsIn, measureInTurns, rateRow, warmUpAgain } from '../lib/rounds.mjs'
import { CATALOGS, stageOf, targetOf } from './stage.mjs'

export const name = 'validators'

const CALLERS = [16, 64]

export async function run(context) {
  const stage = await stageOf(context)
  const rows = []
  for (const catalogId of ['three', 'ten']) rows.push(...(await ratesOf(context, stage, catalogId)))
  return [...rows, await costRow(context, stage)]
}

async function ratesOf({ options, say }, { gateway, floor }, catalogId) {
  const { count } = CATALOGS[catalogId]
  const targets = [targetOf(gateway, { catalogId }), floor.target({ count })]
  for (const target of targets) await warmUpAgain(target, options)
  const rows = []
  for (const callers of CALLERS) {
    const id = `validators-${count}-${callers}`
    if (options.quick && callers === 16) {
      rows.push(unmeasured(id, 'not in --quick'))
      continue
    }
    say(`${count} validators, ${callers} callers`)
    const measured = await measureInTurns(targets, { callers, options, isWarm: true })
    rows.push(rateRow(id, measured.gateway, measured.floor))
  }
  return rows
}

/** Four candidates in turns: what the floor's calls cost says how much of the growth is the client's. */
async function costRow({ options, say }, { gateway, floor }) {
  say('10 validators beside 1')
  const targets = [
    targetOf(gateway, { name: 'one', catalogId: 'one' }),
    targetOf(gateway, { name: 'ten', catalogId: 'ten' }),
    { ...floor.target({ count: 1 }), name: 'floor one' },
    { ...floor.target({ count: 10 }), name: 'floor ten' },
  ]
  const how = { callers: 16, options, isWarm: true }
  const { one, ten, ...floors } = await measureInTurns(targets, how)
  const growth = floors['floor ten'].cpuMs / floors['floor one'].cpuMs
  return judge('validators-cpu', {
    value: ten.cpuMs * 1_000,
    yardstick: one.cpuMs * 1_000,
    note: `the floor's own cost grows ${growth.toFixed(1)} ×`,
    faults: faultsIn(ten, one),
  })
}

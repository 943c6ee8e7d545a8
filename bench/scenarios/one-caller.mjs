/** What one person alone waits for: a change with one validator, and a form that asks three while typing. */
import { judge } from '../goals.mjs'
import { faultsIn, measureInTurns } from '../lib/rounds.mjs'
import { stageOf, targetOf } from './stage.mjs'

export const name = 'one-caller'

export async function run(context) {
  const { gateway, floor } = await stageOf(context)
  const updating = { catalogId: 'three', event: 'record.updating' }
  context.say('a change')
  const change = await p50Row(context, 'one-caller', [targetOf(gateway), floor.target()])
  context.say('a form')
  const form = await p50Row(context, 'updating', [
    targetOf(gateway, updating),
    floor.target({ mode: 'valid', count: 3 }),
  ])
  return [change, form]
}

async function p50Row({ options }, id, targets) {
  const measured = await measureInTurns(targets, { callers: 1, options })
  const [ours, yardstick] = targets.map((target) => measured[target.name])
  return judge(id, {
    value: ours.p50,
    yardstick: yardstick.p50,
    note: `p99 ${ours.p99.toFixed(2)} ms, of the floor ${yardstick.p99.toFixed(2)} ms`,
    faults: faultsIn(ours, yardstick),
  })
}

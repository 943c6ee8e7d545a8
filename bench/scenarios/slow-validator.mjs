/**
 * What is added to a validator that thinks for 20 ms. Its own timer is late by up to a millisecond or more
 * on a busy machine; that is in the floor's figure as well as in ours.
 */
import { judge } from '../goals.mjs'
import { faultsIn, measureInTurns } from '../lib/rounds.mjs'
import { CATALOGS, stageOf, targetOf } from './stage.mjs'

export const name = 'slow-validator'

const CALLERS = 16

export async function run(context) {
  const { gateway, floor } = await stageOf(context)
  const { delayMs } = CATALOGS.slow
  const targets = [targetOf(gateway, { catalogId: 'slow' }), floor.target({ delayMs })]
  const measured = await measureInTurns(targets, { callers: CALLERS, options: context.options })
  const added = ({ p50, p99 }) => ({ p50: p50 - delayMs, p99: p99 - delayMs })
  const ours = added(measured.gateway)
  const yardstick = added(measured.floor)
  const faults = faultsIn(measured.gateway, measured.floor)
  return [
    judge('slow-validator-p50', { value: ours.p50, yardstick: yardstick.p50, faults }),
    judge('slow-validator-p99', { value: ours.p99, yardstick: yardstick.p99, faults }),
    judge('slow-validator-floor', { value: ours.p50, yardstick: yardstick.p50, faults }),
  ]
}

/** Denials a second: each is logged with its verdicts, while the floor writes nothing at all. */
import { DENIED } from '../lib/gateway.mjs'
import { measureInTurns, rateRow } from '../lib/rounds.mjs'
import { stageOf, targetOf } from './stage.mjs'

export const name = 'denials'

const CALLERS = 64

export async function run(context) {
  const { gateway, floor } = await stageOf(context)
  const targets = [
    targetOf(gateway, { status: 'deny', expect: DENIED }),
    floor.target({ status: 'deny' }),
  ]
  const measured = await measureInTurns(targets, { callers: CALLERS, options: context.options })
  return [rateRow('denials', measured.gateway, measured.floor)]
}

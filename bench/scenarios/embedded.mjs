/** The gateway with its database inside, beside the same gateway on PostgreSQL. */
import { startGateway, subscribeValidators } from '../lib/gateway.mjs'
import { temporaryFolder } from '../lib/processes.mjs'
import { measureInTurns, rateRow, warmUp } from '../lib/rounds.mjs'
import { stageOf, targetOf } from './stage.mjs'

export const name = 'embedded'

const CALLERS = 16

export async function run(context) {
  const { gateway } = await stageOf(context)
  const dataDirectory = temporaryFolder('embedded-data')
  const embedded = await startGateway({ name: 'embedded', dataDirectory })
  try {
    await subscribeValidators(embedded, context.validators, { catalogId: 'one' })
    const targets = [targetOf(embedded, { name: 'embedded' }), targetOf(gateway)]
    await warmUp(targets[0], context.options)
    const measured = await measureInTurns(targets, {
      callers: CALLERS,
      options: context.options,
      isWarm: true,
    })
    const note = `resident ${Math.round(measured.embedded.residentMb)} MB`
    return [rateRow('embedded', measured.embedded, measured.gateway, note)]
  } finally {
    await embedded.stop()
  }
}

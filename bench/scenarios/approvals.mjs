/** Approvals a second with one validator that answers at once: beside the floor, its group commit and nginx. */
import { startNginxTarget } from '../compare/start.mjs'
import { judge, unmeasured } from '../goals.mjs'
import { faultsIn, measureInTurns, rateRow, warmUpAgain } from '../lib/rounds.mjs'
import { stageOf, targetOf } from './stage.mjs'

export const name = 'approvals'

const CALLERS = [16, 64]

/**
 * Requests a second of the products and of the floor in the measurement of PERFORMANCE.md's table: one
 * machine, one day. They are not started here, for they are hundreds of packages each.
 */
const PEERS = {
  'approvals-parse-server': { floor: { 16: 4153, 64: 4660 }, product: { 16: 518, 64: 696 } },
  'approvals-strapi': { floor: { 16: 4153, 64: 4660 }, product: { 16: 242, 64: 210 } },
  'approvals-directus': { floor: { 16: 4153, 64: 4660 }, product: { 16: 125, 64: 112 } },
}

export async function run(context) {
  const { gateway, floor } = await stageOf(context)
  const nginx = await startNginxTarget(context)
  const targets = [targetOf(gateway), floor.target(), floor.target({ mode: 'nat' }), nginx]
  const present = targets.filter((target) => target !== null)
  for (const target of present) await warmUpAgain(target, context.options)
  const cells = {}
  for (const callers of CALLERS) {
    context.say(`${callers} callers`)
    cells[callers] = await measureInTurns(present, {
      callers,
      options: context.options,
      isWarm: true,
    })
  }
  return [...rateRows(cells), ...peerRows(cells), cpuRow(cells[64]), memoryRow(cells[64])]
}

function rateRows(cells) {
  const yardsticks = { floor: 'floor', nginx: 'nginx', group: 'floor nat' }
  return Object.entries(yardsticks).flatMap(([kind, target]) =>
    CALLERS.map((callers) => {
      const id = `approvals-${callers}-${kind}`
      const { gateway, [target]: yardstick } = cells[callers]
      if (yardstick === undefined) return unmeasured(id, 'nginx is not installed')
      return rateRow(id, gateway, yardstick)
    }),
  )
}

/** The floor of this run stands in for the machine of that table; the smaller of both ratios counts. */
function peerRows(cells) {
  return Object.entries(PEERS).map(([id, { floor, product }]) => {
    const derived = CALLERS.map((callers) => {
      const value = cells[callers].gateway.perSecond
      const yardstick = (cells[callers].floor.perSecond * product[callers]) / floor[callers]
      return { callers, value, yardstick, ratio: value / yardstick }
    })
    const [smallest] = derived.toSorted((a, b) => a.ratio - b.ratio)
    const ratios = derived.map(
      ({ callers, ratio }) => `${ratio.toFixed(1)} × at ${callers} callers`,
    )
    return judge(id, {
      value: smallest.value,
      yardstick: smallest.yardstick,
      note: `derived from the floor of this run and an earlier one beside it: ${ratios.join(', ')}`,
      faults: faultsIn(cells[16].gateway, cells[64].gateway),
    })
  })
}

function cpuRow({ gateway, floor }) {
  return judge('approval-cpu', {
    value: gateway.cpuMs * 1_000,
    yardstick: floor.cpuMs * 1_000,
    faults: faultsIn(gateway, floor),
  })
}

const memoryRow = ({ gateway }) =>
  judge('memory', { value: gateway.residentMb, faults: faultsIn(gateway) })

/**
 * An open loop: requests are due at a fixed rate, whether or not earlier ones have been answered, as when
 * callers do not know of each other. A latency is counted from the moment when its request was due, so a
 * stall shows in everybody who had to wait for it and not just in the one request that was under way
 * (coordinated omission). The load comes from a process of its own: what it has to do under overload must
 * not show in what the bench measures beside it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lastLines, launch, temporaryFolder } from './processes.mjs'

const PROGRAM = fileURLToPath(new URL('./open-load-process.mjs', import.meta.url))

/** Stands for the request's number in the text of a request; as wide as every number that replaces it. */
export const NUMBER_PLACEHOLDER = 987_654_321

/**
 * @typedef {{ readonly name: string, readonly perSecond: number, readonly seconds: number }} Phase
 *
 * @typedef {object} Order
 * @property {number} port
 * @property {string} request Wire text that holds NUMBER_PLACEHOLDER.
 * @property {string} expect What the body of a good answer of 200 holds.
 * @property {readonly string[]} [watch] Texts to be counted in answers of 200.
 * @property {readonly Phase[]} phases
 * @property {number} connections Kept open all the time; an arrival that finds all of them taken waits.
 * @property {number} [patienceMs] A request that found no connection for so long is never sent.
 * @property {number} [timeoutMs]
 */

let orders = 0

/**
 * Runs the phases one after the other.
 * @param {Order} order
 * @returns {Promise<{ phases: readonly import('./open-loop.mjs').PhaseResult[],
 *   errors: Record<string, number>, sample: string | null }>}
 */
export async function runOpenLoad(order) {
  orders += 1
  const folder = temporaryFolder('open-load')
  const [orderPath, resultPath] = ['order', 'result'].map((name) =>
    join(folder, `${name}-${orders}.json`),
  )
  writeFileSync(orderPath, JSON.stringify(order))
  const args = [PROGRAM, orderPath, resultPath]
  const child = launch({ name: `open-load-${orders}`, command: process.execPath, args })
  // It ends by itself when it is done; that is no mishap to be told.
  child.isStopping = true
  await child.ended
  if (child.how !== 0) {
    throw new Error(`the load generator ended (${child.how}):\n${lastLines(child.logPath)}`)
  }
  return JSON.parse(readFileSync(resultPath, 'utf8'))
}

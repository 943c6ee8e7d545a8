/**
 * What other products did with misbehaving validators: of 22 behaviours they stored the record in 5 to 11
 * cases although nobody had said yes. The goal here is none.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FailureCause } from '../../src/domain/verdict.ts'
import { deserved, perform, type Run, type Stage, startStage } from '../catalogue/stage.ts'
import { standardValidator } from '../catalogue/validators.ts'

const WANTED: readonly (readonly [name: string, cause: FailureCause])[] = [
  ['says no inside a 200 in words of its own', 'bad_reply'],
  ['answers a text', 'bad_reply'],
  ['answers an HTML page', 'bad_reply'],
  ['answers an empty 200', 'bad_reply'],
  ['answers a list', 'bad_reply'],
  ['answers null', 'bad_reply'],
  ['answers {}', 'bad_reply'],
  ['answers half of its JSON', 'bad_reply'],
  ['redirects with 302 to a live address', 'redirected'],
  ['redirects to a dead address', 'redirected'],
  ['answers 300 MB', 'reply_too_large'],
  ['hangs up amid its chunks', 'unreachable'],
  ['states a length that is too long and hangs up', 'unreachable'],
  ['never answers', 'timeout'],
  ['falls silent after its headers', 'timeout'],
  ['sends one byte every 50 ms', 'timeout'],
  ['refuses the connection', 'unreachable'],
  ['resets the connection', 'unreachable'],
  ['hangs up without an answer', 'unreachable'],
  ['answers 404', 'bad_status'],
  ['answers 500', 'bad_status'],
  ['answers 503 with Retry-After', 'bad_status'],
]

const PEERS = WANTED.map(([name, cause]) => ({ behaviour: standardValidator(name), cause }))
const WELL = standardValidator('says allow')
const FLOOD = standardValidator('answers 300 MB')
const MIB = 1024 * 1024

let stage: Stage

beforeAll(async () => {
  stage = await startStage([WELL, ...PEERS.map(({ behaviour }) => behaviour)])
})

afterAll(async () => {
  await stage?.close()
})

const alone = (behaviour: Run['behaviour']): Run => ({
  behaviour,
  policy: 'deny',
  company: 'alone',
})

describe('a change that no validator has said yes to', () => {
  it('is committed by none of 22 misbehaving validators, and by one that says yes', async () => {
    const runs = [WELL, ...PEERS.map(({ behaviour }) => behaviour)].map(async (behaviour) => {
      const { result } = await perform(stage, alone(behaviour))
      return result.committed || result.readStatus !== 404 ? [behaviour.name] : []
    })
    expect(new Set(WANTED.map(([name]) => name)).size).toBe(22)
    expect((await Promise.all(runs)).flat()).toEqual([WELL.name])
  })

  for (const { behaviour, cause } of PEERS) {
    it.concurrent(`is refused as ${cause}, in the gateway's words, by one that ${behaviour.name}`, async () => {
      const { result, response } = await perform(stage, alone(behaviour))
      expect(result).toEqual(deserved(alone(behaviour)))
      expect(result).toMatchObject({ decision: 'deny', outcome: 'failed', cause })
      expect(response.errors).toMatchObject([{ cause }])
      expect(response.message.text).toMatch(/^The validator .+\.$/)
    })
  }

  it('costs little of a reply of 300 MB', async () => {
    const { bytesSent } = stage.serverOf(FLOOD)
    const before = bytesSent?.() ?? Number.NaN
    await perform(stage, alone(FLOOD))
    // The limit, and what lies in the buffers of the two sockets.
    expect((bytesSent?.() ?? Number.NaN) - before).toBeLessThan(32 * MIB)
  })
})

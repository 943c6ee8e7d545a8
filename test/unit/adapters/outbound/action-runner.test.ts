import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { LINE_SETTINGS } from '../../../../src/adapters/outbound/action-runner.ts'
import { createOutbound, type Outbound } from '../../../../src/adapters/outbound/outbound.ts'
import type { ActionCall } from '../../../../src/app/run-action.ts'
import {
  countingSequences,
  httpServer,
  loopback,
  rawServer,
  realClock,
  recordingJournal,
  SECRET,
  signal,
} from './support.ts'

function outboundWith() {
  const journal = recordingJournal()
  const outbound = createOutbound({
    clock: realClock,
    journal,
    sequences: countingSequences(),
    policy: loopback,
  })
  return { journal, outbound }
}

function callOf(over: Partial<ActionCall['action']> = {}): ActionCall {
  return {
    action: {
      id: 'call',
      accountId: 'default',
      title: 'Call',
      catalogId: 'driver',
      conditions: [],
      url: 'http://127.0.0.1:1/',
      method: 'POST',
      parameters: null,
      dialect: 'standard',
      secret: SECRET,
      retiring: [],
      auth: { type: 'none' },
      headers: {},
      timeoutMs: 10_000,
      confirmText: null,
      createdAt: '',
      updatedAt: '',
      ...over,
    },
    message: {
      id: 'evt_1',
      event: 'action.run',
      occurredAtMs: 0,
      accountId: 'default',
      accountNumber: null,
      catalogId: 'driver',
      recordId: 'r',
      values: {},
      prevValues: undefined,
      allValues: undefined,
      changedFields: [],
      user: undefined,
      context: undefined,
      sequenceId: null,
      subscriptionId: 'call',
      decisionId: undefined,
      dryRun: false,
      deadlineAtMs: 10_000,
    },
    requestId: 'req_1',
    traceparent: undefined,
  }
}

/** Holds requests until they are let go of, and tells when so many are there. */
function holding(count: number) {
  const here = signal()
  const held: (() => void)[] = []
  const listener: RequestListener = (request, response) => {
    request.resume()
    held.push(() => void response.end())
    if (held.length === count) here.fire()
  }
  const release = () => {
    for (const letGo of held.splice(0)) letGo()
  }
  return { listener, isFull: here.promise, release }
}

const run = ({ actionRunner }: Outbound, over: Partial<ActionCall['action']>) =>
  actionRunner.run(callOf(over))

describe('calls of an action', () => {
  it('have places of their own in each account, though the ids be equal', async () => {
    const { outbound } = outboundWith()
    const { listener, isFull, release } = holding(LINE_SETTINGS.maxConcurrency + 1)
    await using server = await httpServer(listener)
    const { url } = server
    const running = Array.from({ length: LINE_SETTINGS.maxConcurrency }, () =>
      run(outbound, { url }),
    )
    const elsewhere = run(outbound, { url, accountId: 'another' })
    const refused = await run(outbound, { url })
    expect(refused).toEqual({
      failure: 'overloaded',
      message: undefined,
      httpStatus: undefined,
      durationMs: expect.any(Number),
    })
    await isFull
    release()
    for (const one of [...running, elsewhere]) {
      expect(await one).toMatchObject({ failure: null, httpStatus: 200 })
    }
    outbound.close()
  })

  it('use a connection again until the action is forgotten', async () => {
    const { outbound } = outboundWith()
    const ended: Promise<unknown>[] = []
    await using server = await rawServer((socket) => {
      ended.push(once(socket, 'close'))
      socket.on('data', () => socket.write('HTTP/1.1 204 No Content\r\n\r\n'))
    })
    const { url } = server
    for (let press = 0; press < 3; press++) {
      expect(await run(outbound, { url })).toMatchObject({ failure: null, httpStatus: 204 })
    }
    expect(ended).toHaveLength(1)
    outbound.forgetAction('another', 'call')
    await run(outbound, { url })
    expect(ended).toHaveLength(1)
    outbound.forgetAction('default', 'call')
    await ended[0]
    await run(outbound, { url })
    expect(ended).toHaveLength(2)
    outbound.close()
  })

  it('are broken off by a gateway that goes away, and settle all the same', async () => {
    const { outbound } = outboundWith()
    const { listener, isFull } = holding(1)
    await using server = await httpServer(listener)
    const running = run(outbound, { url: server.url })
    await isFull
    outbound.close()
    expect(await running).toMatchObject({ failure: 'unreachable', httpStatus: undefined })
  })

  it('settle also when something of ours breaks, which is told', async () => {
    const { outbound, journal } = outboundWith()
    expect(await run(outbound, { url: 'no URL' })).toMatchObject({ failure: 'unreachable' })
    expect(journal.events).toMatchObject([{ kind: 'request.crashed', requestId: 'req_1' }])
    outbound.close()
  })
})

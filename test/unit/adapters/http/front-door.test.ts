import { EventEmitter, once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { DOOR_LIMITS, FrontDoor, waitOf } from '../../../../src/adapters/http/front-door.ts'
import type { JournalEvent } from '../../../../src/app/journal.ts'
import { PROBLEM_TEXTS } from '../../../../src/domain/problem-texts.ts'
import { eventually } from '../../../support/eventually.ts'

const { startsPerTurn, insideMax, waitMaxMs } = DOOR_LIMITS

/** As much of a request and its response as the door touches. */
class Visit extends EventEmitter {
  readonly incoming: IncomingMessage
  readonly socket: EventEmitter & { destroyed: boolean }
  status = 0
  headers: Record<string, string | number> = {}
  text = ''

  constructor(method = 'POST', url = '/v1/approve', more: Record<string, string> = {}) {
    super()
    const headers = { 'x-request-id': 'mine', ...more }
    const socket = Object.assign(new EventEmitter(), { destroyed: false })
    this.socket = socket
    this.incoming = { method, url, headers, socket } as unknown as IncomingMessage
  }

  writeHead(status: number, headers: Record<string, string | number>): void {
    this.status = status
    this.headers = headers
  }

  end(text: string): void {
    this.text = text
    this.emit('close')
  }

  get outgoing(): ServerResponse {
    return this as unknown as ServerResponse
  }
}

const listenersOf = (socket: EventEmitter | null): number => socket?.listenerCount('close') ?? -1

function world() {
  let now = 0
  let turn: (() => void) | null = null
  const served: Visit[] = []
  const events: JournalEvent[] = []
  const loop = { isOverrun: false }
  const door = new FrontDoor(
    {
      clock: { wallMs: () => now, monotonicMs: () => now, schedule: () => () => {} },
      ids: { make: (prefix) => `${prefix}_1` },
      journal: { record: (event) => events.push(event) },
      nextTurn: (run) => {
        turn = run
      },
    },
    (_incoming, outgoing) => served.push(outgoing as unknown as Visit),
    loop,
  )
  const enter = (visit = new Visit()): Visit => {
    door.enter(visit.incoming, visit.outgoing)
    return visit
  }
  return {
    door,
    loop,
    served,
    events,
    enter,
    many: (count: number) => Array.from({ length: count }, () => enter()),
    pass: (ms: number) => {
      now += ms
    },
    turn: () => {
      const run = turn
      turn = null
      run?.()
    },
  }
}

describe('the front door', () => {
  it('begins so many writes in one turn of the loop, and the others in the next, in order', () => {
    const { door, served, many, turn } = world()
    const visits = many(startsPerTurn * 2 + 5)
    expect(served).toEqual(visits.slice(0, startsPerTurn))
    expect(door.waiting).toBe(startsPerTurn + 5)
    turn()
    expect(served).toEqual(visits.slice(0, startsPerTurn * 2))
    turn()
    expect(served).toEqual(visits)
    expect(door.waiting).toBe(0)
  })

  it('keeps nobody waiting whose turn has not been used up', () => {
    const { served, many, turn } = world()
    many(startsPerTurn)
    turn()
    many(startsPerTurn)
    expect(served.length).toBe(startsPerTurn * 2)
  })

  it('turns away whom it has no room for, and says when to come again', () => {
    const { served, events, many, enter, turn } = world()
    many(insideMax)
    const refused = enter()
    expect(refused.status).toBe(503)
    expect(refused.headers).toMatchObject({
      'retry-after': '1',
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(refused.text),
      'x-request-id': 'mine',
      'x-content-type-options': 'nosniff',
    })
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'overloaded', requestId: 'mine' })
    expect(events).toEqual([{ kind: 'request.shed' }])
    for (let turns = 0; turns < insideMax / startsPerTurn; turns++) turn()
    expect(served.length).toBe(insideMax)
    served[0]?.emit('close')
    expect(enter().status).toBe(0)
  })

  it('begins nothing while the loop is late, and everything again when it is not', () => {
    const { served, loop, enter } = world()
    loop.isOverrun = true
    expect(enter().status).toBe(503)
    expect(enter(new Visit('GET', '/v1/decisions')).status).toBe(0)
    loop.isOverrun = false
    expect(enter().status).toBe(0)
    expect(served).toHaveLength(2)
  })

  it('tells the person whom it turns away so, in the language of the header', () => {
    const { many, enter } = world()
    many(insideMax)
    for (const language of ['en', 'ru', 'uk'] as const) {
      const headers = { 'accept-language': `${language}-UA, de;q=0.5` }
      const refused = enter(new Visit('POST', '/v1/approve', headers))
      const message = { text: PROBLEM_TEXTS.overloaded[language] }
      expect(JSON.parse(refused.text)).toMatchObject({ code: 'overloaded', message })
      expect(refused.headers['content-language']).toBe(language)
    }
  })

  it('turns away who has waited for so long that the answer would come too late', () => {
    const { served, many, turn, pass } = world()
    const visits = many(startsPerTurn + 1)
    pass(waitMaxMs + 1)
    turn()
    expect(served.length).toBe(startsPerTurn)
    expect(visits.at(-1)?.status).toBe(503)
  })

  it('forgets who went away while waiting', () => {
    const { served, many, turn } = world()
    const visits = many(startsPerTurn + 2)
    const gone = visits.at(-2)
    if (gone !== undefined) gone.socket.destroyed = true
    turn()
    expect(served).toEqual(visits.filter((visit) => visit !== gone))
  })

  it('remembers how long those waited who had to', () => {
    const { many, turn, pass } = world()
    pass(500)
    const visits = many(startsPerTurn + 1)
    pass(40)
    turn()
    expect(waitOf(visits.at(-1)?.incoming)).toBe(40)
    expect(waitOf(visits[0]?.incoming)).toBe(0)
    expect(waitOf(undefined)).toBe(0)
  })

  it('lets those go who die with their connection, pipelined ones included', async () => {
    const { door } = world()
    const arrived: (() => void)[] = []
    const both = new Promise<void>((resolve) => {
      arrived.push(() => {}, resolve)
    })
    const server = http.createServer((incoming, outgoing) => {
      door.enter(incoming, outgoing)
      arrived.shift()?.()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.write('POST /v1/approve HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'.repeat(2))
    await both
    expect(door.inside).toBe(2)
    client.destroy()
    await eventually('both have left', () => door.inside === 0)
    server.close()
  })

  it('counts a pipelined one out once, and leaves nothing on its connection', async () => {
    const { door } = world()
    const server = http.createServer((incoming, outgoing) => {
      door.enter(incoming, outgoing)
      setImmediate(() => outgoing.writeHead(204).end())
    })
    let served: Socket | null = null
    server.on('connection', (socket: Socket) => {
      served = socket
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    let text = ''
    client.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    client.write('POST /v1/approve HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n')
    await eventually('an answer', () => text.split('204 No Content').length === 2)
    const before = listenersOf(served)
    client.write('POST /v1/approve HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'.repeat(3))
    await eventually('all answers', () => text.split('204 No Content').length === 5)
    await eventually('all have left', () => door.inside === 0)
    // One for all that were ever pipelined on it.
    expect(listenersOf(served)).toBe(before + 1)
    client.destroy()
    server.close()
  })

  it.each([
    ['POST', '/v1/approve', true],
    ['POST', '/v1/approve?x=1', true],
    ['POST', '/v1/catalogs/orders/records', true],
    ['PATCH', '/v1/catalogs/orders/records/7', true],
    ['DELETE', '/v1/catalogs/orders/records/7?', true],
    ['POST', '/api/v1/catalogs/orders/records', true],
    ['POST', '/api/v1/catalogs/orders/records/', true],
    ['PATCH', '/api/v1/catalogs/orders/records/7', true],
    ['DELETE', '/api/v1/catalogs/orders/records/7/', true],
    ['GET', '/api/v1/catalogs/orders/records/7', false],
    ['POST', 'http://assent.test/v1/approve', true],
    ['POST', '/v1/%61pprove', true],
    // What stays encoded for the router is part of an id.
    ['POST', '/v1/catalogs/a%2Fb/records', true],
    ['PATCH', '/v1/catalogs/orders/records/x%2fy', true],
    ['PATCH', '/v1/catalogs/orders/records/x%3Fy%23z', true],
    ['POST', '/v1%2Fapprove', false],
    ['GET', '/v1/catalogs/orders/records/7', false],
    ['GET', '/metrics', false],
    ['POST', '/v1/subscriptions', false],
    // Whoever has an allow in hand must be able to say what became of it.
    ['POST', '/v1/approvals/dec_1/commit', false],
    ['POST', '/v1/approvals/dec_1/abort', false],
  ])('%s %s passes it as a write: %s', (method, url, isWrite) => {
    const { served, many, enter } = world()
    many(startsPerTurn)
    enter(new Visit(method, url))
    expect(served.length).toBe(isWrite ? startsPerTurn : startsPerTurn + 1)
  })
})

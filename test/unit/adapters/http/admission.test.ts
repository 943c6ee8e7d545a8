/** What a request has to pass before anything of its body is read. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type AppPorts, createApp } from '../../../../src/adapters/http/app.ts'
import type { Authenticator } from '../../../../src/adapters/http/authenticate.ts'
import { ok, route } from '../../../../src/adapters/http/route.ts'
import { createInFlight } from '../../../../src/app/in-flight.ts'
import type { Caller } from '../../../../src/app/store.ts'
import { Problem } from '../../../../src/domain/problem.ts'
import { countingIds, recordingJournal } from '../../app/fakes.ts'

const READER: Caller = { accountId: 'a', keyId: 'k', scopes: new Set(['read']) }

const refuse = () => {
  throw new Error('not asked for')
}

function appWith(authenticate: Authenticator['authenticate']) {
  const writing = route({
    method: 'POST',
    path: '/things',
    scopes: ['approve'],
    tag: 'Things',
    summary: 'Write',
    body: z.object({}),
    responses: {},
    handle: () => ok({}),
  })
  const ports: AppPorts = {
    authenticator: { authenticate, callerOf: refuse, hashOf: refuse, forget: () => {} },
    sessions: { begin: refuse, read: () => null, end: refuse },
    ids: countingIds(),
    journal: recordingJournal(),
    arriving: { known: createInFlight(), unknown: createInFlight() },
    isStopping: () => false,
  }
  return createApp([writing], ports)
}

/** A body that says whether anybody wanted it. */
function watchedBody() {
  const watched = { isRead: false }
  const stream = new ReadableStream(
    {
      pull: (controller) => {
        watched.isRead = true
        controller.enqueue(Buffer.from('{}'))
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  return { watched, init: { method: 'POST', body: stream, duplex: 'half' } as RequestInit }
}

describe('the body of a request', () => {
  it.each<[string, number, Authenticator['authenticate']]>([
    [
      'has called too often',
      429,
      () => {
        throw new Problem('rate_limited', { retryAfterSeconds: 1 })
      },
    ],
    ['is nobody', 401, () => Promise.reject(new Problem('unauthenticated'))],
    ['lacks the scope', 403, () => READER],
  ])('is not read of a caller who %s', async (_who, expected, authenticate) => {
    const { watched, init } = watchedBody()
    const { status } = await appWith(authenticate).request('/things', init)
    expect([status, watched.isRead]).toEqual([expected, false])
  })

  it('is read of one who may', async () => {
    const { watched, init } = watchedBody()
    const caller = { ...READER, scopes: new Set(['approve'] as const) }
    const { status } = await appWith(() => caller).request('/things', init)
    expect([status, watched.isRead]).toEqual([200, true])
  })
})

import { describe, expect, it } from 'vitest'
import { deliveryRoutes } from '../../../../src/adapters/http/deliveries.ts'
import { openApiDocument } from '../../../../src/adapters/http/openapi.ts'
import type { Context } from '../../../../src/adapters/http/route.ts'
import { pullQuery, replayRequest } from '../../../../src/adapters/http/schemas/log.ts'
import type { Deliveries, RetryResult } from '../../../../src/app/delivery-store.ts'
import { Problem } from '../../../../src/domain/problem.ts'

const caller = { accountId: 'default', keyId: 'key_x', scopes: ['manage'] }

type Ports = Parameters<typeof deliveryRoutes>[0]

function world(result: RetryResult = 'on_its_way') {
  const done: string[] = []
  const deliveries = {
    retry: async () => {
      done.push('retry')
      return result
    },
    replay: async () => {
      done.push('replay')
      return 3
    },
    countReplay: async () => {
      done.push('counted')
      return 4
    },
    read: async () => ({ id: 'evt_1_sub_a', attemptLog: [] }),
  } as unknown as Deliveries
  const ports = {
    deliveries,
    subscriptions: { read: async () => ({}) },
    changesBy: () => ({ deliveries }),
    onDeliveriesWanted: () => void done.push('wanted'),
  } as unknown as Ports
  const call = async (path: string, body?: unknown) => {
    const route = deliveryRoutes(ports).find((one) => one.method === 'POST' && one.path === path)
    const context = { caller, params: { id: 'x' }, requestId: 'req_x', body }
    return route?.handle(context as unknown as Context<unknown, unknown>)
  }
  return {
    done,
    replay: (more: object = {}) =>
      call('/v1/subscriptions/{id}/replay', { states: ['dead'], ...more }),
    retry: () => call('/v1/deliveries/{id}/retry'),
  }
}

describe('deliveries that are wanted again', () => {
  it('are told to the relay at once when a replay is stored, and not before', async () => {
    const { done, replay } = world()
    expect(await replay()).toMatchObject({ status: 202, json: { count: 3 } })
    expect(done).toEqual(['replay', 'wanted'])
  })

  it('are only counted for whoever wants to see how many they would be', async () => {
    const { done, replay } = world()
    expect(await replay({ preview: true })).toMatchObject({ status: 200, json: { count: 4 } })
    expect(done).toEqual(['counted'])
    expect(await replay({ preview: false })).toMatchObject({ status: 202, json: { count: 3 } })
    expect(done).toEqual(['counted', 'replay', 'wanted'])
  })

  it('are told to the relay at once when one is to be sent again', async () => {
    const { done, retry } = world()
    expect(await retry()).toMatchObject({ status: 200 })
    expect(done).toEqual(['retry', 'wanted'])
  })

  it.each([
    ['not_found', 'not_found'],
    ['under_way', 'delivery_in_progress'],
    ['nobody_listens', 'subscription_gone'],
  ] as const)('are told to nobody where the store says %s', async (result, code) => {
    const { done, retry } = world(result)
    const error = await retry().catch((thrown: unknown) => thrown)
    expect(error instanceof Problem && error.code).toBe(code)
    expect(done).toEqual(['retry'])
  })
})

describe('what is asked of deliveries', () => {
  const { paths, components } = JSON.parse(
    JSON.stringify(openApiDocument(deliveryRoutes({} as Ports), '1')),
  )

  it('is described as it is read: numbers of digits only', () => {
    const { parameters } = paths['/v1/subscriptions/{id}/deliveries'].get
    for (const name of ['after', 'cursor']) {
      const { schema } = parameters.find((one: { name: string }) => one.name === name)
      expect(schema.type).toBe('string')
      for (const text of ['0', '7', '007', '9'.repeat(15), '', ' 1', '-1', '1.5', '1e3', '0x1f']) {
        const isRead = pullQuery.safeParse({ [name]: text }).success
        expect([text, isRead]).toEqual([text, new RegExp(schema.pattern).test(text)])
        expect(isRead).toBe(/^\d+$/.test(text))
      }
    }
    expect(pullQuery.parse({})).toEqual({ after: 0, limit: 50 })
    expect(pullQuery.parse({ after: '12', cursor: '15' })).toMatchObject({ after: 12, cursor: 15 })
  })

  it('is described as it is read: a replay has no other members', () => {
    const { properties, additionalProperties } = components.schemas.ReplayRequest
    expect(additionalProperties).toBe(false)
    const valid = {
      since: '2026-01-01T00:00:00Z',
      until: '2026-01-02T00:00:00Z',
      fromSequenceId: 1,
      toSequenceId: 1,
      states: ['dead'],
    }
    expect(Object.keys(properties).toSorted()).toEqual(
      [...Object.keys(valid), 'preview'].toSorted(),
    )
    expect(replayRequest.parse(valid)).toEqual(valid)
    for (const [name, value] of Object.entries(valid)) {
      expect(replayRequest.parse({ [name]: value })).toEqual({ [name]: value })
      expect(replayRequest.safeParse({ [`${name}s`]: value, ...valid }).success).toBe(false)
    }
  })

  it('is a range that is one, and says something', () => {
    const [early, late] = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.001Z']
    const wrong = [
      {},
      { since: undefined },
      { preview: true },
      { fromSequenceId: 2, toSequenceId: 1 },
      { since: early, until: early },
      { since: late, until: early },
    ]
    for (const order of wrong) expect(replayRequest.safeParse(order).success).toBe(false)
    expect(replayRequest.safeParse({ since: early, until: late }).success).toBe(true)
  })
})

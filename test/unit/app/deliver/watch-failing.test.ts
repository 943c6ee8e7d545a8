import { describe, expect, it } from 'vitest'
import {
  FAILING_SHARE,
  heedFailing,
  retire,
  warn,
} from '../../../../src/app/deliver/watch-failing.ts'
import { OPERATIONAL_EVENTS } from '../../../../src/domain/change.ts'
import { ACCOUNT, subscriptionOf } from '../../../support/build.ts'
import { fine, PATIENCE, type world as relayWorld, world } from './relay-world.ts'

const DAY_MS = 86_400_000
/** How long it may fail. */
const LIMIT_MS = PATIENCE.autoDisableAfterMs ?? 0

const msOf = (share: number) => Math.round(LIMIT_MS * share)

const listener = (over = {}) =>
  subscriptionOf({ id: 'sub_ops', catalogId: '*', events: [...OPERATIONAL_EVENTS], ...over })
const listened = () => world(fine, { subscriptions: [subscriptionOf(), listener()] })

const failing = (share: number, toldPercent = 0) => ({
  accountId: ACCOUNT,
  subscriptionId: 'sub_a',
  failingMs: msOf(share),
  toldPercent,
})

describe('a receiver that fails', () => {
  it.each([
    [0.3, 0, null],
    [0.499, 0, null],
    [0.5, 0, 50],
    [0.69, 0, 50],
    [0.69, 50, null],
    [0.7, 50, 70],
    [0.89, 70, null],
    [0.9, 70, 90],
    [0.95, 90, null],
    // Nobody looked for a while: only the latest mark is told.
    [0.95, 0, 90],
    [0.95, 50, 90],
  ])(
    'for %s of the patience, of which %s per cent were told, is told at %s',
    async (share, told, mark) => {
      const { outbox, disabled, journal, ports } = listened()
      await heedFailing(failing(share, told), ports)
      expect(outbox.notes.map(({ percent }) => percent)).toEqual(mark === null ? [] : [mark])
      expect(journal.events).toHaveLength(mark === null ? 0 : 1)
      expect(disabled).toEqual([])
    },
  )

  it.each([0, 50, 70, 90])(
    'for all of it is disabled, however much was told (%s per cent)',
    async (toldPercent) => {
      const { outbox, disabled, journal, ports, clock } = listened()
      const failingSince = new Date(clock.wallMs() - msOf(1.2)).toISOString()
      await heedFailing(failing(1.2, toldPercent), ports)
      expect(outbox.notes).toEqual([])
      expect(disabled).toMatchObject([
        {
          id: 'sub_a',
          reason: 'failing',
          event: {
            id: 'evt_1',
            subscriptionIds: ['sub_ops'],
            body: {
              event: 'subscription.disabled',
              accountId: ACCOUNT,
              recordId: 'sub_a',
              values: {
                subscriptionId: 'sub_a',
                name: 'Stock check',
                reason: 'failing',
                failingSince,
              },
            },
          },
        },
      ])
      expect(journal.events).toEqual([
        {
          kind: 'subscription.disabled',
          accountId: ACCOUNT,
          subscriptionId: 'sub_a',
          reason: 'failing',
        },
      ])
    },
  )

  it('is told of with what fails, since when, and how much of the patience is used up', async () => {
    const { outbox, journal, ports, clock } = listened()
    await heedFailing(failing(0.7), ports)
    const failingSince = new Date(clock.wallMs() - msOf(0.7)).toISOString()
    expect(outbox.notes).toMatchObject([
      {
        percent: 70,
        event: {
          id: 'evt_1',
          subscriptionIds: ['sub_ops'],
          body: {
            event: 'subscription.failing',
            recordId: 'sub_a',
            catalogId: undefined,
            decisionId: undefined,
            values: { subscriptionId: 'sub_a', name: 'Stock check', failingSince, percent: 70 },
          },
        },
      },
    ])
    expect(journal.events).toEqual([
      {
        kind: 'subscription.failing',
        accountId: ACCOUNT,
        subscriptionId: 'sub_a',
        percent: 70,
        failingMs: msOf(0.7),
      },
    ])
  })

  it('is told of once for each mark, however many notice it', async () => {
    const given = listened()
    for (const share of [0.5, 0.5, 0.6, 0.7, 0.7, 0.9, 0.99, 1, 1.1]) {
      await Promise.all([
        heedFailing(failing(share), given.ports),
        heedFailing(failing(share), given.ports),
      ])
    }
    expect(given.outbox.notes.map(({ percent }) => percent)).toEqual([50, 70, 90])
    expect(given.disabled).toHaveLength(1)
    expect(given.journal.events.map(({ kind }) => kind)).toEqual([
      'subscription.failing',
      'subscription.failing',
      'subscription.failing',
      'subscription.disabled',
    ])
    expect(given.raised).toBe(4)
  })

  it('where nobody listens, is in the log and nowhere else', async () => {
    const subscriptions = [
      subscriptionOf({ catalogId: '*', events: [...OPERATIONAL_EVENTS] }),
      listener({ active: false }),
    ]
    const given: ReturnType<typeof relayWorld> = world(fine, { subscriptions })
    await heedFailing(failing(0.5), given.ports)
    await heedFailing(failing(1), given.ports)
    // What is about oneself is nothing that one is told.
    expect(given.outbox.notes).toEqual([{ percent: 50, event: null }])
    expect(given.disabled).toEqual([{ id: 'sub_a', reason: 'failing', event: null }])
    expect(given.journal.events.map(({ kind }) => kind)).toEqual([
      'subscription.failing',
      'subscription.disabled',
    ])
    expect(given.raised).toBe(0)
  })

  it('for years is left alone where none is ever disabled', async () => {
    const patience = { ...PATIENCE, autoDisableAfterMs: null }
    const { outbox, disabled, journal, ports } = world(fine, {
      subscriptions: [subscriptionOf(), listener()],
      patience,
    })
    await heedFailing({ ...failing(1), failingMs: 3_650 * DAY_MS }, ports)
    expect([outbox.notes, disabled, journal.events]).toEqual([[], [], []])
  })

  it.each([
    [0.499, 0, null],
    [0.5, 0, 50],
    [0.7, 50, 70],
    [0.9, 70, 90],
    [0.95, 90, null],
    [1, 70, 90],
    [7, 0, 90],
    [7, 90, null],
  ])(
    'for %s of the patience, of which %s per cent were told, is warned of at %s and never disabled',
    async (share, told, mark) => {
      const given = listened()
      await warn(failing(share, told), given.ports)
      expect(given.outbox.notes.map(({ percent }) => percent)).toEqual(mark === null ? [] : [mark])
      expect(given.disabled).toEqual([])
      expect(given.raised).toBe(mark === null ? 0 : 1)
    },
  )

  it('is warned of to nobody where none is ever disabled', async () => {
    const patience = { ...PATIENCE, autoDisableAfterMs: null }
    const given = world(fine, { subscriptions: [subscriptionOf(), listener()], patience })
    await warn({ ...failing(1), failingMs: 3_650 * DAY_MS }, given.ports)
    expect([given.outbox.notes, given.journal.events, given.raised]).toEqual([[], [], 0])
  })

  it('is looked at from the first mark on', () => {
    expect(FAILING_SHARE).toBe(0.5)
  })
})

describe('a receiver that is gone', () => {
  it('is disabled and told of once, whoever hears it', async () => {
    const given = listened()
    const gone = { accountId: ACCOUNT, subscriptionId: 'sub_a', reason: 'gone' } as const
    await Promise.all([retire(gone, given.ports), retire(gone, given.ports)])
    await retire(gone, given.ports)
    expect(given.disabled).toMatchObject([
      {
        reason: 'gone',
        event: {
          body: {
            event: 'subscription.disabled',
            values: { name: 'Stock check', reason: 'gone', failingSince: null },
          },
        },
      },
    ])
    expect(given.journal.events).toHaveLength(1)
    expect(given.raised).toBe(1)
  })
})

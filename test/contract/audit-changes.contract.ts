/** Each change of settings leaves its row in the audit, in its own transaction, without a secret. */
import { describe, expect, it } from 'vitest'
import { sealAudit } from '../../src/app/audit.ts'
import type { Changes } from '../../src/app/audit-store.ts'
import { PRESETS } from '../../src/domain/presets/index.ts'
import { appOf, connected, connectionOf, farewell, templateOf } from '../support/apps.ts'
import { ADA, auditOf, auditPorts } from '../support/audit.ts'
import { ALL, claimAll, happened, planAll, settled } from '../support/deliver.ts'
import { creation, newRecordId, settingsOf } from '../support/items.ts'
import type { Opened } from '../support/store.ts'

let canaries = 0
/** A secret that must not be seen again. */
const canary = (): string => `canary-${++canaries}-${'x'.repeat(8)}`

const secrets = () => ({
  secret: canary(),
  retiring: [{ secret: canary(), validUntil: '2099-01-01T00:00:00.000Z' }],
  auth: { type: 'bearer' as const, token: canary() },
  headers: { 'x-tenant': canary() },
  tls: { ca: undefined, cert: undefined, key: canary() },
})

const actionOf = (accountId: string) => ({
  ...secrets(),
  id: 'call',
  accountId,
  title: 'Call',
  catalogId: 'driver',
  conditions: [],
  url: 'https://dispatch.test/{id}',
  method: 'POST' as const,
  parameters: null,
  dialect: 'standard' as const,
  confirmText: null,
  timeoutMs: 5_000,
})

const EVENT_TYPE = {
  name: 'paid',
  title: { en: 'Paid' },
  catalogId: 'orders',
  on: ['updated' as const],
  fields: ['status'],
  conditions: [],
  data: null,
}

const catalogOf = (title: string) => ({ id: 'orders', title, fields: [] })
const keyOf = (accountId: string) => ({
  id: `key_${canary()}`.replaceAll('canary', 'made'),
  name: 'Shop',
  accountId,
  scopes: ['approve' as const],
  maxPerSecond: 5,
  expiresAt: null,
})

type Row = Awaited<ReturnType<typeof auditOf>>[number]
type Case = {
  readonly name: string
  /** What has to be there first; its rows are not looked at. */
  readonly first?: (by: Changes, accountId: string) => Promise<unknown>
  readonly change: (by: Changes, accountId: string) => Promise<unknown>
  readonly row: Partial<Row> | ((accountId: string) => Partial<Row>)
}

const [preset] = PRESETS

const CASES: readonly Case[] = [
  {
    name: 'an account that is renamed',
    change: (by, id) => by.accounts.update(id, (one) => ({ ...one, title: 'Renamed' })),
    row: (id) => ({
      action: 'account.updated',
      target: id,
      before: { title: id },
      after: { title: 'Renamed' },
    }),
  },
  {
    name: 'a key that is made',
    change: (by, id) => by.keys.create({ ...keyOf(id), id: `key_a_${id}` }, canary()),
    row: (id) => ({
      action: 'key.created',
      target: `key_a_${id}`,
      before: null,
      after: { name: 'Shop', scopes: ['approve'], maxPerSecond: 5, expiresAt: null },
    }),
  },
  {
    name: 'a key that is removed',
    first: (by, id) => by.keys.create({ ...keyOf(id), id: `key_b_${id}` }, canary()),
    change: (by, id) => by.keys.remove(null, `key_b_${id}`),
    row: (id) => ({
      action: 'key.removed',
      target: `key_b_${id}`,
      before: { name: 'Shop', scopes: ['approve'], maxPerSecond: 5, expiresAt: null },
      after: null,
    }),
  },
  {
    name: 'a catalog that is defined',
    change: (by, id) => by.catalogs.create(id, catalogOf('Orders')),
    row: {
      action: 'catalog.created',
      target: 'orders',
      before: null,
      after: { title: 'Orders', fields: [] },
    },
  },
  {
    name: 'a catalog that is changed',
    first: (by, id) => by.catalogs.create(id, catalogOf('Orders')),
    change: (by, id) => by.catalogs.update(id, 'orders', () => catalogOf('Sales')),
    row: {
      action: 'catalog.updated',
      target: 'orders',
      before: { title: 'Orders' },
      after: { title: 'Sales' },
    },
  },
  {
    name: 'a catalog that is removed',
    first: (by, id) => by.catalogs.create(id, catalogOf('Orders')),
    change: (by, id) => by.catalogs.remove(id, 'orders'),
    row: { action: 'catalog.removed', target: 'orders', after: null },
  },
  {
    name: 'a subscription that is made',
    change: (by, id) => by.subscriptions.create(id, settingsOf({ id: `sub_a_${id}` }), secrets()),
    row: (id) => ({
      action: 'subscription.created',
      target: `sub_a_${id}`,
      before: null,
      after: expect.objectContaining({
        url: 'https://validator.test/hook',
        events: ['record.created'],
        secret: '***',
        auth: { type: 'bearer', token: '***' },
        headers: { 'x-tenant': '***' },
      }),
    }),
  },
  {
    name: 'a subscription whose secrets are changed',
    first: (by, id) => by.subscriptions.create(id, settingsOf({ id: `sub_b_${id}` }), secrets()),
    change: (by, id) =>
      by.subscriptions.update(id, `sub_b_${id}`, (one) => ({
        ...one,
        secret: canary(),
        url: 'https://other.test/',
        headers: { ...one.headers, 'x-new': canary() },
      })),
    row: {
      action: 'subscription.updated',
      before: {
        secret: '***',
        url: 'https://validator.test/hook',
        headers: { 'x-tenant': '***' },
      },
      after: {
        secret: '*** (changed)',
        url: 'https://other.test/',
        headers: { 'x-tenant': '***', 'x-new': '***' },
      },
    },
  },
  {
    name: 'a subscription that its receiver has ended',
    first: (by, id) => by.subscriptions.create(id, settingsOf({ id: `sub_c_${id}` }), secrets()),
    change: (by, id) => by.subscriptions.disable(id, `sub_c_${id}`, 'gone', null),
    row: {
      action: 'subscription.disabled',
      before: { active: true, disabledReason: null },
      after: { active: false, disabledReason: 'gone' },
    },
  },
  {
    name: 'a subscription that is removed',
    first: (by, id) => by.subscriptions.create(id, settingsOf({ id: `sub_d_${id}` }), secrets()),
    change: (by, id) => by.subscriptions.remove(id, `sub_d_${id}`),
    row: {
      action: 'subscription.removed',
      before: expect.objectContaining({ secret: '***', name: 'A subscriber' }),
      after: null,
    },
  },
  {
    name: 'an event type that is defined',
    change: (by, id) => by.eventTypes.create(id, EVENT_TYPE),
    row: {
      action: 'eventType.created',
      target: 'paid',
      before: null,
      after: expect.objectContaining({ catalogId: 'orders', fields: ['status'] }),
    },
  },
  {
    name: 'an event type that is changed',
    first: (by, id) => by.eventTypes.create(id, EVENT_TYPE),
    change: (by, id) =>
      by.eventTypes.update(id, 'paid', (one) => ({ ...one, title: { en: 'Settled' } })),
    row: {
      action: 'eventType.updated',
      before: { title: { en: 'Paid' } },
      after: { title: { en: 'Settled' } },
    },
  },
  {
    name: 'an event type that is removed',
    first: (by, id) => by.eventTypes.create(id, EVENT_TYPE),
    change: (by, id) => by.eventTypes.remove(id, 'paid'),
    row: { action: 'eventType.removed', target: 'paid', after: null },
  },
  {
    name: 'an action that is defined',
    change: (by, id) => by.actions.create(actionOf(id)),
    row: {
      action: 'action.created',
      target: 'call',
      before: null,
      after: expect.objectContaining({ title: 'Call', secret: '***' }),
    },
  },
  {
    name: 'an action that is changed',
    first: (by, id) => by.actions.create(actionOf(id)),
    change: (by, id) =>
      by.actions.update(id, 'call', (one) => ({
        ...one,
        auth: { type: 'bearer', token: canary() },
        title: 'Text',
      })),
    row: {
      action: 'action.updated',
      before: { title: 'Call', auth: { type: 'bearer', token: '***' } },
      after: { title: 'Text', auth: { type: 'bearer', token: '*** (changed)' } },
    },
  },
  {
    name: 'an action that is removed',
    first: (by, id) => by.actions.create(actionOf(id)),
    change: (by, id) => by.actions.remove(id, 'call'),
    row: { action: 'action.removed', target: 'call', after: null },
  },
  {
    name: 'an app that is offered',
    change: (by, id) => {
      const { secret, auth, headers } = secrets()
      const subscriptions = [templateOf({ secret, auth, headers })]
      return by.apps.create(appOf(id, { id: 'app', secret: canary(), subscriptions }))
    },
    row: {
      action: 'app.created',
      target: 'app',
      before: null,
      after: expect.objectContaining({
        secret: '***',
        subscriptions: [
          expect.objectContaining({
            secret: '***',
            auth: { type: 'bearer', token: '***' },
            url: 'https://validator.test/hook',
          }),
        ],
      }),
    },
  },
  {
    name: 'an app that is withdrawn',
    first: (by, id) => by.apps.create(appOf(id, { id: 'app', secret: canary() })),
    change: (by, id) => by.apps.remove(id, 'app'),
    row: { action: 'app.removed', target: 'app', after: null },
  },
  {
    name: 'an app that is connected',
    first: (by, id) => by.apps.create(appOf(id, { id: 'app' })),
    change: (by, id) =>
      by.installations.connect(connectionOf({ accountId: id, app: { accountId: id, id: 'app' } })),
    row: {
      action: 'installation.created',
      before: null,
      after: {
        appAccountId: expect.any(String),
        appId: 'app',
        userId: 'u1',
        scopes: ['read'],
        keyId: expect.stringMatching(/^key_/),
        subscriptionIds: [expect.stringMatching(/^sub_/)],
      },
    },
  },
  {
    name: 'an app that is disconnected',
    first: (by, id) => connected(by, id),
    change: async (by, id) => {
      const [one] = await by.installations.list(id, ALL)
      return by.installations.disconnect(id, one?.id ?? '', farewell)
    },
    row: {
      action: 'installation.removed',
      before: expect.objectContaining({ userId: 'u1', keyId: expect.stringMatching(/^key_/) }),
      after: null,
    },
  },
  {
    name: 'a preset that is loaded',
    change: (by, id) => by.presets.add(id, preset as NonNullable<typeof preset>),
    row: {
      action: 'preset.loaded',
      target: preset?.name ?? '',
      before: null,
      after: { catalogs: preset?.catalogs, eventTypes: preset?.eventTypes },
    },
  },
]

export function auditChangesContract(opened: () => Opened): void {
  describe('changes of settings', () => {
    for (const { name, first, change, row } of CASES) {
      it(`leave one row each, which tells who, what, before and after: ${name}`, async () => {
        const { store, account } = opened()
        const accountId = await account()
        const by = store.changesBy(ADA)
        await first?.(by, accountId)
        const before = await auditOf(opened(), accountId)
        await change(by, accountId)
        const rows = await auditOf(opened(), accountId)
        expect(rows).toHaveLength(before.length + 1)
        expect(rows.at(-1)).toMatchObject({
          accountId,
          seq: before.length + 1,
          actorKind: 'key',
          actorId: ADA.id,
          actorAccount: ADA.accountId,
          requestId: ADA.requestId,
          ...(typeof row === 'function' ? row(accountId) : row),
        })
        const { sql } = opened()
        const everything = JSON.stringify([
          await sql('select * from audit'),
          await sql('select * from audit_heads'),
          await sql('select * from audit_waiting'),
          await sql('select * from audit_checkpoints'),
        ])
        expect(everything).not.toContain('canary')
      })
    }

    it('of what is not there, or is taken, or is the same as before leave none', async () => {
      const { store, account } = opened()
      const accountId = await account()
      const by = store.changesBy(ADA)
      await by.catalogs.create(accountId, catalogOf('Orders'))
      await expect(by.catalogs.create(accountId, catalogOf('Again'))).rejects.toThrow()
      expect(await by.catalogs.update(accountId, 'none', (one) => one)).toBeNull()
      expect(await by.catalogs.update(accountId, 'orders', (one) => one)).not.toBeNull()
      expect(await by.subscriptions.remove(accountId, 'sub_none')).toBe(false)
      expect(await by.keys.remove(accountId, 'key_none')).toBe(false)
      expect(await by.apps.remove(accountId, 'none')).toBe(false)
      expect(await by.actions.remove(accountId, 'none')).toBe(false)
      expect(await by.eventTypes.remove(accountId, 'none')).toBe(false)
      expect(await auditOf(opened(), accountId)).toHaveLength(1)
    })

    it('are undone where their row cannot be written', async () => {
      const { store, account, sql } = opened()
      const accountId = await account()
      const by = store.changesBy(ADA)
      await by.catalogs.create(accountId, catalogOf('Orders'))
      await sql('update audit_heads set last_seq = 0 where account = $1', [accountId])
      const changes = [
        () => by.catalogs.update(accountId, 'orders', () => catalogOf('Sales')),
        () => by.keys.create({ ...keyOf(accountId), id: `key_c_${accountId}` }, canary()),
        () => by.actions.create(actionOf(accountId)),
        () => by.apps.create(appOf(accountId, { id: 'app' })),
      ]
      for (const change of changes) await expect(change()).rejects.toThrow()
      await sql('update audit_heads set last_seq = 1 where account = $1', [accountId])
      expect(await by.catalogs.read(accountId, 'orders')).toMatchObject({ title: 'Orders' })
      expect(await by.keys.list(accountId, ALL)).toEqual([])
      expect(await by.actions.list(accountId, undefined, ALL)).toEqual([])
      expect(await by.apps.read(accountId, 'app')).toBeNull()
    })

    it('that nobody asked for are the gateway’s own', async () => {
      const { store, account } = opened()
      const accountId = await account()
      await store.catalogs.create(accountId, catalogOf('Orders'))
      expect(await auditOf(opened(), accountId)).toMatchObject([
        { actorKind: 'gateway', actorId: 'gateway', actorAccount: accountId, requestId: '' },
      ])
    })

    it('by somebody whose token says odd things are written down all the same', async () => {
      const { store, account } = opened()
      const accountId = await account()
      const id = `\u0000 \ud800 ${'long'.repeat(200)}`
      await store
        .changesBy({ ...ADA, kind: 'token', id })
        .catalogs.create(accountId, catalogOf('x'))
      const [row] = await auditOf(opened(), accountId)
      expect(row?.actorKind).toBe('token')
      expect(row?.actorId).toHaveLength(200)
    })

    it('open an account’s audit when it is opened', async () => {
      const { store } = opened()
      const id = `opened-${canary()}`.replaceAll('canary', 'account')
      const draft = { id, title: 'New', accountNumber: '7', maxPerSecond: null }
      await store.changesBy(ADA).accounts.create(draft)
      expect(await auditOf(opened(), id)).toMatchObject([
        {
          action: 'account.created',
          seq: 1,
          target: id,
          actorAccount: 'default',
          before: null,
          after: { title: 'New', accountNumber: '7' },
        },
      ])
    })

    it('are numbered without a gap, however many come at a time', async () => {
      const { store, account } = opened()
      const accountId = await account()
      const by = store.changesBy(ADA)
      const changes = Array.from({ length: 60 }, (_, n) => [
        () => by.catalogs.create(accountId, { id: `c${n}`, title: 'c', fields: [] }),
        () => by.keys.create({ ...keyOf(accountId), id: `key_${n}_${accountId}` }, canary()),
        () => by.actions.create({ ...actionOf(accountId), id: `a${n}` }),
      ]).flatMap((one, n) => one.slice(n % 3, (n % 3) + 1))
      await Promise.all(changes.map((change) => change()))
      const rows = await auditOf(opened(), accountId)
      expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, n) => n + 1))
      expect(rows.map(({ at }) => at)).toEqual(rows.map(({ at }) => at).toSorted())
    })
  })

  describe('deliveries that are sent again', () => {
    it('leave a row for each replay and each retry', async () => {
      const { store, account } = opened()
      const accountId = await account()
      const by = store.changesBy(ADA)
      const settings = settingsOf({ maxInFlight: 100 })
      const { id } = await by.subscriptions.create(accountId, settings, secrets())
      await happened(opened(), accountId, [id], [newRecordId()])
      await planAll(opened())
      const claimed = await claimAll(opened(), accountId)
      await store.outbox.settle(
        claimed.map((one) => settled(one)),
        null,
      )
      const states = ['delivered'] as const
      const order = {
        since: undefined,
        until: undefined,
        fromSequenceId: 1,
        toSequenceId: undefined,
      }
      expect(await by.deliveries.replay(accountId, id, { ...order, states })).toBe(1)
      // One that finds nothing changes nothing.
      expect(await by.deliveries.replay(accountId, id, { ...order, states: ['dead'] })).toBe(0)
      const [delivery] = await by.deliveries.list(accountId, {}, ALL)
      expect(await by.deliveries.retry(accountId, delivery?.id ?? '')).toBe('on_its_way')
      expect((await auditOf(opened(), accountId)).slice(1)).toMatchObject([
        {
          action: 'deliveries.replayed',
          actorId: ADA.id,
          target: id,
          before: null,
          after: { fromSequenceId: 1, states: ['delivered'], count: 1 },
        },
        {
          action: 'delivery.retried',
          actorId: ADA.id,
          target: delivery?.id,
          before: { state: 'delivered' },
          after: {},
        },
      ])
    })
  })

  describe('what a person confirmed, and what a failure policy let through,', () => {
    it('is written down with the commit, without the record and its values, and only if it commits', async () => {
      const { store, account, sql } = opened()
      const accountId = await account()
      const confirmed = {
        action: 'approval.confirmed' as const,
        actor: ADA,
        event: 'record.before.created',
        catalogId: 'things',
        userId: 'ada',
        subscriptionIds: ['sub_a', 'sub_b'],
      }
      const passed = {
        ...confirmed,
        action: 'approval.degraded' as const,
        subscriptionIds: ['sub_c'],
        causes: ['timeout' as const],
      }
      const recordId = newRecordId()
      const item = {
        ...creation(accountId, { recordId, values: { name: canary() } }),
        exceptions: [confirmed, passed],
      }
      expect(await store.approvals.commit(item, () => true)).toBe('committed')
      const again = { ...creation(accountId, { recordId }), exceptions: [confirmed] }
      expect(await store.approvals.commit(again, () => true)).toBe('record_exists')
      await sealAudit(auditPorts(store.audit))
      expect(await auditOf(opened(), accountId)).toMatchObject([
        {
          action: 'approval.confirmed',
          target: item.entry.id,
          actorId: ADA.id,
          requestId: ADA.requestId,
          before: null,
          after: {
            event: 'record.before.created',
            catalogId: 'things',
            userId: 'ada',
            subscriptionIds: ['sub_a', 'sub_b'],
          },
          hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
        {
          action: 'approval.degraded',
          target: item.entry.id,
          after: { userId: 'ada', subscriptionIds: ['sub_c'], causes: ['timeout'] },
        },
      ])
      expect(await sql('select * from audit_waiting')).toEqual([])
      expect(JSON.stringify(await sql('select * from audit'))).not.toContain('canary')
      expect(JSON.stringify(await auditOf(opened(), accountId))).not.toContain(recordId)
    })
  })
}

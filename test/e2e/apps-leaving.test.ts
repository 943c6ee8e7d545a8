/** What an app hears when an account disconnects it: the end, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { DATABASES } from '../support/places.ts'
import { reply } from '../support/validator-server.ts'
import { actionsOf, connect, Mall, type Shop, template, write } from './shops.ts'
import { taken } from './telling.ts'

describe.each(DATABASES)('apps that are disconnected, on the %s database,', (database) => {
  let mall: Mall
  beforeAll(async () => {
    mall = await Mall.start(database)
  })
  afterAll(() => mall.close())

  const deliveriesOf = async ({ api }: Shop): Promise<any[]> =>
    (await api.get('/v1/deliveries?limit=200')).json.items
  const statesOf = async (shop: Shop): Promise<string> =>
    (await deliveriesOf(shop)).map(({ event, state }) => `${event} ${state}`).join()

  it('hear of their end although the account has switched them off', async () => {
    const receiver = await mall.receiver()
    const app = await mall.offer({ name: 'Off', subscriptions: [template(receiver)] })
    const shop = await mall.account()
    const { json } = await shop.api.post('/v1/installations', { appId: app.id, userId: 'u' })
    await eventually('it is told', () => receiver.received.length === 1)
    const [{ id }] = (await shop.api.get('/v1/subscriptions')).json.items
    await shop.api.post(`/v1/subscriptions/${id}/disable`)
    await write(shop.api, { name: 'held' })
    await shop.api.delete(`/v1/installations/${json.id}`)
    await eventually('the end is told', () => receiver.received.length === 2)
    expect(receiver.received[1]?.json).toMatchObject({ object: 'application', action: 'removed' })
  })

  it('get nothing more of what was open when they are disconnected, but its end', async () => {
    // By what it says, not by when: an attempt may be under way while the app is disconnected.
    const receiver = await mall.receiver((request, response) => {
      const isEnd = request.json.object === 'application' && request.json.action === 'removed'
      return (isEnd ? taken : reply(500, ''))(request, response)
    })
    const retry = { delaysMs: Array.from({ length: 50 }, () => 100) }
    const app = await mall.offer({ name: 'Late', subscriptions: [template(receiver, { retry })] })
    const shop = await mall.account()
    const { json } = await shop.api.post('/v1/installations', { appId: app.id, userId: 'u' })
    for (let n = 0; n < 3; n++) await write(shop.api, { n })
    const { items } = (await shop.api.get('/v1/subscriptions')).json
    const path = `/v1/deliveries?subscriptionId=${items[0].id}&limit=200`
    await eventually('all of them are planned', async () => {
      return (await shop.api.get(path)).json.items.length === 4
    })
    await shop.api.delete(`/v1/installations/${json.id}`)
    const count = receiver.received.length
    // What was under way at that moment is given up when it has failed.
    const expected = 'cancelled,cancelled,cancelled,cancelled,delivered'
    await eventually('the end is told, and all else is given up', async () => {
      const { items: all } = (await shop.api.get(path)).json
      return (
        all
          .map(({ state }: any) => state)
          .toSorted()
          .join() === expected
      )
    })
    const late = receiver.received.slice(count).map(({ json: told }) => told)
    expect(late.at(-1)).toMatchObject({ object: 'application', action: 'removed' })
    expect((await shop.api.get('/v1/subscriptions')).json.items).toEqual([])
    expect((await shop.api.get(`/v1/subscriptions/${items[0].id}`)).status).toBe(404)
    expect((await shop.api.patch(`/v1/subscriptions/${items[0].id}`, {})).status).toBe(404)
    expect((await shop.api.delete(`/v1/subscriptions/${items[0].id}`)).status).toBe(404)
    expect((await shop.api.post(`/v1/subscriptions/${items[0].id}/test`)).status).toBe(404)
  })

  it('are not asked for ever where nobody is any more', async () => {
    let isGone = false
    const receiver = await mall.receiver((request, response) =>
      reply(isGone ? 410 : 200, '')(request, response),
    )
    const only = template(receiver, { dialect: 'standard', events: ['application'] })
    const app = await mall.offer({ name: 'Gone', subscriptions: [only] })
    const shop = await mall.account()
    const { id } = await connect(shop, app.id)
    await eventually('the start is told', () => receiver.received.length === 1)
    isGone = true
    await shop.api.delete(`/v1/installations/${id}`)
    await eventually('the end was tried', async () => {
      return (await statesOf(shop)) === 'application cancelled,application delivered'
    })
    expect(receiver.received).toHaveLength(2)
  })

  it('do not get again what was under way when they were', async () => {
    let letGo = () => {}
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    const receiver = await mall.receiver(async (request, response) => {
      if (request.json.object !== 'product') return taken(request, response)
      await held
      return reply(500, '')(request, response)
    })
    const retry = { delaysMs: [10, 10, 10] }
    const app = await mall.offer({ name: 'Late', subscriptions: [template(receiver, { retry })] })
    const shop = await mall.account()
    const { id } = await connect(shop, app.id)
    await eventually('the start is told', () => receiver.received.length === 1)
    await write(shop.api, { n: 1 })
    await eventually('it is under way', () => receiver.received.length === 2)
    await shop.api.delete(`/v1/installations/${id}`)
    await eventually('the end is told', () => receiver.received.length === 3)
    letGo()
    await eventually('it is given up', async () => {
      return (await statesOf(shop)).includes('record.created cancelled')
    })
    expect(actionsOf(receiver).slice(2)).toEqual([`${shop.id} application removed`])
  })

  it('do not get what was cancelled then, although somebody asks for it', async () => {
    let isOpen = false
    const receiver = await mall.receiver((request, response) =>
      reply(isOpen ? 200 : 500, '')(request, response),
    )
    const retry = { delaysMs: Array.from({ length: 50 }, () => 200) }
    const app = await mall.offer({ name: 'Again', subscriptions: [template(receiver, { retry })] })
    const shop = await mall.account()
    const { id } = await connect(shop, app.id)
    await write(shop.api, { n: 1 })
    await eventually('all of it is planned', async () => (await deliveriesOf(shop)).length === 2)
    await shop.api.delete(`/v1/installations/${id}`)
    const count = receiver.received.length
    isOpen = true
    const old = (await deliveriesOf(shop)).find(({ event }) => event === 'record.created')
    await shop.api.post(`/v1/deliveries/${old.id}/retry`)
    await eventually('the end is told, and the other one given up again', async () => {
      const states = await statesOf(shop)
      return states.includes('application delivered') && states.includes('record.created cancelled')
    })
    const late = actionsOf(receiver).slice(count)
    expect(late.filter((one) => one.includes('product'))).toEqual([])
    expect(late.at(-1)).toBe(`${shop.id} application removed`)
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allow, startValidator, type ValidatorServer } from '../support/validator-server.ts'
import { Console, PHONE } from './browser.ts'

let console_: Console
let receiver: ValidatorServer
beforeAll(async () => {
  console_ = await Console.start()
  receiver = await startValidator(allow)
})
afterAll(async () => {
  await console_.close()
  await receiver.close()
})

const read = async (name: string) =>
  (await console_.gateway.api.get('/v1/event-types')).json.items.find(
    (one: { name: string }) => one.name === name,
  )

describe('event types', () => {
  it('are derived from changes that fit, with titles and data of their own', async () => {
    const fields = [{ id: 'state', title: 'State', type: 'text' }]
    await console_.gateway.api.post('/v1/catalogs', { id: 'orders', title: 'Orders', fields })
    const visit = await console_.open('events')
    const { page } = visit
    await page.getByRole('heading', { name: 'No event types yet' }).waitFor()
    await visit.expectWell()
    await page.getByRole('link', { name: 'New event type' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('record.done')
    await page.getByLabel('Title in English').fill('Order done')
    await page.getByLabel('Title in Russian').fill('Заказ выполнен')
    await page.getByLabel('Title in Ukrainian').fill('Замовлення виконано')
    await page.getByLabel('Catalog', { exact: true }).fill('orders')
    await page.getByRole('checkbox', { name: 'deleted' }).uncheck()
    await page.getByLabel('Watched fields').fill('state')
    await page.getByRole('button', { name: 'Add a condition' }).click()
    const condition = page.getByRole('group', { name: 'Condition 1' })
    await condition.getByLabel('Field', { exact: true }).fill('state')
    await condition.getByLabel('Value', { exact: true }).fill('done')
    await page.getByLabel('Payload').selectOption({ label: 'only what is chosen here' })
    await page.getByRole('button', { name: 'Add /data/recordId' }).click()
    await page.getByRole('button', { name: 'Create the event type' }).click()
    const name = page.getByLabel('Name', { exact: true }).first()
    await page.getByText('This name is one of the gateway’s own').first().waitFor()
    expect(await name.getAttribute('aria-invalid')).toBe('true')
    await visit.expectWell()
    await name.fill('order.done')
    await page.getByRole('button', { name: 'Create the event type' }).click()
    await page.getByRole('link', { name: 'Order done' }).waitFor()
    await visit.expectWell()
    expect(await read('order.done')).toEqual({
      name: 'order.done',
      title: { en: 'Order done', ru: 'Заказ выполнен', uk: 'Замовлення виконано' },
      catalogId: 'orders',
      on: ['created', 'updated'],
      fields: ['state'],
      conditions: [{ field: 'state', op: 'eq', value: 'done' }],
      data: [{ name: 'recordId', from: '/data/recordId' }],
    })
  })

  it('are changed, into ones that programs raise too, and deleted after a question', async () => {
    const title = { en: 'Shift' }
    await console_.gateway.api.post('/v1/event-types', { name: 'shift', title, catalogId: '*' })
    const visit = await console_.open('events/shift')
    const { page } = visit
    await page.getByLabel('Title in English').fill('Shift closed')
    await page.getByLabel('Raised by').selectOption({ label: 'programs' })
    await visit.expectWell()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('link', { name: 'Shift closed' }).waitFor()
    expect(await read('shift')).toEqual({ name: 'shift', title: { en: 'Shift closed' } })
    await page.getByRole('link', { name: 'Shift closed' }).click()
    await page.getByRole('button', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete the event type “shift”?' })
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('link', { name: 'Shift closed' }).waitFor({ state: 'detached' })
    expect(await read('shift')).toBeUndefined()
  })

  it('without a catalog can be raised here, and subscribers hear of it', async () => {
    const { api } = console_.gateway
    await api.post('/v1/event-types', { name: 'bell', title: { en: 'Bell' } })
    await api.subscribe({ events: ['bell'], url: receiver.url })
    const visit = await console_.open('events/bell', { viewport: PHONE, colorScheme: 'dark' })
    const { page } = visit
    const heard = receiver.next()
    await page.getByLabel('Data (JSON)').fill('{"times": 3')
    await page.getByText('This is not JSON.').waitFor()
    await page.getByRole('button', { name: 'Raise' }).click()
    await page.getByRole('alert').first().waitFor()
    await visit.expectWell()
    await page.getByLabel('Data (JSON)').fill('{"times": 3}')
    await page.getByLabel('About record').fill('r1')
    await page.getByLabel('User id').fill('ada')
    await page.getByRole('button', { name: 'Raise' }).click()
    await page.getByText(/^Raised as evt_/).waitFor()
    await visit.expectWell()
    const { json } = await heard
    expect(json).toMatchObject({ type: 'bell', data: { recordId: 'r1', user: { id: 'ada' } } })
    expect(JSON.stringify(json)).toContain('"times":3')
  })
})

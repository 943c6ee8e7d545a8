import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startValidator, type ValidatorServer } from '../support/validator-server.ts'
import { Console, PHONE } from './browser.ts'

let console_: Console
let endpoint: ValidatorServer
beforeAll(async () => {
  console_ = await Console.start()
  endpoint = await startValidator()
})
afterAll(async () => {
  await console_.close()
  await endpoint.close()
})

describe('actions', () => {
  it('are made with conditions, an endpoint and a question, and call it', async () => {
    const { api } = console_.gateway
    const visit = await console_.open('actions')
    const { page } = visit
    await page.getByRole('heading', { name: 'No actions yet' }).waitFor()
    await visit.expectWell()
    await page.getByRole('link', { name: 'New action' }).first().click()
    await page.getByLabel('Title').fill('Send the receipt')
    await page.getByLabel('Id', { exact: true }).fill('receipt')
    await page.getByLabel('Catalog', { exact: true }).fill('orders')
    await page.getByRole('button', { name: 'Add a condition' }).click()
    const condition = page.getByRole('group', { name: 'Condition 1' })
    await condition.getByLabel('Field', { exact: true }).fill('state')
    await condition.getByLabel('Value', { exact: true }).fill('paid')
    await page.getByLabel('Question before it').fill('Send it now?')
    await page.getByLabel('Timeout, ms').fill('10')
    await page.getByText('Authorization and headers').click()
    await page.getByLabel('Authorization', { exact: true }).selectOption({ label: 'bearer token' })
    await page.getByLabel('Token').fill('token-of-the-printer')
    await page.getByLabel('URL', { exact: true }).fill(endpoint.url)
    await page.getByRole('button', { name: 'Create the action' }).click()
    await page.getByRole('alert').first().waitFor()
    expect(await page.getByLabel('Timeout, ms').getAttribute('aria-invalid')).toBe('true')
    expect(await page.getByLabel('Question before it').inputValue()).toBe('Send it now?')
    await visit.expectWell()
    await page.getByLabel('Timeout, ms').fill('4000')
    await page.getByRole('button', { name: 'Create the action' }).click()
    const secret = (await page.getByLabel('Secret of the action').textContent())?.trim() ?? ''
    expect(secret).toMatch(/^whsec_/)
    await visit.expectWell()
    await page.getByRole('link', { name: 'Done' }).click()
    await page.getByRole('link', { name: 'Send the receipt' }).waitFor()
    await visit.expectWell()
    expect((await api.get('/v1/actions/receipt')).json).toMatchObject({
      title: 'Send the receipt',
      catalogId: 'orders',
      conditions: [{ field: 'state', op: 'eq', value: 'paid' }],
      confirmText: 'Send it now?',
      timeoutMs: 4000,
      auth: { type: 'bearer', token: '***' },
    })
    await api.post('/v1/catalogs/orders/records', { id: 'r1', values: { state: 'paid' } })
    await api.post('/v1/catalogs/orders/records/r1/actions/receipt', {})
    expect(endpoint.received.at(-1)?.headers.authorization).toBe('Bearer token-of-the-printer')
  })

  it('are changed, and what nobody can read of them stays as it was', async () => {
    const { api } = console_.gateway
    const draft = { title: 'Print', url: endpoint.url, catalogId: 'bills' }
    const auth = { type: 'bearer', token: 'token-that-stays' }
    await api.post('/v1/actions', { id: 'print', ...draft, auth })
    const visit = await console_.open('actions/print', { viewport: PHONE, colorScheme: 'dark' })
    const { page } = visit
    await page.getByLabel('Title').fill('Print the bill')
    await page.getByText('Authorization and headers').click()
    await visit.expectWell()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('link', { name: 'Print the bill' }).waitFor()
    await visit.expectWell()
    await api.post('/v1/catalogs/bills/records', { id: 'b1', values: {} })
    await api.post('/v1/catalogs/bills/records/b1/actions/print', {})
    expect(endpoint.received.at(-1)?.headers.authorization).toBe('Bearer token-that-stays')
  })

  it('are deleted after a question', async () => {
    const { api } = console_.gateway
    await api.post('/v1/actions', { id: 'gone', title: 'Gone soon', url: endpoint.url })
    const visit = await console_.open('actions/gone')
    const { page } = visit
    await page.getByRole('button', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete the action “Gone soon”?' })
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { name: 'Actions' }).waitFor()
    expect((await api.get('/v1/actions/gone')).status).toBe(404)
  })
})

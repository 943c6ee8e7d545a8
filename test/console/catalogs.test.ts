import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Console, PHONE } from './browser.ts'

let console_: Console
beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(() => console_.close())

const read = async (id: string) => (await console_.gateway.api.get(`/v1/catalogs/${id}`)).json

describe('catalogs', () => {
  it('are made from nothing, with fields, options, an order and what decisions keep', async () => {
    const visit = await console_.open('catalogs')
    const { page } = visit
    await page.getByRole('heading', { name: 'No catalogs yet' }).waitFor()
    await visit.expectWell()
    await page.getByRole('link', { name: 'New catalog' }).first().click()
    await page.getByLabel('Title', { exact: true }).fill('Sales orders')
    expect(await page.getByLabel('Id', { exact: true }).inputValue()).toBe('sales_orders')
    await page.getByRole('button', { name: 'Add a field' }).click()
    await page.getByLabel('Field title').fill('State')
    await page.getByLabel('Field id').fill('state')
    await page.getByLabel('Type').selectOption({ label: 'Choice' })
    await page.getByRole('checkbox', { name: 'Required' }).check()
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByLabel('Option id').fill('new')
    await page.getByLabel('Option title').fill('Brand new')
    await page.getByRole('button', { name: 'Add a field' }).click()
    await page.getByLabel('Field title').nth(1).fill('Card')
    await page.getByLabel('Field id').nth(1).fill('card')
    await page
      .getByLabel('What decisions keep')
      .nth(1)
      .selectOption({ label: 'Keep the last four characters' })
    await page.getByRole('button', { name: 'Move Card up' }).click()
    await visit.expectWell()
    await page.getByRole('button', { name: 'Create the catalog' }).click()
    await page.getByRole('link', { name: 'Sales orders', exact: true }).waitFor()
    await visit.expectWell()
    expect(await read('sales_orders')).toEqual({
      id: 'sales_orders',
      title: 'Sales orders',
      fields: [
        { id: 'card', title: 'Card', type: 'text' },
        {
          id: 'state',
          title: 'State',
          type: 'choice',
          required: true,
          options: [{ id: 'new', title: 'Brand new' }],
        },
      ],
      redact: { card: 'last4' },
    })
  })

  it('say at its place what is wrong, keep what was typed, and take the correction', async () => {
    await console_.gateway.api.post('/v1/catalogs', {
      id: 'people',
      title: 'People',
      fields: [
        { id: 'name', title: 'Name', type: 'text' },
        { id: 'age', title: 'Age', type: 'number' },
      ],
      redact: { name: 'hash' },
    })
    const visit = await console_.open('catalogs/people')
    const { page } = visit
    await page.locator('summary', { hasText: 'Age' }).click()
    await page.getByLabel('Field id').nth(1).fill('name')
    await page.getByRole('button', { name: 'Save' }).click()
    const second = page.getByLabel('Field id').nth(1)
    await page.getByRole('alert').first().waitFor()
    expect(await second.getAttribute('aria-invalid')).toBe('true')
    expect(await second.inputValue()).toBe('name')
    await visit.expectWell()
    await second.fill('years')
    await page.locator('summary', { hasText: 'Name' }).first().click()
    await page.getByLabel('What decisions keep').first().selectOption({ label: 'Keep the value' })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    const { fields, redact } = await read('people')
    expect(fields.map(({ id }: { id: string }) => id)).toEqual(['name', 'years'])
    expect(redact).toBeUndefined()
  })

  it('without fields keep what decisions must not hold by the name of the field', async () => {
    await console_.gateway.api.post('/v1/catalogs', { id: 'loose', title: 'Loose' })
    const visit = await console_.open('catalogs/loose')
    const { page } = visit
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await page.getByLabel('Field', { exact: true }).fill('pin')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    expect(await read('loose')).toMatchObject({ fields: [], redact: { pin: 'remove' } })
  })

  it('are deleted after a question, and not while they have records', async () => {
    const { api } = console_.gateway
    await api.post('/v1/catalogs', { id: 'full', title: 'Full' })
    await api.post('/v1/catalogs/full/records', { id: 'r1', values: {} })
    const visit = await console_.open('catalogs/full')
    const { page } = visit
    await page.getByRole('button', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete the catalog “Full”?' })
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await dialog.getByRole('alert').waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await api.delete('/v1/catalogs/full/records/r1')
    await page.getByRole('button', { name: 'Delete' }).click()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { name: 'Catalogs' }).waitFor()
    expect((await api.get('/v1/catalogs/full')).status).toBe(404)
  })

  it('lead to their records and subscriptions, on a phone in the dark too', async () => {
    await console_.gateway.api.post('/v1/catalogs', { id: 'a b/c', title: 'Odd' })
    const visit = await console_.open('catalogs', { viewport: PHONE, colorScheme: 'dark' })
    const { page } = visit
    const records = page.getByRole('link', { name: 'Records: Odd' })
    expect(await records.getAttribute('href')).toBe('#/records/a%20b%2Fc')
    await visit.expectWell()
    await page.getByRole('link', { name: 'Odd', exact: true }).click()
    await page.getByRole('button', { name: 'Add a field' }).click()
    await visit.expectWell()
    const link = page.getByRole('link', { name: 'Subscriptions: Odd' })
    expect(await link.getAttribute('href')).toBe('#/subscriptions?catalogId=a%20b%2Fc')
  })
})

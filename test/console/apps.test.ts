import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Console, PHONE } from './browser.ts'

let console_: Console
beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(() => console_.close())

describe('apps', () => {
  it('are offered with their subscriptions, and the secret is shown once', async () => {
    const { api } = console_.gateway
    const visit = await console_.open('apps')
    const { page } = visit
    await page.getByRole('heading', { name: 'No apps yet' }).waitFor()
    await visit.expectWell()
    await page.getByRole('link', { name: 'New app' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('Bookkeeping')
    await page.getByLabel('Id', { exact: true }).fill('books')
    await page.getByLabel('Leads on to').fill('https://books.example/welcome')
    await page.getByRole('checkbox', { name: /^approve/ }).uncheck()
    await page.getByRole('button', { name: 'Add a subscription' }).click()
    await page.getByLabel('Subscription name').fill('Check the total')
    await page.getByLabel('Events').fill('record.before.created, application')
    await page.getByLabel('URL', { exact: true }).fill('http://127.0.0.1:9/check')
    await page.getByLabel('Catalog').fill('orders')
    const more = page.getByLabel('Further settings')
    await more.fill('["onFailure"]')
    await page.getByText('This has to be a JSON object.').waitFor()
    await more.fill('{"dialect": "nonsense"}')
    await page.getByRole('button', { name: 'Create the app' }).click()
    await page.getByText('/subscriptions/0/dialect:').waitFor()
    expect(await more.getAttribute('aria-invalid')).toBe('true')
    await visit.expectWell()
    await more.fill('{"onFailure": "allow", "order": 5}')
    await page.getByRole('button', { name: 'Create the app' }).click()
    const secret = (await page.getByLabel('Secret of the app').textContent())?.trim() ?? ''
    expect(secret).toMatch(/^whsec_/)
    await visit.expectWell()
    await page.getByRole('link', { name: 'Done' }).click()
    await page.getByRole('link', { name: 'Bookkeeping' }).waitFor()
    expect(await page.content()).not.toContain(secret)
    const { json } = await api.get('/v1/apps/books')
    expect(json).toMatchObject({
      name: 'Bookkeeping',
      redirect: 'https://books.example/welcome',
      scopes: ['read'],
    })
    expect(json.subscriptions).toMatchObject([
      {
        name: 'Check the total',
        events: ['record.before.created', 'application'],
        url: 'http://127.0.0.1:9/check',
        catalogId: 'orders',
        onFailure: 'allow',
        order: 5,
      },
    ])
  })

  it('are connected with a token that is shown once, and disconnected after a question', async () => {
    const { api } = console_.gateway
    const subscriptions = [{ name: 'S', events: ['record.created'], url: 'http://127.0.0.1:9/' }]
    await api.post('/v1/apps', { id: 'mail', name: 'Mail', subscriptions })
    const visit = await console_.open('apps')
    const { page } = visit
    await page.getByRole('link', { name: 'Mail' }).click()
    await page.getByRole('checkbox', { name: 'approve' }).uncheck()
    await page.getByLabel('Your user id').fill('ada')
    await visit.expectWell()
    await page.getByRole('button', { name: 'Connect' }).click()
    const token = (await page.getByLabel('Access token').textContent())?.trim() ?? ''
    expect((await api.get('/v1/catalogs', { key: token })).status).toBe(200)
    await visit.expectWell()
    await page.getByRole('link', { name: 'Done' }).click()
    const connected = page.getByRole('region', { name: 'Connected here' })
    const row = connected.getByRole('row', { name: /Mail/ })
    expect(await row.textContent()).toContain('ada')
    await visit.expectWell()
    await page.getByRole('button', { name: 'Disconnect Mail' }).click()
    const dialog = page.getByRole('dialog', { name: 'Disconnect the app “Mail”?' })
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Disconnect' }).click()
    await page.getByText('Nothing is connected yet').waitFor()
    expect((await api.get('/v1/catalogs', { key: token })).status).toBe(401)
  })

  it('are withdrawn after a question, and not while somebody is connected', async () => {
    const { api } = console_.gateway
    await api.post('/v1/apps', { id: 'fax', name: 'Fax' })
    const { json } = await api.post('/v1/installations', { appId: 'fax', userId: 'u' })
    const visit = await console_.open('apps/fax', { viewport: PHONE, colorScheme: 'dark' })
    const { page } = visit
    await page.getByRole('button', { name: 'Withdraw' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Withdraw' }).click()
    await dialog.getByRole('alert').waitFor()
    await visit.expectWell()
    await api.delete(`/v1/installations/${json.id}`)
    await dialog.getByRole('button', { name: 'Withdraw' }).click()
    await page.getByRole('heading', { name: 'Connected here' }).waitFor()
    expect((await api.get('/v1/apps/fax')).status).toBe(404)
    await visit.expectWell()
  })
})

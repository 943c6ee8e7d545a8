import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deny, reply, startValidator, type ValidatorServer } from '../support/validator-server.ts'
import { Console, PHONE } from './browser.ts'

let console_: Console
let validator: ValidatorServer
beforeAll(async () => {
  console_ = await Console.start()
  validator = await startValidator(async (request, response) => {
    const behave = request.path === '/broken' ? reply(500, '') : deny('No.')
    await behave(request, response)
  })
})
afterAll(async () => {
  await console_.close()
  await validator.close()
})

describe('the overview', () => {
  it('of an empty system says what to do next', async () => {
    const visit = await console_.open('overview')
    await visit.page.getByRole('heading', { name: 'Nothing has been asked yet' }).waitFor()
    await visit.page.getByRole('main').getByRole('link', { name: 'First steps' }).waitFor()
    await visit.expectWell()
  })

  it('shows the last hour: how much, how fast, who denies, who is not asked any more', async () => {
    const { api } = console_.gateway
    const events = ['record.before.created']
    const name = 'Stock'
    const stock = { name, events, url: validator.url, catalogId: 'orders' }
    const { id } = await api.subscribe(stock)
    await api.subscribe({ ...stock, name: 'Fraud in shadow', mode: 'shadow', catalogId: 'orders' })
    const broken = { ...stock, name: 'Broken', url: `${validator.url}/broken`, catalogId: 'things' }
    await api.subscribe({ ...broken, breaker: { consecutiveFailures: 2 }, onFailure: 'allow' })
    for (let count = 0; count < 8; count++) {
      await api.approve({ catalogId: 'orders' })
      await api.approve({ catalogId: 'things' })
    }
    const visit = await console_.open('overview')
    const { page } = visit
    const figures = page.getByRole('region', { name: 'Last hour' })
    await figures.getByText('16', { exact: true }).waitFor()
    await figures.getByText('50%').waitFor()
    await page.getByRole('img', { name: 'Approvals per second' }).waitFor()
    await page.getByRole('img', { name: 'Time added by the gateway' }).waitFor()
    await page.getByRole('img', { name: 'Time taken by validators (p99)' }).waitFor()
    const row = (text: string) => page.getByRole('row').filter({ hasText: text })
    await row('Stock').getByText('8 (100%)').waitFor()
    await row('Fraud in shadow').getByText('would have denied 8 (100%)').waitFor()
    await row('Broken').getByText('open', { exact: true }).waitFor()
    await page
      .getByText('Validators that are not asked just now, because they failed: Broken')
      .waitFor()
    await visit.expectWell()

    // It is live.
    for (let count = 0; count < 4; count++) await api.approve({ catalogId: 'orders' })
    await figures.getByText('20', { exact: true }).waitFor()
    await row('Stock').getByRole('link', { name: 'Stock' }).click()
    await page.waitForURL(`**/console#/subscriptions/${id}`)
    expect(visit.faults).toEqual([])
  })

  it.each([
    ['ru-RU', 'Обзор', 'Согласований в секунду'],
    ['uk-UA', 'Огляд', 'Погоджень за секунду'],
  ] as const)('speaks %s, and fits a phone in the dark', async (locale, title, chart) => {
    const visit = await console_.open('overview', { locale, viewport: PHONE, colorScheme: 'dark' })
    await visit.page.getByRole('heading', { level: 1, name: title }).waitFor()
    await visit.page.getByRole('img', { name: chart }).waitFor()
    await visit.expectWell()
  })
})

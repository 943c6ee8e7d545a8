import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_KEY } from '../support/gateway.ts'
import { Console, PHONE } from './browser.ts'

let console_: Console
beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(() => console_.close())

describe('a session', () => {
  it('that has ended is begun again over the page, which keeps what was typed', async () => {
    const visit = await console_.open('subscriptions/new')
    const { page } = visit
    await page.getByLabel('Name', { exact: true }).fill('Stock')
    const groups = page.locator('details')
    await groups.evaluateAll((all) => all.map((one) => one.setAttribute('open', '')))
    await page.getByLabel('Timeout, ms').fill('')
    await page.getByLabel('Timeout, ms').pressSequentially('0.05')
    expect(await page.getByLabel('Timeout, ms').inputValue()).toBe('0.05')
    await page.context().clearCookies()
    await page.getByRole('button', { name: 'Subscribe' }).click()
    const again = page.getByRole('dialog')
    await again.getByRole('heading', { name: 'Sign in to Assent' }).waitFor()
    await page.keyboard.press('Escape')
    await visit.expectWell()
    await again.getByLabel('API key').fill(ADMIN_KEY)
    await page.keyboard.press('Enter')
    await again.waitFor({ state: 'detached' })
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Stock')
    expect(await page.getByLabel('Timeout, ms').inputValue()).toBe('0.05')
  })

  it('is kept going by somebody who works, and not by a page that is open', async () => {
    const visit = await console_.visit()
    const { page } = visit
    await page.clock.install()
    await page.goto(`${console_.gateway.url}/console#/overview`)
    await page.fill('input[type=password]', ADMIN_KEY)
    await page.keyboard.press('Enter')
    await page.locator('main#page').waitFor()
    let renewals = 0
    page.on('request', (request) => {
      if (request.url().endsWith('/console/session')) renewals += 1
    })
    await page.clock.fastForward('06:00')
    expect(renewals).toBe(0)
    const renewed = page.waitForRequest('**/console/session')
    await page.keyboard.press('Shift')
    await page.clock.fastForward('05:00')
    await renewed
    await page.clock.fastForward('05:00')
    expect(renewals).toBe(1)
  })
})

describe('signing in', () => {
  it('takes a key, refuses a wrong one in words, and leaves when asked', async () => {
    const visit = await console_.visit()
    const { page } = visit
    await page.goto(`${console_.gateway.url}/console`)
    await page.getByLabel('API key').fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').waitFor()
    await visit.expectWell()
    const shown = await console_.open()
    await shown.page.getByRole('button', { name: 'Sign out' }).click()
    await shown.page.getByRole('heading', { name: 'Sign in to Assent' }).waitFor()
    await shown.page.reload()
    await shown.page.getByRole('heading', { name: 'Sign in to Assent' }).waitFor()
    expect(shown.faults).toEqual([])
  })

  it.each([
    ['en-US', 'Sign in to Assent'],
    ['ru-RU', 'Вход в Assent'],
    ['uk-UA', 'Вхід до Assent'],
  ] as const)('speaks the language of the browser: %s', async (locale, title) => {
    const visit = await console_.visit({ locale, viewport: PHONE, colorScheme: 'dark' })
    await visit.page.goto(`${console_.gateway.url}/console`)
    await visit.page.getByRole('heading', { name: title }).waitFor()
    await visit.expectWell()
  })
})

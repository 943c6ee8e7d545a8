import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Console, PHONE } from './browser.ts'

let console_: Console
beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(() => console_.close())

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

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Console, PHONE } from './browser.ts'

let console_: Console
beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(() => console_.close())

const keyNamed = async (name: string, accountId = 'default') => {
  const { json } = await console_.gateway.api.get(`/v1/keys?accountId=${accountId}&limit=200`)
  return json.items.find((one: { name: string }) => one.name === name)
}

/** A page that somebody else than the admin of the environment has signed in on. */
async function signedIn(key: string, place: string) {
  const visit = await console_.visit()
  await visit.page.goto(`${console_.gateway.url}/console#/${place}`)
  await visit.page.fill('input[type=password]', key)
  await visit.page.keyboard.press('Enter')
  await visit.page.locator('main#page').waitFor()
  return visit
}

describe('keys', () => {
  it('are made with what they may do, are shown once and work', async () => {
    await console_.gateway.api.post('/v1/accounts', { id: 'north', title: 'North' })
    const visit = await console_.open('keys')
    const { page } = visit
    await page.getByRole('heading', { name: 'No keys yet' }).waitFor()
    await visit.expectWell()
    await page.getByRole('link', { name: 'New key' }).first().click()
    await page.getByLabel('Name').fill('Shop front')
    await page.getByRole('checkbox', { name: /^approve:/ }).uncheck()
    await page.getByRole('checkbox', { name: /^manage:/ }).check()
    await page.getByLabel('Account', { exact: true }).selectOption({ label: 'North (north)' })
    await page.getByLabel('Expires', { exact: true }).selectOption({ label: 'In 30 days' })
    await page.getByLabel('Requests a second').fill('25')
    await visit.expectWell()
    await page.getByRole('button', { name: 'Create the key' }).click()
    const shown = page.getByLabel('The key is ready')
    const key = (await shown.textContent())?.trim() ?? ''
    await visit.expectWell()
    const { status } = await console_.gateway.api.get('/v1/catalogs', { key })
    expect(status).toBe(200)
    expect(await keyNamed('Shop front', 'north')).toMatchObject({
      accountId: 'north',
      scopes: ['read', 'manage'],
      maxPerSecond: 25,
    })
    await page.getByRole('link', { name: 'Done' }).click()
    await page.getByLabel('Account', { exact: true }).selectOption('north')
    const row = page.getByRole('row', { name: /Shop front/ })
    await row.waitFor()
    expect(await row.textContent()).toContain('25')
    expect(await page.content()).not.toContain(key)
    await visit.expectWell()
  })

  it('are refused at their place while something is wrong with them', async () => {
    const visit = await console_.open('keys/new')
    const { page } = visit
    await page.getByLabel('Name').fill('Old')
    await page.getByRole('checkbox', { name: /^approve:/ }).uncheck()
    await page.getByRole('checkbox', { name: /^read:/ }).uncheck()
    await page.getByLabel('Expires', { exact: true }).selectOption({ label: 'At a chosen time' })
    await page.getByLabel('Expires at').fill('2020-01-01T10:00')
    await page.getByRole('button', { name: 'Create the key' }).click()
    await page.locator('.field .wrong[role=alert]').waitFor()
    await visit.expectWell()
    await page.getByRole('checkbox', { name: /^read:/ }).check()
    await page.getByRole('button', { name: 'Create the key' }).click()
    await page.getByText('This is in the past.').first().waitFor()
    expect(await page.getByLabel('Expires at').getAttribute('aria-invalid')).toBe('true')
    expect(await page.getByLabel('Name').inputValue()).toBe('Old')
    await visit.expectWell()
  })

  it('are deleted after a question, which says when it is that of the session', async () => {
    const { api } = console_.gateway
    const other = { name: 'Other', scopes: ['read'] }
    await api.post('/v1/keys', other)
    const own = (await api.post('/v1/keys', { name: 'Mine', scopes: ['admin'] })).json
    const visit = await signedIn(own.key, 'keys')
    const { page } = visit
    await page.getByRole('button', { name: 'Delete Other' }).click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.textContent()).not.toContain('signed out')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('row', { name: /Other/ }).waitFor({ state: 'detached' })
    expect(await keyNamed('Other')).toBeUndefined()
    await page.getByRole('button', { name: 'Delete Mine' }).click()
    await dialog.getByText('you will be signed out').waitFor()
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('heading', { name: 'Sign in to Assent' }).waitFor()
  })

  it('are no business of those who are no admins, and fit a phone', async () => {
    const { api } = console_.gateway
    const { key } = (await api.post('/v1/keys', { name: 'Reader', scopes: ['read'] })).json
    const visit = await signedIn(key, 'keys')
    await visit.page.getByText('This needs a key with the scope admin').waitFor()
    await visit.expectWell()
    const phone = await console_.open('keys', { viewport: PHONE, colorScheme: 'dark' })
    await phone.page.getByRole('row', { name: /Reader/ }).waitFor()
    await phone.expectWell()
  })
})

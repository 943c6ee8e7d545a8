import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BROKEN_REASONS } from '../../src/domain/audit-chain.ts'
import { eventually } from '../support/eventually.ts'
import { Console, PHONE } from './browser.ts'

let console_: Console
beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(() => console_.close())

describe('the audit', () => {
  const patiently = { timeout: 15_000 }

  it('shows who changed what, before and after, and what the filters leave', async () => {
    const { api } = console_.gateway
    const text = '<img src=x onerror=alert(1)>'
    await api.post('/v1/catalogs', { id: 'orders', title: 'Orders' })
    await api.patch('/v1/catalogs/orders', { title: text })
    await api.post('/v1/catalogs', { id: 'people', title: 'People' })
    const visit = await console_.open('audit')
    const { page } = visit
    const row = page.getByRole('row', { name: /Catalog changed/ })
    expect(await row.locator('del').textContent()).toBe('was Orders')
    expect(await row.locator('ins').textContent()).toBe(`is ${text}`)
    expect(await page.locator('img').count()).toBe(0)
    await visit.expectWell()
    await page.getByLabel('What was done').selectOption({ label: 'Catalog created' })
    await row.waitFor({ state: 'detached' })
    await expect
      .poll(() => page.getByRole('row', { name: /Catalog created/ }).count(), patiently)
      .toBe(2)
    await page.getByLabel('What to (id)').fill('people')
    await page.keyboard.press('Enter')
    await page.getByRole('row', { name: /orders/ }).waitFor({ state: 'detached' })
    await page.getByRole('row', { name: /people/ }).waitFor()
    await page.getByLabel('Until').fill('2020-01-01T00:00')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByRole('heading', { name: 'Nothing to see' }).waitFor()
    await visit.expectWell()
  })

  it('shows of a long setting just what differs in it', async () => {
    const { api } = console_.gateway
    const fields = ['a', 'b', 'c'].map((id) => ({ id, title: id.toUpperCase(), type: 'text' }))
    await api.post('/v1/catalogs', { id: 'long', title: 'Long', fields })
    await api.patch('/v1/catalogs/long', {
      fields: fields.map((one) => (one.id === 'b' ? { ...one, title: 'Second' } : one)),
    })
    const visit = await console_.open('audit?target=long')
    const { page } = visit
    const changed = page.getByRole('row', { name: /Catalog changed/ })
    await changed.waitFor()
    expect(await changed.locator('li').allTextContents()).toEqual([
      'fields.1.title was B is Second',
    ])
    const made = page.getByRole('row', { name: /Catalog created/ })
    await made.locator('summary', { hasText: '10 differences' }).click()
    await made.getByText('fields.2.type').waitFor()
    await visit.expectWell()
  })

  it('leads to older rows, each once', async () => {
    const { api } = console_.gateway
    await api.post('/v1/catalogs', { id: 'many', title: 'Many' })
    for (let n = 0; n < 110; n++) await api.patch('/v1/catalogs/many', { title: `Title ${n}` })
    const { items } = (await api.get('/v1/audit?limit=200')).json
    const visit = await console_.open('audit')
    const { page } = visit
    const rows = page.locator('tbody tr')
    await rows.first().waitFor()
    expect(await rows.count()).toBe(50)
    await page.getByRole('button', { name: 'Older' }).click()
    await expect.poll(() => rows.count(), patiently).toBe(100)
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByRole('button', { name: 'Older' }).waitFor({ state: 'detached' })
    expect(await rows.count()).toBe(items.length)
  })

  it('is verified, with a checkpoint to note', async () => {
    const { api } = console_.gateway
    for (const id of ['v1', 'v2']) await api.post('/v1/catalogs', { id, title: id })
    const { checkpoint } = await eventually('a checkpoint over all rows', async () => {
      const { json } = await api.get('/v1/audit/verify')
      return json.checkpoint?.seq === json.checked && json.checked > 0 ? json : null
    })
    const visit = await console_.open('audit')
    const { page } = visit
    await page.getByRole('button', { name: 'Verify' }).click()
    await page.getByText(/rows are as they were written/).waitFor()
    const hash = await page.getByLabel('Hash of the checkpoint').textContent()
    expect(hash?.trim()).toBe(checkpoint.hash)
    await visit.expectWell()
  })

  it('names the first broken row and says in words what is wrong with it', async () => {
    const visit = await console_.open('audit')
    const { page } = visit
    const said = new Set<string>()
    for (const reason of BROKEN_REASONS) {
      await page.route('**/v1/audit/verify*', (call) =>
        call.fulfill({
          json: { ok: false, checked: 6, firstBroken: { seq: 7, reason }, checkpoint: null },
        }),
      )
      const answered = page.waitForResponse('**/v1/audit/verify*')
      await page.getByRole('button', { name: 'Verify' }).click()
      await answered
      const note = page.locator('.note.bad', { hasText: 'cannot be trusted from row 7 on.' })
      await expect
        .poll(async () => said.has((await note.textContent()) ?? ''), patiently)
        .toBe(false)
      said.add((await note.textContent()) ?? '')
    }
    expect(said.size).toBe(BROKEN_REASONS.length)
    await visit.expectWell()
  })

  it('fits a phone', async () => {
    await console_.gateway.api.post('/v1/catalogs', { id: 'small', title: 'Small' })
    const visit = await console_.open('audit', { viewport: PHONE, colorScheme: 'dark' })
    await visit.page.locator('tbody tr').first().waitFor()
    await visit.expectWell()
  })
})

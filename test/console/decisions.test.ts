import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import {
  allow,
  deny,
  hang,
  reply,
  startValidator,
  type ValidatorServer,
} from '../support/validator-server.ts'
import { Console, PHONE, type Visit } from './browser.ts'

/** Markup, and a mark that would turn the text behind it around. */
const NASTY = '<img src=x onerror=alert(1)> \u202Eno'

let console_: Console
const servers: ValidatorServer[] = []
const validator = async (behave = allow): Promise<ValidatorServer> => {
  const server = await startValidator(behave)
  servers.push(server)
  return server
}

beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(async () => {
  await console_.close()
  for (const one of servers) await one.close()
})

const api = () => console_.gateway.api
const approve = async (request: Record<string, unknown>): Promise<any> => {
  const { status, json, text } = await api().approve(request)
  if (status !== 200) throw new Error(text)
  return json
}
const rows = ({ page }: Visit) =>
  page.getByRole('region', { name: 'Decisions' }).locator('tbody tr')

describe('the log of decisions', () => {
  it('says what to do while it is empty, and then follows what happens', async () => {
    const visit = await console_.open('decisions')
    const { page } = visit
    await page.getByRole('heading', { name: 'No decisions yet' }).waitFor()
    await visit.expectWell()
    const stock = await validator(deny(`Not in stock ${NASTY}`))
    await api().subscribe({ name: 'Stock check', catalogId: 'orders', url: stock.url })
    await approve({
      catalogId: 'orders',
      recordId: 'o-1',
      user: { id: 'anna', title: 'Anna Karenina' },
    })
    const row = rows(visit).first()
    await row.getByText('denied').waitFor()
    const cells = await row.locator('td').allTextContents()
    expect(cells.slice(2, 6)).toEqual(['record.before.created', 'orders', 'o-1', 'Anna Karenina'])
    expect(cells[6]).toContain('Not in stock <img')
    expect(cells[7]).toBe('Stock check')
    expect(cells[8]).toMatch(/ms|sec/)
    await visit.expectWell()
    await approve({ catalogId: 'things', recordId: 't-1' })
    await rows(visit).first().getByText('allowed').waitFor()
    expect(await rows(visit).count()).toBe(2)
    await page.getByRole('status').filter({ hasText: '1 new decision' }).waitFor()
  })

  it('stands still while it is paused', async () => {
    await approve({ commit: 'none' })
    const visit = await console_.open('decisions')
    const { page } = visit
    await rows(visit).first().waitFor()
    await page.clock.install()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused', { exact: true }).waitFor()
    let asked = 0
    page.on('request', (request) => {
      if (request.url().includes('/v1/decisions')) asked += 1
    })
    await approve({ catalogId: 'paused', recordId: 'p-1' })
    await page.clock.runFor(10_000)
    await visit.expectWell()
    expect(asked).toBe(0)
    expect(await rows(visit).filter({ hasText: 'paused' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Resume' }).click()
    await rows(visit).filter({ hasText: 'paused' }).waitFor()
  })

  it('is filtered by the address, which the filters write', async () => {
    const shop = await validator()
    const { id } = await api().subscribe({ name: 'Shop', catalogId: 'shop', url: shop.url })
    await approve({ catalogId: 'shop', recordId: 's-1' })
    await approve({ catalogId: 'shop', recordId: 's-2' })
    const stock = await validator(deny('Sold out'))
    await api().subscribe({ name: 'Sold', catalogId: 'shop', order: 5, url: stock.url })
    await approve({ catalogId: 'shop', recordId: 's-3' })
    const visit = await console_.open(`decisions?subscriptionId=${id}`)
    const { page } = visit
    await eventually('its three', async () => (await rows(visit).count()) === 3)
    await page.getByLabel('Decision', { exact: true }).selectOption('allow')
    await eventually('the allowed', async () => (await rows(visit).count()) === 2)
    await page.getByLabel('Record id').fill('s-2')
    await eventually('the one', async () => (await rows(visit).count()) === 1)
    const { hash } = new URL(page.url())
    expect(Object.fromEntries(new URLSearchParams(hash.split('?')[1]))).toEqual({
      decision: 'allow',
      subscriptionId: id,
      recordId: 's-2',
    })
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await page.getByLabel('Catalog').selectOption('shop')
    await page.getByLabel('Text').fill('sold OUT')
    await eventually('the refused', async () => (await rows(visit).count()) === 1)
    expect(await rows(visit).textContent()).toContain('s-3')
    await page.reload()
    await eventually('the same', async () => (await rows(visit).count()) === 1)
    expect(await page.getByLabel('Text').inputValue()).toBe('sold OUT')
    await page.getByLabel('Text').fill('nobody says this')
    await page.getByRole('heading', { name: 'No decision fits these filters' }).waitFor()
    await visit.expectWell()
  })

  it('shows earlier decisions when asked', async () => {
    for (let n = 0; n < 210; n++)
      await approve({ catalogId: 'many', commit: 'none', recordId: `m-${n}` })
    const visit = await console_.open('decisions?catalogId=many')
    const { page } = visit
    await page.getByText('200 decisions', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByText('210 decisions', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Older' }).waitFor({ state: 'hidden' })
    const region = page.getByRole('region', { name: 'Decisions' })
    await region.focus()
    await page.keyboard.press('End')
    await rows(visit).getByText('m-0', { exact: true }).waitFor()
    expect(await rows(visit).count()).toBeLessThan(60)
    const last = rows(visit).getByText('m-5', { exact: true })
    const before = await last.boundingBox()
    await approve({ catalogId: 'many', commit: 'none', recordId: 'late' })
    await page.getByText('211 decisions', { exact: true }).waitFor()
    expect((await last.boundingBox())?.y).toBeCloseTo(before?.y ?? 0, 0)
    await visit.expectWell()
  })

  it('says that the gateway does not answer, and goes on when it does', async () => {
    await approve({ commit: 'none' })
    const visit = await console_.open('decisions')
    const { page } = visit
    await rows(visit).first().waitFor()
    await page.route('**/v1/decisions*', (route) => route.abort())
    await page.getByRole('alert').waitFor()
    await visit.expectWell()
    await page.unroute('**/v1/decisions*')
    await page.getByRole('alert').waitFor({ state: 'hidden' })
  })
})

describe('the page of a decision', () => {
  it('explains a refusal: the change, each validator, who was not concerned, what was seen', async () => {
    const catalogId = 'explained'
    await approve({ catalogId, recordId: 'e-1', values: { status: 'new', total: 10, note: 'x' } })
    const refusing = await validator(
      deny(`Too much ${NASTY}`, { field: 'total', code: 'over_limit' }),
    )
    const slow = await validator(hang)
    const updated = { catalogId, events: ['record.before.updated'] }
    await api().subscribe({ name: 'Others', catalogId, url: slow.url })
    await api().subscribe({ ...updated, name: 'Limits', url: refusing.url })
    await api().subscribe({
      ...updated,
      name: 'Slowpoke',
      url: slow.url,
      timeoutMs: 60,
      onFailure: 'allow',
    })
    await api().subscribe({
      ...updated,
      name: 'Only paid',
      url: slow.url,
      conditions: [
        { field: 'total', op: 'exists' },
        { field: 'status', op: 'eq', value: 'paid' },
      ],
    })
    const { id } = await approve({
      event: 'record.before.updated',
      catalogId,
      recordId: 'e-1',
      values: { total: 5000, extra: { a: 1 } },
      user: { id: 'anna', title: 'Anna' },
      context: { channel: 'phone' },
      denyGraceMs: 2_000,
    })
    const visit = await console_.open('decisions?catalogId=explained')
    const { page } = visit
    await rows(visit).first().getByRole('link').click()
    await page
      .getByRole('heading', { name: 'A record was to be changed: explained / e-1' })
      .waitFor()
    expect(new URL(page.url()).hash).toBe(`#/decisions/${id}`)
    const card = (title: string) =>
      page
        .locator('section')
        .filter({ has: page.getByRole('heading', { name: title, exact: true }) })
    await page.getByText(`Refused by Limits: Too much <img`).waitFor()
    expect(await card('Change').locator('tbody tr').allTextContents()).toEqual([
      'total changed105000',
      'extra changed–{"a":1}',
    ])
    await page.getByLabel('Show 2 unchanged fields').check()
    expect(await card('Change').locator('tbody tr').count()).toBe(4)
    const lines = card('Verdicts').locator('li:has(.bar)')
    expect(await lines.count()).toBe(2)
    const limits = (await lines.nth(0).textContent()) ?? ''
    expect(limits).toContain('denies')
    expect(limits).toContain('HTTP 200')
    expect(limits).toContain('over_limit')
    const slowpoke = (await lines.nth(1).textContent()) ?? ''
    expect(slowpoke).toContain('could not be asked')
    expect(slowpoke).toContain('no answer in time')
    expect(slowpoke).toContain('The failure policy allowed.')
    expect(slowpoke).toContain('deadline 60 ms')
    expect(await lines.nth(0).locator('.bar > .bad').count()).toBe(1)
    expect(await lines.nth(1).locator('.bar > .warn').count()).toBe(1)
    const considered = card('Subscriptions considered').getByRole('row')
    expect(await considered.filter({ hasText: 'Only paid' }).textContent()).toContain(
      'Condition 2 did not hold: values.status eq "paid"',
    )
    expect(await considered.filter({ hasText: 'Limits' }).textContent()).toContain('matched')
    expect(await considered.filter({ hasText: 'Others' }).textContent()).toContain(
      'does not listen to this event',
    )
    expect(await card('What the editor saw').textContent()).toContain('Too much <img')
    expect(await page.locator('main img').count()).toBe(0)
    await card('Notifications').getByText('Nobody was told.').waitFor()
    const facts = (await card('Circumstances').textContent()) ?? ''
    expect(facts).toContain('1 → –')
    expect(facts).toContain('by the gateway; not written')
    expect(facts).toContain('"channel": "phone"')
    await page.getByText('Everything as JSON').click()
    await page.getByRole('region', { name: 'Everything as JSON' }).getByText(id).waitFor()
    await visit.expectWell()
  })

  it('shows suggestions, their conflict, warnings, versions and whom it told', async () => {
    const catalogId = 'priced'
    const suggesting = (price: number, extra: object) =>
      validator(reply(200, { decision: 'allow', values: { price }, ...extra }))
    const one = await suggesting(7, { warnings: [{ message: 'Cheap', field: 'price' }] })
    const other = await suggesting(8, {})
    const created = { catalogId, mayChange: ['price'] }
    await api().subscribe({ ...created, name: 'Prices', url: one.url })
    await api().subscribe({ ...created, name: 'Discounts', url: other.url })
    const receiver = await validator(reply(200, ''))
    await api().subscribe({
      catalogId,
      name: 'Warehouse',
      events: ['record.created'],
      url: receiver.url,
    })
    const { id } = await approve({ catalogId, recordId: 'p-1', values: { title: 'Tea' } })
    const visit = await console_.open(`decisions/${id}`)
    const { page } = visit
    await page.getByText('2 validators had nothing against it.').waitFor()
    const price = page.getByRole('row').filter({ hasText: 'price' }).first()
    expect(await price.textContent()).toContain('7by Prices; differently by Discounts')
    await page.getByText('price: taken from Prices, not from Discounts').waitFor()
    expect(await page.locator('li').getByText('Cheap', { exact: true }).count()).toBe(2)
    await page.getByText('– → 1').waitFor()
    const told = page.getByRole('region', { name: 'Notifications' }).getByRole('row').nth(1)
    await told.getByText('delivered', { exact: true }).waitFor()
    expect(await told.textContent()).toContain('Warehouse')
    await visit.expectWell()
    await told.getByRole('link').click()
    await page.getByRole('heading', { name: 'Delivery', exact: true }).waitFor()
  })

  it('tells of a confirmation, of a caller’s own commit, and of a policy that let it through', async () => {
    const asking = await validator(
      reply(200, { decision: 'confirm', warnings: [{ message: 'Really?' }] }),
    )
    await api().subscribe({ name: 'Careful', catalogId: 'careful', url: asking.url })
    const asked = await approve({ catalogId: 'careful', recordId: 'c-1' })
    expect(asked.decision).toBe('confirm')
    const visit = await console_.open(`decisions/${asked.id}`)
    const { page } = visit
    await page.getByText('A confirmation is wanted by Careful').waitFor()
    const own = await approve({ catalogId: 'own', recordId: 'o-1', commit: 'caller' })
    await visit.go(`decisions/${own.id}`)
    await page.getByText('by the caller; the caller has not committed yet').waitFor()
    await page.getByText('Nobody had to be asked.').waitFor()
    const broken = await validator(reply(500, 'out of order'))
    await api().subscribe({
      name: 'Broken',
      catalogId: 'broken',
      url: broken.url,
      onFailure: 'allow',
    })
    const degraded = await approve({ catalogId: 'broken', recordId: 'b-1' })
    await visit.go(`decisions/${degraded.id}`)
    await page
      .getByText('Let through by policy although this validator could not be asked: Broken')
      .waitFor()
    await page.getByText('degraded', { exact: true }).waitFor()
    await visit.expectWell()
    await visit.go('decisions/dec_nothing')
    await page.getByRole('alert').waitFor()
    await visit.expectWell()
  })

  it.each([
    ['ru-RU', 'Решения', 'Вердикты', 'Рассмотренные подписки'],
    ['uk-UA', 'Рішення', 'Вердикти', 'Розглянуті підписки'],
  ] as const)(
    'speaks %s, on a phone and in the dark',
    async (locale, title, verdicts, considered) => {
      await approve({ catalogId: 'orders', commit: 'none' })
      const visit = await console_.open('decisions', {
        locale,
        viewport: PHONE,
        colorScheme: 'dark',
      })
      const { page } = visit
      await page.getByRole('heading', { name: title, level: 1 }).waitFor()
      await page.getByRole('region', { name: title }).getByRole('link').first().waitFor()
      await visit.expectWell()
      await page.getByRole('region', { name: title }).getByRole('link').first().click()
      await page.getByRole('heading', { name: verdicts }).waitFor()
      await page.getByRole('heading', { name: considered }).waitFor()
      await visit.expectWell()
    },
  )
})

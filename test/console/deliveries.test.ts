import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { reply, startValidator, type ValidatorServer } from '../support/validator-server.ts'
import { Console, PHONE, type Visit } from './browser.ts'

const NASTY = '<img src=x onerror=alert(1)>'
const taken = reply(200, 'thank you')
const failing = reply(503, `come back later ${NASTY}`)

let console_: Console
const servers: ValidatorServer[] = []
beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(async () => {
  for (const one of servers) one.behave = taken
  await console_.close()
  for (const one of servers) await one.close()
})

const api = () => console_.gateway.api

/** A receiver of this name that gives up at the first failure. */
async function receiver(name: string, behave = taken) {
  const server = await startValidator(behave)
  servers.push(server)
  const { id } = await api().subscribe({
    name,
    catalogId: name,
    url: server.url,
    events: ['record.created'],
    retry: { preset: 'none' },
  })
  return { server, id: id as string, name }
}

type Receiver = Awaited<ReturnType<typeof receiver>>

/** So many records are told to it, and that has ended. */
async function tell({ id, name }: Receiver, count: number): Promise<any[]> {
  for (let n = 1; n <= count; n++) {
    const { json, text } = await api().approve({ catalogId: name, recordId: `r-${n}` })
    if (json.committed !== true) throw new Error(text)
  }
  return eventually('all have ended', async () => {
    const { json } = await api().get(`/v1/deliveries?subscriptionId=${id}&limit=200`)
    const { items } = json
    return items.length === count && items.every((one: any) => one.endedAt !== null) && items
  })
}

const rows = ({ page }: Visit) =>
  page.getByRole('region', { name: 'Deliveries' }).locator('tbody tr')

describe('deliveries', () => {
  it('say what to do while there are none', async () => {
    const visit = await console_.open('deliveries')
    await visit.page.getByRole('heading', { name: 'Nothing has been delivered yet' }).waitFor()
    await visit.page.getByRole('link', { name: 'Add a subscription' }).waitFor()
    await visit.expectWell()
  })

  it('are listed by subscription, state and record, with what became of them', async () => {
    const good = await receiver('good')
    const bad = await receiver('bad', failing)
    await tell(good, 2)
    await tell(bad, 3)
    const visit = await console_.open('deliveries')
    const { page } = visit
    await eventually('all five', async () => (await rows(visit).count()) === 5)
    await visit.expectWell()
    await page.getByLabel('Subscription').selectOption({ label: 'bad' })
    await eventually('its three', async () => (await rows(visit).count()) === 3)
    const cells = await rows(visit).first().locator('td').allTextContents()
    expect(cells.slice(1)).toEqual([
      'bad',
      '3',
      'record.created',
      'bad / r-3',
      'given up',
      '1',
      '–',
      '503',
    ])
    await page.getByLabel('Record id').fill('r-2')
    await eventually('the one', async () => (await rows(visit).count()) === 1)
    await page.reload()
    await eventually('the same', async () => (await rows(visit).count()) === 1)
    await page.getByLabel('State').selectOption('delivered')
    await page.getByRole('heading', { name: 'No delivery fits these filters' }).waitFor()
    await visit.expectWell()
    await page.getByRole('button', { name: 'Clear filters' }).click()
    await eventually('all again', async () => (await rows(visit).count()) === 5)
  })

  it('are read page by page', async () => {
    const many = await receiver('many')
    await tell(many, 55)
    const visit = await console_.open(`deliveries?subscriptionId=${many.id}`)
    await eventually('a page', async () => (await rows(visit).count()) === 50)
    await visit.page.getByRole('button', { name: 'Show more' }).click()
    await eventually('all', async () => (await rows(visit).count()) === 55)
    expect(await visit.page.getByRole('button', { name: 'Show more' }).count()).toBe(0)
  })

  it('of another filter never get in between, and none is there twice', async () => {
    const [one, other] = [await receiver('one-of-two'), await receiver('other-of-two')]
    await tell(one, 105)
    await tell(other, 3)
    const visit = await console_.open(`deliveries?subscriptionId=${one.id}`)
    const { page } = visit
    const more = page.getByRole('button', { name: 'Show more' })
    await more.dblclick()
    await eventually('two pages', async () => (await rows(visit).count()) === 100)
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    await page.route('**/v1/deliveries?*cursor=*', async (route) => {
      await released
      await route.continue()
    })
    const late = page.waitForResponse('**/v1/deliveries?*cursor=*')
    await more.click()
    await page.getByLabel('Subscription').selectOption({ label: 'other-of-two' })
    await eventually('the other', async () => (await rows(visit).count()) === 3)
    release()
    await (await late).finished()
    expect(await rows(visit).count()).toBe(3)
  })

  it('that were read on stay while a replay gets on', async () => {
    const long = await receiver('read-on')
    await tell(long, 55)
    const visit = await console_.open(`deliveries?subscriptionId=${long.id}`)
    const { page } = visit
    await page.getByRole('button', { name: 'Show more' }).click()
    await eventually('all', async () => (await rows(visit).count()) === 55)
    const replay = {
      id: 'rpl_1',
      fromSequenceId: 1,
      toSequenceId: 100,
      requestedAt: '2026-01-01T00:00:00Z',
    }
    await page.route('**/replays', (route) =>
      route.fulfill({ json: { items: [{ ...replay, nextSequenceId: 51 }] } }),
    )
    await page.getByRole('progressbar', { name: '50%' }).waitFor()
    expect(await rows(visit).count()).toBe(55)
  })

  it('show each attempt with its reply as text, and are sent again when asked', async () => {
    const flaky = await receiver('flaky', failing)
    await tell(flaky, 1)
    const visit = await console_.open(`deliveries?subscriptionId=${flaky.id}`)
    const { page } = visit
    await rows(visit).first().getByRole('link').first().click()
    await page.getByRole('heading', { name: '1 attempt' }).waitFor()
    const first = page.getByRole('article').first()
    await first.getByText('HTTP 503').waitFor()
    await first.getByText(`come back later ${NASTY}`).waitFor()
    expect(await page.locator('main img').count()).toBe(0)
    await first.getByText('Request headers').click()
    await first.getByText('webhook-id:').waitFor()
    await page.getByText('given up').waitFor()
    await page.getByRole('main').getByRole('link', { name: 'flaky', exact: true }).waitFor()
    await visit.expectWell()
    flaky.server.behave = taken
    await page.getByRole('button', { name: 'Send again now' }).click()
    await page.getByRole('heading', { name: '2 attempts' }).waitFor()
    await page.getByText('delivered', { exact: true }).waitFor()
    await page.getByText('thank you').waitFor()
    expect(flaky.server.received.length).toBe(2)
    await visit.expectWell()
  })

  it('say why they cannot be sent again', async () => {
    const leaving = await receiver('leaving', failing)
    const [delivery] = await tell(leaving, 1)
    const visit = await console_.open(`deliveries/${delivery.id}`)
    const { page } = visit
    await page.getByRole('heading', { name: '1 attempt' }).waitFor()
    await api().delete(`/v1/subscriptions/${leaving.id}`)
    await page.getByRole('button', { name: 'Send again now' }).click()
    await page.getByRole('alert').waitFor()
    await visit.expectWell()
    await visit.go('deliveries/del_nothing')
    await page.getByRole('alert').waitFor()
    await visit.expectWell()
  })
})

describe('a replay', () => {
  it('is counted first, and then sent', async () => {
    const lost = await receiver('lost', failing)
    await tell(lost, 4)
    lost.server.behave = taken
    lost.server.received.length = 0
    const visit = await console_.open('deliveries')
    const { page } = visit
    await page.getByRole('button', { name: 'Send again…' }).click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.getByRole('button', { name: 'Count first' }).isDisabled()).toBe(true)
    await dialog.getByLabel('Subscription').selectOption({ label: 'lost' })
    await dialog.getByLabel('From number').fill('2')
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Count first' }).click()
    await dialog.getByText('3 deliveries would be sent again.').waitFor()
    await visit.expectWell()
    // What is counted is what is sent: another range has to be counted again.
    await dialog.getByLabel('To number').fill('3')
    expect(await dialog.getByRole('button', { name: /^Send \d/ }).count()).toBe(0)
    await dialog.getByRole('button', { name: 'Count first' }).click()
    await dialog.getByText('2 deliveries would be sent again.').waitFor()
    expect(lost.server.received).toEqual([])
    await dialog.getByRole('button', { name: 'Send 2 again' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByText('2 deliveries are being sent again.').waitFor()
    await eventually('both', () => lost.server.received.length === 2)
    expect(new URL(page.url()).hash).toBe(`#/deliveries?subscriptionId=${lost.id}`)
    await page.getByRole('button', { name: 'Refresh' }).click()
    await rows(visit).getByText('delivered').first().waitFor()
    const numbers = lost.server.received.map(({ json }) => json.data.sequenceId)
    expect(new Set(numbers)).toEqual(new Set([2, 3]))
  })

  it('of a range that is none is refused at its field, and what was chosen stays', async () => {
    const ranged = await receiver('ranged')
    await tell(ranged, 1)
    const visit = await console_.open(`deliveries?subscriptionId=${ranged.id}`)
    const { page } = visit
    await page.getByRole('button', { name: 'Send again…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('delivered').check()
    await dialog.getByLabel('Planned from').fill('2026-03-02T10:00')
    await dialog.getByLabel('Planned before').fill('2026-03-01T10:00')
    await dialog.getByRole('button', { name: 'Count first' }).click()
    await dialog.locator('.field', { hasText: 'Planned before' }).getByRole('alert').waitFor()
    expect(await dialog.getByLabel('Planned from').inputValue()).toBe('2026-03-02T10:00')
    await visit.expectWell()
    await dialog.getByLabel('Planned before').fill('')
    await dialog.getByLabel('Planned from').fill('2999-01-01T00:00')
    await dialog.getByRole('button', { name: 'Count first' }).click()
    await dialog.getByText('0 deliveries would be sent again.').waitFor()
    expect(await dialog.getByRole('button', { name: /^Send \d/ }).count()).toBe(0)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
  })

  it('shows how far it is while it is under way', async () => {
    const long = await receiver('long')
    await tell(long, 1)
    const visit = await console_.open('deliveries')
    const { page } = visit
    let next = 251
    const underWay = () => ({
      id: 'rpl_1',
      fromSequenceId: 1,
      toSequenceId: 1_000,
      nextSequenceId: next,
      requestedAt: new Date().toISOString(),
    })
    await page.route('**/replays', (route) =>
      route.fulfill({ json: { items: next > 1_000 ? [] : [underWay()] } }),
    )
    await page.getByLabel('Subscription').selectOption({ label: 'long' })
    await page.getByRole('progressbar', { name: 'Numbers 1 to 1,000: 25%' }).waitFor()
    await visit.expectWell()
    next = 601
    await page.getByRole('progressbar', { name: 'Numbers 1 to 1,000: 60%' }).waitFor()
    next = 1_001
    await page.getByRole('progressbar').waitFor({ state: 'detached' })
  })
})

describe('whoever may only read', () => {
  it('is offered nothing that would be refused', async () => {
    const seen = await receiver('seen', failing)
    const [delivery] = await tell(seen, 1)
    const { json } = await api().post('/v1/keys', { name: 'Reader', scopes: ['read'] })
    const visit = await console_.visit()
    const { page } = visit
    await page.goto(`${console_.gateway.url}/console#/deliveries/${delivery.id}`)
    await page.fill('input[type=password]', json.key)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: '1 attempt' }).waitFor()
    expect(await page.getByRole('button', { name: 'Send again now' }).count()).toBe(0)
    await visit.go('deliveries')
    await rows(visit).first().waitFor()
    expect(await page.getByRole('button', { name: 'Send again…' }).count()).toBe(0)
    expect(visit.faults).toEqual([])
  })
})

describe('in other languages', () => {
  it.each([
    ['ru-RU', 'Отправить повторно…', 'Повторная отправка', '1 попытка'],
    ['uk-UA', 'Надіслати повторно…', 'Повторне надсилання', '1 спроба'],
  ] as const)('speaks %s, on a phone and in the dark', async (locale, again, dialog, attempts) => {
    const told = await receiver(`told-${locale}`)
    const [delivery] = await tell(told, 1)
    const visit = await console_.open(`deliveries?subscriptionId=${told.id}`, {
      locale,
      viewport: PHONE,
      colorScheme: 'dark',
    })
    const { page } = visit
    await page.getByRole('heading', { name: 'Доставки', level: 1 }).waitFor()
    await page.getByRole('region', { name: 'Доставки' }).waitFor()
    await visit.expectWell()
    await page.getByRole('button', { name: again }).click()
    await page.getByRole('dialog', { name: dialog }).waitFor()
    await visit.expectWell()
    await visit.go(`deliveries/${delivery.id}`)
    await page.getByRole('heading', { name: attempts }).waitFor()
    await visit.expectWell()
  })
})

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
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

let console_: Console
let validator: ValidatorServer
beforeAll(async () => {
  console_ = await Console.start()
  validator = await startValidator()
  await console_.gateway.api.post('/v1/catalogs', {
    id: 'orders',
    title: 'Orders',
    fields: [
      { id: 'amount', title: 'Amount', type: 'number' },
      { id: 'paid', title: 'Paid', type: 'boolean' },
      { id: 'note', title: 'Note', type: 'text' },
    ],
  })
})
afterAll(async () => {
  await validator.close()
  await console_.close()
})

/** Each test finds an account without subscriptions. */
beforeEach(async () => {
  validator.behave = allow
  validator.received.length = 0
  const { items } = (await console_.gateway.api.get('/v1/subscriptions?limit=200')).json
  for (const { id } of items) await console_.gateway.api.delete(`/v1/subscriptions/${id}`)
})

const read = async (id: string): Promise<any> =>
  (await console_.gateway.api.get(`/v1/subscriptions/${id}`)).json

const onlyOne = async (): Promise<any> =>
  (await console_.gateway.api.get('/v1/subscriptions')).json.items[0]

const subscribe = (settings: Record<string, unknown> = {}): Promise<any> =>
  console_.gateway.api.subscribe({ name: 'Limits', url: validator.url, ...settings })

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true })
const field = (page: Page, name: string) => page.getByLabel(name, { exact: true })
const group = (page: Page, name: string) => page.locator('summary', { hasText: name })

describe('the list', () => {
  it('says what a subscription is where there is none, and leads to the form', async () => {
    const visit = await console_.open('subscriptions')
    const { page } = visit
    await heading(page, 'No subscriptions yet').waitFor()
    await visit.expectWell()
    expect(await page.getByRole('main').getByRole('link', { name: 'First steps' }).count()).toBe(1)
    await page.getByRole('main').getByRole('link', { name: 'New subscription' }).first().click()
    await heading(page, 'New subscription').waitFor()
  })

  it('shows how each is doing, and what one in shadow would have denied', async () => {
    const other = await startValidator(deny('too much'))
    await subscribe({ name: 'Enforced' })
    const shadow = await subscribe({ name: 'Trial', url: other.url, mode: 'shadow' })
    const off = await subscribe({ name: 'Asleep', active: false })
    for (const _ of [1, 2, 3]) await console_.gateway.api.approve({ commit: 'none' })
    const visit = await console_.open('subscriptions')
    const { page } = visit
    const row = (name: string) => page.getByRole('row').filter({ hasText: name })
    await row('Trial').getByText('would have denied 3 of 3').waitFor()
    await row('Enforced').getByText('denied 0 of 3').waitFor()
    await row('Enforced').getByText('closed').waitFor()
    await row('Enforced').getByText('3 calls').waitFor()
    await row('Asleep').getByText('disabled by hand').waitFor()
    const href = await row('Trial').getByRole('link', { name: 'Deliveries' }).getAttribute('href')
    expect(href).toBe(`#/deliveries?subscriptionId=${shadow.id}`)
    await visit.expectWell()
    await field(page, 'Search').fill('TRIAL')
    await row('Enforced').waitFor({ state: 'detached' })
    await row('Trial').waitFor()
    await field(page, 'Search').fill('')
    await field(page, 'State').selectOption('disabled')
    await row('Trial').waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Asleep', exact: true }).click()
    await heading(page, 'Asleep').waitFor()
    expect(page.url()).toContain(off.id)
    await other.close()
  })
})

/** The part of the form that everybody fills in. */
async function fillBasics(page: Page, name: string): Promise<void> {
  await field(page, 'Name').fill(name)
  await field(page, 'Catalog').fill('orders')
  await field(page, 'URL').fill(validator.url)
}

describe('the form', () => {
  it('subscribes with a name and a URL, and shows the secret this once', async () => {
    const visit = await console_.open('subscriptions/new')
    const { page } = visit
    await heading(page, 'New subscription').waitFor()
    await visit.expectWell()
    await fillBasics(page, 'Limits')
    await button(page, 'Subscribe').click()
    await heading(page, 'Limits').waitFor()
    const secret = await page.getByLabel('Signing secret').innerText()
    expect(secret).toMatch(/^whsec_/)
    await button(page, 'Copy').waitFor()
    await visit.expectWell()
    const made = await onlyOne()
    expect(made).toMatchObject({ name: 'Limits', catalogId: 'orders', mode: 'enforce' })
    await button(page, 'I have copied it').click()
    await page.getByText(secret).waitFor({ state: 'detached' })
    await visit.go('subscriptions')
    await page.getByRole('link', { name: 'Limits', exact: true }).click()
    await heading(page, 'Limits').waitFor()
    expect(await page.content()).not.toContain(secret)
    await console_.gateway.api.approve({ catalogId: 'orders', commit: 'none' })
    expect(validator.received).toHaveLength(1)
  })

  it('says at each field what is wrong with it, opens where that is, and keeps what was typed', async () => {
    const visit = await console_.open('subscriptions/new')
    const { page } = visit
    await fillBasics(page, 'Wrong one')
    await field(page, 'URL').fill('not a url')
    await group(page, 'How it is called').click()
    await field(page, 'Timeout, ms').fill('5')
    await group(page, 'How it is called').click()
    await group(page, 'TLS').click()
    await field(page, 'Client certificate (PEM)').fill('no certificate')
    await group(page, 'TLS').click()
    await group(page, 'Which changes').click()
    await button(page, 'Add a condition').click()
    await button(page, 'Subscribe').click()
    await page.getByText('expected number to be >=50').last().waitFor()
    await field(page, 'Timeout, ms').waitFor()
    expect(await field(page, 'Timeout, ms').getAttribute('aria-invalid')).toBe('true')
    expect(await page.getByRole('group', { name: 'Condition 1' }).getByRole('alert').count()).toBe(
      1,
    )
    expect(await field(page, 'Name').inputValue()).toBe('Wrong one')
    await visit.expectWell()
    await field(page, 'Timeout, ms').fill('900')
    await button(page, 'Remove condition 1').click()
    await button(page, 'Subscribe').click()
    await page.locator('.wrong', { hasText: 'The URL holds' }).waitFor()
    await page.locator('.wrong', { hasText: 'These settings are for https' }).waitFor()
    await field(page, 'Client certificate (PEM)').fill('')
    expect(await field(page, 'URL').getAttribute('aria-invalid')).toBe('true')
    await field(page, 'URL').fill(validator.url)
    await button(page, 'Subscribe').click()
    await heading(page, 'Wrong one').waitFor()
    expect((await onlyOne()).timeoutMs).toBe(900)
  })

  it('sets every setting', async () => {
    await console_.gateway.api.post('/v1/event-types', {
      name: 'order.paid',
      title: { en: 'An order was paid' },
      catalogId: 'orders',
    })
    const visit = await console_.open('subscriptions/new')
    const { page } = visit
    await fillBasics(page, 'Everything')
    await field(page, 'URL').fill(`${validator.url}/{id}`)
    await page.getByLabel('before a record is deleted').check()
    await page.getByLabel('before a record is created').uncheck()
    await page.getByLabel('a record was created (').check()
    await page.getByLabel('An order was paid').check()
    await field(page, 'What its answer does').selectOption('shadow')
    await page.getByLabel('Active from the start').uncheck()
    await fillWhich(page)
    await fillCall(page)
    await fillAccess(page)
    await fillAnswer(page)
    await fillProtection(page)
    await visit.expectWell()
    await button(page, 'Subscribe').click()
    await heading(page, 'Everything').waitFor()
    expect(await page.getByLabel('Signing secret').innerText()).toBe(SECRET)
    await visit.expectWell()
    expect(await onlyOne()).toMatchObject({
      ...EVERYTHING,
      url: `${validator.url}/{id}`,
    })
  })

  it('changes what was changed and keeps the secrets that are stored', async () => {
    const { id } = await subscribe({
      auth: { type: 'bearer', token: 'the-token-of-old' },
      headers: { 'x-room': 'seven', 'x-hall': 'nine' },
    })
    const visit = await console_.open(`subscriptions/${id}/edit`)
    const { page } = visit
    await heading(page, 'Edit Limits').waitFor()
    await field(page, 'Name').fill('Bounds')
    await group(page, 'Authorization and headers').click()
    expect(await field(page, 'Token').inputValue()).toBe('')
    const values = page.getByLabel('Value', { exact: true })
    await values.first().fill('eight')
    await visit.expectWell()
    await console_.gateway.api.patch(`/v1/subscriptions/${id}`, { order: 7 })
    await button(page, 'Save').click()
    await heading(page, 'Bounds').waitFor()
    expect(await read(id)).toMatchObject({ name: 'Bounds', order: 7 })
    await console_.gateway.api.approve({ commit: 'none' })
    expect(validator.received.at(-1)?.headers).toMatchObject({
      authorization: 'Bearer the-token-of-old',
      'x-room': 'eight',
      'x-hall': 'nine',
    })
    await visit.go(`subscriptions/${id}/edit`)
    await group(page, 'Authorization and headers').click()
    await field(page, 'Token').fill('another-token-now')
    await button(page, 'Save').click()
    await page.getByText('Saved').first().waitFor()
    await eventually('the new token', async () => {
      await console_.gateway.api.approve({ commit: 'none' })
      return validator.received.at(-1)?.headers.authorization === 'Bearer another-token-now'
    })
  })
})

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const EVERYTHING = {
  name: 'Everything',
  active: false,
  mode: 'shadow',
  events: ['record.before.updated', 'record.before.deleted', 'record.created', 'order.paid'],
  fields: ['amount'],
  initiators: ['ann', 'bob'],
  conditions: [
    { field: 'amount', op: 'gte', value: 10 },
    { field: 'id', source: 'user', op: 'in', value: ['ann', 'eve'] },
  ],
  parameters: [
    { name: 'id', from: '/data/recordId' },
    { name: 'sum', from: '/data/values/amount' },
  ],
  method: 'PUT',
  timeoutMs: 1_500,
  auth: { type: 'custom', header: 'x-key', value: '***' },
  headers: { 'x-room': '***' },
  onFailure: { timeout: 'allow', unreachable: 'deny' },
  fallbackMessage: { en: 'Later, please.', uk: 'Пізніше.' },
  mayChange: ['note'],
  order: -3,
  breaker: { failureRate: 0.25, minimumCalls: 4, windowMs: 30_000 },
  maxConcurrency: 8,
  retry: { delaysMs: [1_000, 60_000] },
  maxPerSecond: 2.5,
  maxInFlight: 3,
} as const

async function fillWhich(page: Page): Promise<void> {
  await group(page, 'Which changes').click()
  await page.getByRole('group', { name: 'Watched fields' }).getByLabel('Amount').check()
  await field(page, 'Only changes by').fill('ann, bob')
  await button(page, 'Add a condition').click()
  const first = page.getByRole('group', { name: 'Condition 1' })
  await first.getByLabel('Field').fill('amount')
  await first.getByLabel('Comparison').selectOption('is at least')
  await first.getByLabel('Value', { exact: true }).fill('10')
  await button(page, 'Add a condition').click()
  await button(page, 'Add a condition').click()
  await button(page, 'Remove condition 2').click()
  const second = page.getByRole('group', { name: 'Condition 2' })
  await second.getByLabel('Where').selectOption('user')
  await second.getByLabel('Field').fill('id')
  await second.getByLabel('Comparison').selectOption('is one of')
  await second.getByLabel('Value', { exact: true }).fill('ann, eve')
}

async function fillCall(page: Page): Promise<void> {
  await group(page, 'How it is called').click()
  await field(page, 'Method').selectOption('PUT')
  await field(page, 'Timeout, ms').fill('1500')
  await field(page, 'Payload').selectOption('chosen')
  await button(page, 'Add /data/recordId').click()
  await button(page, 'Add /data/values/amount').click()
  const parameters = page.getByRole('group', { name: 'What is sent' })
  await parameters.getByLabel('Name').first().fill('id')
  await parameters.getByLabel('Name').last().fill('sum')
  await field(page, 'Signing secret').fill(SECRET)
}

async function fillAccess(page: Page): Promise<void> {
  await group(page, 'Authorization and headers').click()
  await field(page, 'Authorization').selectOption('custom')
  await field(page, 'Header').first().fill('x-key')
  await field(page, 'Value').nth(2).fill('a-value-to-keep')
  await button(page, 'Add a header').click()
  await field(page, 'Header').last().fill('x-room')
  await field(page, 'Value').last().fill('seven-of-nine')
  await group(page, 'TLS').click()
  await field(page, 'Trusted authorities (PEM)').waitFor()
}

async function fillAnswer(page: Page): Promise<void> {
  await group(page, 'Failures and suggestions').click()
  await field(page, 'When it cannot be asked').selectOption('byCause')
  await field(page, 'no answer in time').selectOption('allow')
  await field(page, 'English').fill('Later, please.')
  await field(page, 'Українська').fill('Пізніше.')
  await field(page, 'Fields that it may set').selectOption('some')
  await page.getByRole('group', { name: 'These fields' }).getByLabel('Note').check()
  await field(page, 'Order').fill('-3')
}

async function fillProtection(page: Page): Promise<void> {
  await group(page, 'Breaker and limits').click()
  await field(page, 'Share of failures').fill('0.25')
  await field(page, 'Of at least (calls)').fill('4')
  await field(page, 'Within, ms').fill('')
  await field(page, 'Questions at once').fill('8')
  await group(page, 'Notifications').click()
  await field(page, 'Repeat').selectOption('own')
  await field(page, 'Delays, seconds').fill('1, 60')
  await field(page, 'At most per second').fill('2.5')
  await field(page, 'Under way at once').fill('3')
}

describe('one subscription', () => {
  it('sends a test, and shows request and reply beside the verdict', async () => {
    const { id } = await subscribe({ catalogId: 'orders', events: ['record.before.updated'] })
    validator.behave = deny('<b>Too much</b>', { field: 'amount', code: 'limit' })
    const visit = await console_.open(`subscriptions/${id}`)
    const { page } = visit
    await heading(page, 'Send a test').waitFor()
    await field(page, 'Values (JSON)').fill('{"amount": 7000}')
    await field(page, 'Values before (JSON)').fill('{"amount": 5}')
    await field(page, 'User id').fill('ann')
    await button(page, 'Send').click()
    await page.getByText('denied', { exact: true }).waitFor()
    await page.getByText('<b>Too much</b>', { exact: true }).waitFor()
    await page.getByText('HTTP 200').waitFor()
    const sent = validator.received.at(-1)?.json
    expect(sent.data).toMatchObject({ values: { amount: 7000 }, prevValues: { amount: 5 } })
    expect(sent.data.user.id).toBe('ann')
    expect(await page.getByRole('region', { name: 'Request' }).innerText()).toContain('7000')
    expect(await page.getByRole('region', { name: 'Reply' }).innerText()).toContain('"decision"')
    await visit.expectWell()
    await field(page, 'Values (JSON)').fill('{"amount":')
    await button(page, 'Send').click()
    await page.locator('textarea:focus').waitFor()
    expect(validator.received).toHaveLength(1)
    await field(page, 'Values (JSON)').fill('{"amount": 1}')
    validator.behave = reply(500, 'oh')
    await button(page, 'Send').click()
    await page.getByText('no usable answer: unexpected HTTP status').waitFor()
    validator.behave = reply(204, '')
    await field(page, 'Event').selectOption('record.created')
    await button(page, 'Send').click()
    await page.getByText('delivered', { exact: true }).waitFor()
    await visit.expectWell()
  })

  it('rotates the secret and shows the new one once', async () => {
    const { id } = await subscribe()
    const { page, ...visit } = await opened(`subscriptions/${id}`)
    await button(page, 'Rotate the secret').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Both are valid for, hours').fill('9000')
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Rotate the secret' }).click()
    await dialog.getByRole('alert').first().waitFor()
    await dialog.getByLabel('Both are valid for, hours').fill('2')
    await dialog.getByRole('button', { name: 'Rotate the secret' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(await page.getByLabel('Signing secret').innerText()).toMatch(/^whsec_/)
    await page.getByText('The one before is valid until').waitFor()
    await visit.expectWell()
    await console_.gateway.api.approve({ commit: 'none' })
    const signatures = String(validator.received.at(-1)?.headers['webhook-signature'])
    expect(signatures.split(' ')).toHaveLength(2)
  })

  it('is disabled, enabled with a choice of what becomes of what was held, and deleted', async () => {
    const { id } = await subscribe({ events: ['record.created'] })
    const { page, ...visit } = await opened(`subscriptions/${id}`)
    await button(page, 'Disable').click()
    await visit.expectWell()
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
    await page.getByText('disabled by hand').waitFor()
    await console_.gateway.api.approve({ values: { a: 1 } })
    const states = async () => {
      const { json } = await console_.gateway.api.get(`/v1/deliveries?subscriptionId=${id}`)
      return json.items.map(({ state }: { state: string }) => state)
    }
    await eventually('held', async () => (await states())[0] === 'held')
    await button(page, 'Enable').click()
    await field(page, 'Notifications that were held').selectOption('cancel')
    await visit.expectWell()
    await page.getByRole('dialog').getByRole('button', { name: 'Enable' }).click()
    await button(page, 'Disable').waitFor()
    expect((await read(id)).active).toBe(true)
    expect(await states()).toEqual(['cancelled'])
    await button(page, 'Delete').click()
    await page.getByRole('dialog').getByText('This cannot be undone.').waitFor()
    await visit.expectWell()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await heading(page, 'No subscriptions yet').waitFor()
    expect((await console_.gateway.api.get(`/v1/subscriptions/${id}`)).status).toBe(404)
  })

  it('shows an open breaker as it opens, and closes it', async () => {
    const breaker = { consecutiveFailures: 2, openMs: 600_000 }
    const { id } = await subscribe({ breaker, timeoutMs: 50 })
    const { page, ...visit } = await opened(`subscriptions/${id}`)
    const health = page.locator('section', { has: heading(page, 'Health') })
    await health.getByText('closed').waitFor()
    validator.behave = hang
    for (const _ of [1, 2]) await console_.gateway.api.approve({ commit: 'none' })
    await health.getByText('open', { exact: true }).waitFor()
    await health.getByText('2 · no answer in time: 2').waitFor()
    await visit.expectWell()
    await button(page, 'Reset the breaker').click()
    await health.getByText('closed').waitFor()
  })

  it('shows its settings', async () => {
    const conditions = [{ field: 'amount', op: 'gt', value: 5 }]
    const onFailure = { timeout: 'allow' }
    const { id } = await subscribe({ conditions, onFailure, fallbackMessage: { en: 'Later' } })
    const { page, ...visit } = await opened(`subscriptions/${id}`)
    await page.getByText('amount is greater than 5').waitFor()
    await page.getByText('no answer in time: allow the change; otherwise: deny').waitFor()
    await page.getByText('en: Later').waitFor()
    await visit.expectWell()
  })

  it('leaves to an app what is its own', async () => {
    const { api } = console_.gateway
    const template = { name: 'Of an app', url: validator.url, events: ['record.created'] }
    await api.post('/v1/apps', { id: 'clerk', name: 'Clerk', subscriptions: [template] })
    const { json } = await api.post('/v1/installations', { appId: 'clerk', userId: 'ann' })
    const { id } = await eventually('its subscription', onlyOne)
    const visit = await console_.open(`subscriptions/${id}`)
    const { page } = visit
    await page.getByText('It came with an app').waitFor()
    expect(await page.getByRole('link', { name: 'Edit' }).count()).toBe(0)
    await button(page, 'Disable').waitFor()
    await visit.expectWell()
    await visit.go(`subscriptions/${id}/edit`)
    await heading(page, 'Edit Of an app').waitFor()
    expect(await field(page, 'Name').count()).toBe(0)
    await api.delete(`/v1/installations/${json.id}`)
  })

  it('can only be looked at with a key that may only read', async () => {
    const { id } = await subscribe()
    const { json } = await console_.gateway.api.post('/v1/keys', { name: 'r', scopes: ['read'] })
    const visit = await console_.visit()
    const { page } = visit
    await page.goto(`${console_.gateway.url}/console#/subscriptions/${id}`)
    await page.getByLabel('API key').fill(json.key)
    await button(page, 'Sign in').click()
    await heading(page, 'Settings').waitFor()
    expect(await page.locator('main').getByRole('button').count()).toBe(0)
    await visit.go(`subscriptions/${id}/edit`)
    await page.getByText('This needs a key with the scope manage').waitFor()
    await visit.expectWell()
  })

  it('says so when it is not there', async () => {
    const { page, ...visit } = await opened('subscriptions/sub_nobody')
    await page.getByRole('main').getByRole('alert').waitFor()
    expect(visit.faults).toEqual([])
  })
})

/** Its methods as members, so that a test can take them apart. */
async function opened(place: string): Promise<Pick<Visit, 'page' | 'expectWell' | 'faults'>> {
  const visit = await console_.open(place)
  return { page: visit.page, expectWell: () => visit.expectWell(), faults: visit.faults }
}

describe('other readers', () => {
  it.each([
    ['ru-RU', 'Подписки', 'Новая подписка', 'Пробный запрос', 'отключена вручную'],
    ['uk-UA', 'Підписки', 'Нова підписка', 'Пробний запит', 'вимкнено вручну'],
  ] as const)('read it in their language: %s', async (...[locale, list, form, test, off]) => {
    const { id } = await subscribe({ active: false })
    const visit = await console_.open('subscriptions', { locale })
    const { page } = visit
    await heading(page, list).waitFor()
    await page.getByText(off).waitFor()
    await visit.go('subscriptions/new')
    await heading(page, form).waitFor()
    await visit.expectWell()
    await visit.go(`subscriptions/${id}`)
    await heading(page, test).waitFor()
    await visit.expectWell()
  })

  it('use it on a phone in the dark', async () => {
    const { id } = await subscribe({ name: `A${'very'.repeat(30)}long name` })
    const visit = await console_.open('subscriptions', { viewport: PHONE, colorScheme: 'dark' })
    const { page } = visit
    await page.getByText('closed').waitFor()
    await visit.expectWell()
    await visit.go('subscriptions/new')
    await heading(page, 'New subscription').waitFor()
    for (const name of ['Which changes', 'How it is called', 'Authorization and headers']) {
      await group(page, name).click()
    }
    await button(page, 'Add a condition').click()
    await field(page, 'Payload').selectOption('chosen')
    await button(page, 'Add /data/context/channel').click()
    await button(page, 'Add a header').click()
    await visit.expectWell()
    await visit.go(`subscriptions/${id}`)
    await button(page, 'Send').click()
    await page.getByText('HTTP 200').waitFor()
    await visit.expectWell()
  })
})

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import {
  allow,
  type Behaviour,
  deny,
  reply,
  startValidator,
  type ValidatorServer,
} from '../support/validator-server.ts'
import { Console, type Visit } from './browser.ts'

let console_: Console
let validator: ValidatorServer
let second: ValidatorServer
const api = () => console_.gateway.api

beforeAll(async () => {
  console_ = await Console.start()
  validator = await startValidator()
  second = await startValidator()
})
afterAll(async () => {
  await console_.close()
  await validator.close()
  await second.close()
})

let count = 0
let catalogId = ''
const FIELDS = [
  { id: 'title', title: 'Title', type: 'text' },
  { id: 'total', title: 'Total', type: 'number' },
  { id: 'note', title: 'Note', type: 'text' },
]

/** A catalog with the record r-1, which nobody watches yet. */
beforeEach(async () => {
  count += 1
  catalogId = `orders-${count}`
  await api().post('/v1/catalogs', { id: catalogId, title: 'Orders', fields: FIELDS })
  const values = { title: 'Chairs', total: 10 }
  const made = await api().post(`/v1/catalogs/${catalogId}/records`, { id: 'r-1', values })
  expect(made.status).toBe(201)
})
afterEach(() => {
  validator.behave = allow
  second.behave = allow
})

type Watching = { readonly name: string; readonly events: readonly string[]; readonly url?: string }

const subscribe = ({ name, events, url = validator.url }: Watching) =>
  api().subscribe({ name, events, url, catalogId })

const WRITES = ['record.before.created', 'record.before.updated', 'record.before.deleted']
const read = async (id = 'r-1') => (await api().get(`/v1/catalogs/${catalogId}/records/${id}`)).json

const openCard = (id = 'r-1'): Promise<Visit> => console_.open(`records/${catalogId}/${id}`)

/** Answers when it is let. */
function held(after: Behaviour): { readonly behave: Behaviour; readonly release: () => void } {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const behave: Behaviour = async (request, response) => {
    await released
    await after(request, response)
  }
  return { behave, release: () => release() }
}

describe('while somebody types', () => {
  it('puts suggestions in with who suggested them, and says what is said at the fields', async () => {
    await subscribe({ name: 'Price list', events: ['record.updating'] })
    validator.behave = reply(200, {
      values: { total: 99, title: 'Chairs, ten' },
      errors: [{ field: 'note', message: 'A note is needed.' }],
      warnings: [{ field: 'total', message: 'Prices go up tomorrow.' }],
      message: 'Somebody looked at it.',
    })
    const visit = await openCard()
    const { page } = visit
    await page.getByLabel('Title').pressSequentially('!')
    const total = page.locator('[data-field=total]')
    await total.getByText('Suggested by Price list').waitFor()
    expect(await page.getByLabel('Total').inputValue()).toBe('99')
    await total.getByText('Prices go up tomorrow.').waitFor()
    await page.locator('[data-field=note]').getByText('A note is needed.').waitFor()
    await page.getByText('Somebody looked at it.').waitFor()
    // In the field that the person is in, it is only offered.
    expect(await page.getByLabel('Title').inputValue()).toBe('Chairs!')
    await visit.expectWell()
    const { json } = validator.received.at(-1) ?? {}
    expect(json.type).toBe('record.updating')
    expect(json.data).toMatchObject({
      recordId: 'r-1',
      values: { title: 'Chairs!' },
      allValues: { title: 'Chairs!', total: 10 },
    })
    await page.getByRole('button', { name: 'Use it' }).click()
    expect(await page.getByLabel('Title').inputValue()).toBe('Chairs, ten')
    await page.locator('[data-field=title]').getByText('Suggested by Price list').waitFor()
  })

  it('lets the own typing win: the mark goes, and the next suggestion is an offer', async () => {
    await subscribe({ name: 'Price list', events: ['record.updating'] })
    validator.behave = reply(200, { values: { total: 99 } })
    const { page } = await openCard()
    const total = page.locator('[data-field=total]')
    await page.getByLabel('Title').pressSequentially('!')
    await total.getByText('Suggested by Price list').waitFor()
    await page.getByLabel('Total').fill('12')
    expect(await total.getByText('Suggested by').count()).toBe(0)
    await total.getByText('Price list suggests 99').waitFor()
    await page.getByLabel('Note').fill('else')
    await eventually('asked about the note', () =>
      validator.received.some(({ json }) => json.data.values.note === 'else'),
    )
    await total.getByText('Price list suggests 99').waitFor()
    expect(await page.getByLabel('Total').inputValue()).toBe('12')
  })

  it('gives up the question before, and never lets a late answer over newer typing', async () => {
    await subscribe({ name: 'Slow', events: ['record.updating'] })
    const first = held(reply(200, { values: { note: 'for the first' } }))
    validator.behave = first.behave
    const { page } = await openCard()
    const aborted = page.waitForEvent('requestfailed')
    const asked = validator.next()
    await page.getByLabel('Title').pressSequentially('1')
    await asked
    validator.behave = reply(200, { values: { note: 'for the second' } })
    await page.getByLabel('Title').pressSequentially('2')
    expect((await aborted).url()).toContain('/v1/approve')
    await page.locator('[data-field=note]').getByText('Suggested by Slow').waitFor()
    first.release()
    await page.getByLabel('Total').fill('5')
    await eventually('asked again', () =>
      validator.received.some(({ json }) => json.data.values.total === 5),
    )
    expect(await page.getByLabel('Note').inputValue()).toBe('for the second')
  })

  it('asks once for what is typed in one go', async () => {
    await subscribe({ name: 'Counter', events: ['record.updating'] })
    validator.behave = reply(200, { message: 'Counted.' })
    const { page } = await openCard()
    const before = validator.received.length
    await page.getByLabel('Title').pressSequentially(' and tables')
    await page.getByText('Counted.').waitFor()
    expect(validator.received.length - before).toBe(1)
  })
})

describe('saving', () => {
  it('shows live who has answered, then every refusal at its field and at the top', async () => {
    await subscribe({ name: 'Stock', events: WRITES })
    await subscribe({ name: 'Law', events: WRITES, url: second.url })
    const law = held(deny('Not on <b>Sundays</b>.'))
    validator.behave = deny('Out of chairs.', { field: 'title' })
    second.behave = law.behave
    const visit = await openCard()
    const { page } = visit
    await page.getByText('How it is asked').click()
    await page.getByLabel('Wait after the first refusal').fill('20000')
    await page.getByLabel('Title').fill('Stools')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('listitem').filter({ hasText: 'Stock' }).getByText('refuses').waitFor()
    await page
      .getByRole('listitem')
      .filter({ hasText: 'Law' })
      .getByText('has not answered yet')
      .waitFor()
    await visit.expectWell()
    law.release()
    const top = page.getByRole('alert')
    await top.getByText('Out of chairs.').waitFor()
    await top.getByText('Not on <b>Sundays</b>.').waitFor()
    await page.locator('[data-field=title]').getByText('Out of chairs.').waitFor()
    expect(await page.getByLabel('Title').inputValue()).toBe('Stools')
    expect(await page.getByLabel('Title').getAttribute('aria-invalid')).toBe('true')
    await visit.expectWell()
    expect((await read()).version).toBe(1)
    const history = page.getByRole('region', { name: 'History' })
    await history.getByText('refused').waitFor()
    validator.behave = allow
    second.behave = allow
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'Saved as version 2.' }).waitFor()
    expect((await read()).values).toEqual({ title: 'Stools', total: 10 })
    // The history has both, and leads to the decision.
    await history.getByText('refused').waitFor()
    await history.getByText('1 → 2').waitFor()
    const link = await history.getByRole('link').first().getAttribute('href')
    expect(link).toMatch(/^#\/decisions\/dec_/)
  })

  it('shows what is doubted, and confirms it with a reason or leaves it', async () => {
    await subscribe({ name: 'Prudence', events: WRITES })
    validator.behave = reply(200, {
      decision: 'confirm',
      warnings: [{ field: 'total', message: 'That is a lot.' }],
    })
    const visit = await openCard()
    const { page } = visit
    await page.getByLabel('Total').fill('5000')
    await page.getByRole('button', { name: 'Save' }).click()
    const dialog = page.getByRole('dialog', { name: 'Do you really want this?' })
    await dialog.getByText('That is a lot.').waitFor()
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Leave it' }).click()
    expect(await page.getByLabel('Total').inputValue()).toBe('5000')
    expect((await read()).version).toBe(1)
    await page.getByRole('button', { name: 'Save' }).click()
    await dialog.getByLabel('Reason').fill('Big customer')
    await dialog.getByRole('button', { name: 'Confirm' }).click()
    await page.getByRole('heading', { name: 'Saved as version 2.' }).waitFor()
    expect(validator.received.at(-1)?.json.data.context).toEqual({ reason: 'Big customer' })
    expect((await read()).values.total).toBe(5000)
  })

  it('sends the same confirmation again when its answer was lost', async () => {
    await subscribe({ name: 'Stock', events: WRITES })
    validator.behave = reply(200, { decision: 'confirm', warnings: [{ message: 'Sure?' }] })
    const { page } = await openCard()
    await page.getByLabel('Note').fill('Doubtful')
    await page.getByRole('button', { name: 'Save' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    const sent: unknown[] = []
    await page.route('**/v1/approve', async (route) => {
      const request = route.request()
      if (request.headers()['accept'] !== 'text/event-stream') return route.continue()
      sent.push([request.headers()['idempotency-key'], request.postData()])
      if (sent.length > 1) return route.continue()
      await route.fetch()
      return route.abort()
    })
    await dialog.getByRole('button', { name: 'Confirm' }).click()
    await page.getByText('The gateway does not answer.').waitFor()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Saved as version 2.' }).waitFor()
    expect(sent.length).toBe(2)
    expect(sent[1]).toEqual(sent[0])
  })

  it('offers to look at a newer version without losing what was typed', async () => {
    const visit = await openCard()
    const { page } = visit
    await page.getByLabel('Note').fill('Mine')
    await api().patch(`/v1/catalogs/${catalogId}/records/r-1`, { values: { title: 'Theirs' } })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('button', { name: 'Look at the newer version' }).click()
    const dialog = page.getByRole('dialog', { name: 'The newer version' })
    await dialog.getByText('This is version 2.').waitFor()
    await dialog.getByRole('cell', { name: 'Theirs' }).waitFor()
    await dialog.getByRole('cell', { name: 'Mine' }).waitFor()
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Go on with what I typed' }).click()
    expect(await page.getByLabel('Title').inputValue()).toBe('Theirs')
    expect(await page.getByLabel('Note').inputValue()).toBe('Mine')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'Saved as version 3.' }).waitFor()
    expect((await read()).values).toMatchObject({ title: 'Theirs', note: 'Mine' })
  })

  it('asks before it deletes, and shows who objects', async () => {
    await subscribe({ name: 'Archive', events: WRITES })
    validator.behave = deny('Kept for ten years.')
    const visit = await openCard()
    const { page } = visit
    await page.getByRole('button', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog', { name: 'Delete this record?' })
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('alert').getByText('Kept for ten years.').waitFor()
    expect((await read()).version).toBe(1)
    validator.behave = allow
    await page.getByRole('button', { name: 'Delete' }).click()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('The record is deleted.').waitFor()
    await page.getByRole('heading', { name: 'No records yet' }).waitFor()
    expect((await read()).code).toBe('record_not_found')
  })

  it('keeps what was typed when the gateway cannot be reached, and saves it once', async () => {
    const { page } = await openCard('new')
    await page.getByLabel('Id', { exact: true }).fill('r-2')
    await page.getByLabel('Note').fill('Still here')
    // The change goes through; its answer is lost on the way.
    await page.route('**/v1/approve', async (route) => {
      if (route.request().headers()['accept'] !== 'text/event-stream') return route.continue()
      await route.fetch()
      return route.abort()
    })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The gateway does not answer.').waitFor()
    expect(await page.getByLabel('Note').inputValue()).toBe('Still here')
    await page.unroute('**/v1/approve')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'Saved as version 1.' }).waitFor()
    expect((await read('r-2')).values).toEqual({ note: 'Still here' })
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startValidator, type ValidatorServer } from '../support/validator-server.ts'
import { Console, PHONE } from './browser.ts'

let console_: Console
let validator: ValidatorServer
const api = () => console_.gateway.api

beforeAll(async () => {
  console_ = await Console.start()
  validator = await startValidator()
})
afterAll(async () => {
  await console_.close()
  await validator.close()
})

const GOODS = [
  { id: 'title', title: 'Title', type: 'text', required: true },
  { id: 'price', title: 'Price', type: 'number' },
  { id: 'sold', title: 'Sold', type: 'boolean' },
  { id: 'day', title: 'Day', type: 'date' },
  {
    id: 'kind',
    title: 'Kind',
    type: 'choice',
    options: [
      { id: 'a', title: 'Apples' },
      { id: 'b', title: 'Bread' },
    ],
  },
  { id: 'buyer', title: 'Buyer', type: 'contact' },
  { id: 'clerk', title: 'Clerk', type: 'user' },
  { id: 'link', title: 'Linked', type: 'object' },
  { id: 'scan', title: 'Scan', type: 'file' },
  { id: 'free', title: 'Free', type: 'any' },
]

async function catalog(id: string, fields: readonly object[] = GOODS): Promise<void> {
  const made = await api().post('/v1/catalogs', { id, title: `Goods of ${id}`, fields })
  expect(made.status).toBe(201)
}

async function record(catalogId: string, id: string, values: object): Promise<void> {
  const made = await api().post(`/v1/catalogs/${catalogId}/records`, { id, values })
  expect(made.status).toBe(201)
}

const read = async (catalogId: string, id: string) =>
  (await api().get(`/v1/catalogs/${catalogId}/records/${id}`)).json

describe('the records of a catalog', () => {
  it('says what to do first where there is nothing', async () => {
    const other = await Console.start()
    try {
      const visit = await other.open('records')
      await visit.page.getByRole('heading', { name: 'There is no catalog yet.' }).waitFor()
      await visit.expectWell()
      await visit.page.getByRole('main').getByRole('link', { name: 'First steps' }).click()
      await visit.page.getByRole('heading', { name: 'First steps', level: 1 }).waitFor()
    } finally {
      await other.close()
    }
  })

  it('stand in a grid of the first eight fields, page by page, filtered by one field', async () => {
    await catalog('grid')
    const visit = await console_.open('records')
    const { page } = visit
    await page.getByRole('link', { name: 'Goods of grid' }).click()
    await page.getByRole('heading', { name: 'No records yet' }).waitFor()
    await visit.expectWell()
    for (let count = 1; count <= 60; count++) {
      const name = `r-${String(count).padStart(2, '0')}`
      await record('grid', name, { title: `Thing ${count}`, kind: count === 7 ? 'b' : 'a' })
    }
    await page.reload()
    await page.getByRole('row').nth(50).waitFor()
    expect(await page.getByRole('row').count()).toBe(51)
    const heads = await page.getByRole('columnheader').allTextContents()
    expect(heads).toEqual([
      'Id',
      ...GOODS.slice(0, 8).map(({ title }) => title),
      'Version',
      'Changed',
      'Actions',
    ])
    await page.getByRole('button', { name: 'Show more' }).click()
    await page.getByRole('row').nth(60).waitFor()
    expect(await page.getByRole('row').count()).toBe(61)
    expect(await page.getByRole('button', { name: 'Show more' }).count()).toBe(0)
    await page.getByLabel('Field').selectOption('Kind')
    await page.getByLabel('Value').fill('b')
    await page.getByRole('button', { name: 'Filter' }).click()
    await page.getByRole('cell', { name: 'Bread' }).waitFor()
    expect(await page.getByRole('row').count()).toBe(2)
    await visit.expectWell()
    await page.getByLabel('Value').fill('nothing')
    await page.getByRole('button', { name: 'Filter' }).click()
    await page.getByText('No record has this value.').waitFor()
    await page.getByRole('link', { name: 'Show all' }).click()
    await page.getByRole('link', { name: 'r-07' }).click()
    await page.getByRole('heading', { name: 'r-07', level: 1 }).waitFor()
    expect(await page.getByLabel('Kind').inputValue()).toBe('b')
  })

  it('are erased only by whoever types the id', async () => {
    await catalog('erased')
    await record('erased', 'secret', { title: 'A secret' })
    const visit = await console_.open('records/erased/secret')
    const { page } = visit
    await page.getByRole('button', { name: 'Erase everything' }).click()
    const erase = page.getByRole('button', { name: 'Erase for good' })
    expect(await erase.isDisabled()).toBe(true)
    await page.getByLabel('Type the id of the record').fill('secre')
    expect(await erase.isDisabled()).toBe(true)
    await visit.expectWell()
    await page.getByLabel('Type the id of the record').fill('secret')
    await erase.click()
    await page.getByText('Erased. Records: 1').waitFor()
    await page.getByRole('heading', { name: 'No records yet' }).waitFor()
    await visit.go('records/erased/secret')
    await page.getByText('There is no such record now.').waitFor()
    await visit.expectWell()
    const answer = await api().get('/v1/decisions?catalogId=erased')
    expect(answer.text).not.toContain('A secret')
  })
})

describe('the form of a record', () => {
  it('has an input for each type of field, and writes what was typed', async () => {
    await catalog('types')
    const visit = await console_.open('records/types/new')
    const { page } = visit
    await page.getByLabel('Id', { exact: true }).fill('all of it')
    await page.getByLabel(/^Title/).fill('Two\nlines')
    await page.getByLabel('Price').fill('12,5')
    await page.getByLabel('Sold').selectOption('Yes')
    await page.getByLabel('Day').fill('2026-11-22')
    await page.getByRole('button', { name: 'Choose several' }).click()
    await page.getByLabel('Apples').check()
    await page.getByLabel('Bread').check()
    for (const name of ['Buyer', 'Clerk', 'Linked', 'Scan']) {
      await page.getByRole('group', { name }).getByRole('button', { name: 'Add' }).click()
    }
    await page.getByLabel('Phone or e-mail').fill('+380501112233')
    await page.getByLabel('User id').first().fill('anna')
    await page.getByRole('group', { name: 'Linked' }).getByLabel('Record').fill('r-1')
    await page
      .getByRole('group', { name: 'Scan' })
      .getByLabel('Address')
      .fill('https://files.example/1')
    await page.getByLabel('Free').fill('{"any": [')
    await page.getByText('This is not JSON.').waitFor()
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true)
    await visit.expectWell()
    await page.getByLabel('Free').fill('{"any": ["thing"]}')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'Saved as version 1.' }).waitFor()
    expect((await read('types', 'all of it')).values).toEqual({
      title: 'Two\nlines',
      price: 12.5,
      sold: true,
      day: '2026-11-22',
      kind: ['a', 'b'],
      buyer: [{ contact: '+380501112233' }],
      clerk: [{ id: 'anna' }],
      link: [{ recordId: 'r-1' }],
      scan: [{ url: 'https://files.example/1' }],
      free: { any: ['thing'] },
    })
    await visit.expectWell()
  })

  it('marks what is required, says what the gateway minds at its field, and keeps what was typed', async () => {
    await catalog('required')
    const visit = await console_.open('records/required/new')
    const { page } = visit
    await page.getByLabel('Price').fill('3')
    expect(await page.getByLabel(/^Title/).getAttribute('aria-required')).toBe('true')
    await page.getByRole('button', { name: 'Save' }).click()
    const box = page.locator('[data-field=title]')
    await box.getByText('This field is required.').waitFor()
    expect(await page.getByLabel('Price').inputValue()).toBe('3')
    await visit.expectWell()
  })

  it('takes any names and values where the catalog has no fields', async () => {
    const visit = await console_.open('records/loose/new')
    const { page } = visit
    await page.getByLabel('Id', { exact: true }).fill('new')
    for (const [name, text] of [
      ['colour', '"red"'],
      ['toString', '[1]'],
    ] as const) {
      await page.getByLabel('Name of a new value').fill(name)
      await page.getByRole('button', { name: 'Add a value' }).click()
      await page.getByLabel(name).fill(text)
    }
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'Saved as version 1.' }).waitFor()
    await visit.expectWell()
    const stored = await api().get('/v1/catalogs/loose/records/new')
    expect(stored.text).toContain('"colour":"red"')
    expect(stored.text).toContain('"toString":[1]')
    await page.getByLabel('colour').fill('')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('heading', { name: 'Saved as version 2.' }).waitFor()
    expect((await read('loose', 'new')).values.colour ?? null).toBeNull()
  })

  it('keeps what other inputs cannot show, and sends only what was changed', async () => {
    await record('odd', 'r-1', { price: 'a text', day: 'some day', title: { not: 'text' } })
    await catalog('odd')
    await api().patch('/v1/catalogs/odd/records/r-1', { values: { price: 1 } })
    const visit = await console_.open('records/odd/r-1')
    await visit.page.getByLabel('Price').fill('2')
    await visit.page.getByRole('button', { name: 'Save' }).click()
    await visit.page.getByRole('heading', { name: 'Saved as version 3.' }).waitFor()
    expect((await read('odd', 'r-1')).values).toEqual({
      price: 2,
      day: 'some day',
      title: { not: 'text' },
    })
    await visit.expectWell()
  })

  it('only shows to whoever may only read', async () => {
    await catalog('shown')
    await record('shown', 'r-1', { title: 'Look' })
    const key = await api().post('/v1/keys', { name: 'Reader', scopes: ['read'] })
    const visit = await console_.visit()
    const { page } = visit
    await page.goto(`${console_.gateway.url}/console#/records/shown/r-1`)
    await page.getByLabel('API key').fill(key.json.key)
    await page.keyboard.press('Enter')
    await page.getByText('Your key may not change records.').waitFor()
    for (const name of ['Save', 'Delete', 'Erase everything']) {
      expect(await page.getByRole('button', { name }).count()).toBe(0)
    }
    expect(await page.getByLabel(/^Title/).isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Actions' }).click()
    await page.getByText('Your key may not run actions.').waitFor()
    await visit.expectWell()
  })

  it.each([
    ['ru-RU', 'Записи', 'Новая запись', 'История'],
    ['uk-UA', 'Записи', 'Новий запис', 'Історія'],
  ] as const)('speaks %s, on a phone, in the dark', async (locale, list, fresh, history) => {
    const own = `tongue-${locale}`
    await catalog(own)
    await record(own, 'r-1', { title: 'A long long long long long title', price: 7 })
    const visit = await console_.open('records', { locale, viewport: PHONE, colorScheme: 'dark' })
    const { page } = visit
    await page.getByRole('heading', { name: list, level: 1 }).waitFor()
    await page.getByRole('link', { name: `Goods of ${own}` }).click()
    await page.getByRole('link', { name: fresh }).click()
    await page.getByRole('heading', { name: fresh, level: 1 }).waitFor()
    await visit.expectWell()
    await visit.go(`records/${own}`)
    await page.getByRole('link', { name: 'r-1' }).waitFor()
    await visit.expectWell()
    await page.getByRole('link', { name: 'r-1' }).click()
    await page.getByRole('heading', { name: history }).waitFor()
    await visit.expectWell()
  })
})

describe('the menu of a record', () => {
  const TELL = { ids: ['remind', 'doubt', 'broken'] } as const

  beforeAll(async () => {
    await catalog('menu')
    await record('menu', 'r-1', { title: 'Thing', kind: 'a' })
    await record('menu', 'r-2', { title: 'Other', kind: 'b' })
    validator.behave = ({ path }, response) => {
      const isBroken = path === '/broken'
      response.writeHead(isBroken ? 500 : 200, { 'content-type': 'application/json' })
      response.end(isBroken ? '' : JSON.stringify({ message: `Reminded at ${path}` }))
    }
    for (const id of TELL.ids) {
      const action = {
        id,
        title: `Do ${id}`,
        catalogId: 'menu',
        url: `${validator.url}/${id}`,
        dialect: 'plain',
        conditions: [{ field: 'kind', op: 'eq', value: 'a' }],
        ...(id === 'doubt' ? { confirmText: 'Are you <b>sure</b>?' } : {}),
      }
      expect((await api().post('/v1/actions', action)).status).toBe(201)
    }
  })

  it('comes with a right click, shows what applies, asks first, and shows what was said', async () => {
    const visit = await console_.open('records/menu')
    const { page } = visit
    await page.getByRole('cell', { name: 'Other' }).click({ button: 'right' })
    await page.getByText('No action applies to this record as it is now.').waitFor()
    await visit.expectWell()
    await page.keyboard.press('Escape')
    await page.getByRole('cell', { name: 'Thing' }).click({ button: 'right' })
    const dialog = page.getByRole('dialog', { name: 'Actions for r-1' })
    await dialog.getByRole('button', { name: 'Do remind' }).click()
    await dialog.getByText('Reminded at /remind').waitFor()
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Do doubt' }).click()
    await dialog.getByText('Are you <b>sure</b>?').waitFor()
    await visit.expectWell()
    await dialog.getByRole('button', { name: 'Run' }).click()
    await dialog.getByText('Reminded at /doubt').waitFor()
    await dialog.getByRole('button', { name: 'Do broken' }).click()
    await dialog.getByText('The action failed. HTTP 500').waitFor()
    await visit.expectWell()
  })

  it('says in words that an action no longer applies, and opens without a mouse', async () => {
    const visit = await console_.open('records/menu', { viewport: PHONE })
    const { page } = visit
    await page.getByRole('button', { name: 'Actions for r-1' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Do remind' }).waitFor()
    await visit.expectWell()
    await api().patch('/v1/catalogs/menu/records/r-1', { values: { kind: 'b' } })
    await page.getByRole('button', { name: 'Do remind' }).click()
    await page.getByRole('dialog').getByRole('alert').waitFor()
    await page.getByText('No action applies to this record as it is now.').waitFor()
    await visit.expectWell()
  })
})

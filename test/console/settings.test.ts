import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Console, PHONE } from './browser.ts'

let console_: Console
beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(() => console_.close())

describe('presets', () => {
  it('say what they bring, are loaded, and say what came of it', async () => {
    const { api } = console_.gateway
    const visit = await console_.open('presets')
    const { page } = visit
    const taxi = page.locator('section', {
      has: page.getByRole('button', { name: /: Taxi|Load Taxi/ }),
    })
    await taxi.getByText('not loaded').waitFor()
    await taxi.getByText(/^Event types:/).click()
    await taxi.getByText('raised by').first().waitFor()
    await visit.expectWell()
    await taxi.getByRole('button').click()
    await taxi.getByText(/^Added \d+ catalogs and \d+ event types\.$/).waitFor()
    await taxi.getByText('loaded', { exact: true }).waitFor()
    const { json } = await api.get('/v1/catalogs')
    const link = taxi.getByRole('link').first()
    const [first] = json.items
    expect(await link.getAttribute('href')).toMatch(/^#\/catalogs\//)
    await visit.expectWell()
    await taxi.getByRole('button').click()
    await taxi.getByText('Everything was there already').waitFor()
    await api.delete(`/v1/catalogs/${first.id}`)
    await page.reload()
    await taxi.getByText('in part').waitFor()
    await page.getByRole('button', { name: /Add what is missing/ }).click()
    await taxi.getByText(/^Added 1 catalog and 0 event types\.$/).waitFor()
    expect((await api.get(`/v1/catalogs/${first.id}`)).status).toBe(200)
  })
})

describe('accounts', () => {
  it('are made, renamed, numbered and limited by the admins of default', async () => {
    const { api } = console_.gateway
    const visit = await console_.open('accounts')
    const { page } = visit
    await page.getByRole('link', { name: 'New account' }).click()
    await page.getByLabel('Title').fill('South')
    await page.getByLabel('Id', { exact: true }).fill('default')
    await page.getByRole('button', { name: 'Create the account' }).click()
    await page.getByText('This id is taken.').waitFor()
    expect(await page.getByLabel('Title').inputValue()).toBe('South')
    await visit.expectWell()
    await page.getByLabel('Id', { exact: true }).fill('south')
    await page.getByLabel('Account number').fill('A-7')
    await page.getByRole('button', { name: 'Create the account' }).click()
    await page.getByRole('link', { name: 'South' }).click()
    await page.getByLabel('Title').fill('Southern branch')
    await page.getByLabel('Account number').fill('')
    await page.getByLabel('Requests a second').fill('50')
    await visit.expectWell()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('row', { name: /Southern branch/ }).waitFor()
    await visit.expectWell()
    const { json } = await api.get('/v1/accounts/south')
    expect(json).toMatchObject({ title: 'Southern branch', maxPerSecond: 50 })
    expect(json.accountNumber).toBeUndefined()
  })

  it('of others are not shown, and ones own only to read', async () => {
    const { api } = console_.gateway
    await api.post('/v1/accounts', { id: 'west', title: 'West' })
    const made = await api.post('/v1/keys', { name: 'w', scopes: ['admin'], accountId: 'west' })
    const visit = await console_.visit()
    const { page } = visit
    await page.goto(`${console_.gateway.url}/console#/accounts`)
    await page.fill('input[type=password]', made.json.key)
    await page.keyboard.press('Enter')
    await page.getByRole('link', { name: 'West' }).click()
    expect(await page.getByLabel('Title').isDisabled()).toBe(true)
    expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0)
    await visit.expectWell()
    await page.getByRole('link', { name: 'Back to the list' }).click()
    await page.locator('tbody tr').first().waitFor()
    expect(await page.locator('tbody tr').count()).toBe(1)
    expect(await page.getByRole('link', { name: 'New account' }).count()).toBe(0)
  })
})

const PLACES = [
  'catalogs',
  'catalogs/new',
  'keys',
  'keys/new',
  'audit',
  'presets',
  'accounts',
  'accounts/new',
  'apps',
  'apps/new',
  'events',
  'events/new',
  'actions',
  'actions/new',
] as const

const HEADINGS = {
  'ru-RU': [
    'Каталоги',
    'Новый каталог',
    'Ключи',
    'Новый ключ',
    'Журнал изменений',
    'Заготовки',
    'Аккаунты',
    'Новый аккаунт',
    'Приложения',
    'Новое приложение',
    'Типы событий',
    'Новый тип событий',
    'Действия',
    'Новое действие',
  ],
  'uk-UA': [
    'Каталоги',
    'Новий каталог',
    'Ключі',
    'Новий ключ',
    'Журнал змін',
    'Заготовки',
    'Акаунти',
    'Новий акаунт',
    'Застосунки',
    'Новий застосунок',
    'Типи подій',
    'Новий тип подій',
    'Дії',
    'Нова дія',
  ],
} as const

describe('the settings', () => {
  it.each([
    ['ru-RU', { viewport: PHONE, colorScheme: 'dark' }],
    ['uk-UA', {}],
  ] as const)('speak %s', async (locale, look) => {
    const visit = await console_.open('', { locale, ...look })
    for (const [index, place] of PLACES.entries()) {
      await visit.go(place)
      const name = HEADINGS[locale][index] ?? ''
      await visit.page.getByRole('heading', { level: 1, name, exact: true }).waitFor()
      const loading = visit.page.getByText(/^(Загрузка|Завантаження)…$/)
      await expect.poll(() => loading.count(), { timeout: 15_000 }).toBe(0)
      await visit.expectWell()
    }
  })
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { Console, PHONE } from './browser.ts'

let console_: Console
let folder = ''
let child: ChildProcess | undefined
beforeAll(async () => {
  console_ = await Console.start()
  folder = await mkdtemp(join(tmpdir(), 'assent-start-'))
})
afterAll(async () => {
  child?.kill()
  await console_.close()
  await rm(folder, { recursive: true })
})

/** The command as the page says it, in the folder where the file was saved. */
async function run(command: string): Promise<void> {
  const [program = '', ...parameters] = command.trim().split(' ')
  expect(program).toBe('node')
  child = spawn(process.execPath, parameters, { cwd: folder, stdio: 'inherit' })
  await eventually('the validator listens', async () => {
    const socket = connect(9000, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
    return true
  })
}

describe('the first steps', () => {
  it.each([
    ['ru-RU', 'Первые шаги', 'Шаг 1. Загрузите заготовку или создайте каталог'],
    ['uk-UA', 'Перші кроки', 'Крок 1. Завантажте заготовку або створіть каталог'],
  ] as const)('speak %s, on a phone, in the dark', async (locale, title, first) => {
    const visit = await console_.open('start', { locale, viewport: PHONE, colorScheme: 'dark' })
    await visit.page.getByRole('heading', { name: title, level: 1 }).waitFor()
    await visit.page.getByRole('heading', { name: first }).waitFor()
    await visit.expectWell()
  })

  it('lead from an empty system to a refusal that is explained', async () => {
    const visit = await console_.open('start')
    const { page } = visit
    const step = (number: number) =>
      page.getByRole('listitem').filter({
        has: page.getByRole('heading', { name: `Step ${number}.` }),
      })
    const done = (number: number) => step(number).getByText('Done')
    await step(1).waitFor()
    for (const number of [1, 2, 3, 4]) expect(await done(number).count()).toBe(0)
    await step(4).getByText('Comes after the steps before.').waitFor()
    await visit.expectWell()

    await step(1).getByRole('button', { name: 'Make a catalog of orders' }).click()
    await done(1).waitFor()

    const text = (await step(2).locator('pre').first().textContent()) ?? ''
    expect(text.trim().split('\n')).toHaveLength(10)
    await visit.expectWell()
    await step(2).getByRole('button', { name: 'Subscribe it and send a test' }).click()
    await step(2).getByText('It could not be asked.').waitFor()
    await done(2).waitFor()
    await visit.expectWell()
    await writeFile(join(folder, 'validator.mjs'), text)
    await run((await step(2).locator('pre').nth(1).textContent()) ?? '')
    await step(2).getByRole('button', { name: 'Send a test' }).click()
    await step(2).getByText('Please give it a name.', { exact: true }).waitFor()
    expect(await done(3).count()).toBe(0)

    await step(3).getByRole('button', { name: 'Create the record' }).click()
    await step(3).getByText('Please give it a name.', { exact: true }).waitFor()
    await step(3).getByText('At most 1000.').waitFor()
    await done(3).waitFor()
    await done(4).waitFor()
    await visit.expectWell()
    const link = step(4).getByRole('link', { name: 'Explain the last refusal' })
    const last = await console_.gateway.api.get('/v1/decisions?decision=deny&limit=1')
    expect(await link.getAttribute('href')).toBe(`#/decisions/${last.json.items[0].id}`)

    await step(3).getByLabel('Title').fill('Chairs')
    await step(3).getByLabel('Total').fill('900')
    await step(3).getByRole('button', { name: 'Create the record' }).click()
    await step(3).getByRole('link', { name: 'Open the record' }).click()
    await page.getByLabel('Total').fill('1100')
    await page.getByRole('button', { name: 'Save' }).click()
    // Only the total changes: the title that the record has is still known.
    await page.getByRole('alert').getByText('At most 1000.').waitFor()
    expect(await page.getByRole('alert').getByText('Please give it a name.').count()).toBe(0)
    await visit.expectWell()
  })

  it('check what was done elsewhere, and go on with a preset’s catalog', async () => {
    const other = await Console.start()
    try {
      const visit = await other.open('start', { viewport: PHONE })
      const { page } = visit
      const first = page.getByRole('listitem').first()
      await first.getByText('A catalog gives records their fields').waitFor()
      await other.gateway.api.post('/v1/presets/helpdesk')
      await first.getByText('Done').waitFor()
      await page.getByText("record['").waitFor()
      await visit.expectWell()
      await first.getByRole('button', { name: 'Load “Point of sale”' }).click()
      await page.getByLabel('Catalog of the next steps').selectOption('Products')
      await page.getByText("record['name']").waitFor()
      await page.getByText("record['cost'] > 1000").waitFor()
      await visit.expectWell()
    } finally {
      await other.close()
    }
  })
})

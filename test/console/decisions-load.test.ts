/**
 * The log with all the rows that it keeps, while 200 decisions a second come in. How long the tasks of the page were is
 * told, not judged: that depends on the machine, which other tests use as well.
 */
import type { Route } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { Console } from './browser.ts'

const ROWS_MAX = 5_000
const PER_SECOND = 200
const STREAMED = 2_000
/** How many come in between two clicks. */
const ROUND = 500
const NOW = Date.parse('2026-03-01T12:00:00Z')

let console_: Console
beforeAll(async () => {
  console_ = await Console.start()
})
afterAll(() => console_.close())

const idOf = (number: number): string => `dec_${String(number).padStart(32, '0')}`
const numberOf = (id: string): number => Number(id.slice('dec_'.length))

/** About as large as a decision is. */
function decisionOf(number: number): object {
  const names = ['Stock check', 'Credit limits', 'Fraud', 'Prices']
  const kind = number % 7 === 0 ? 'deny' : 'allow'
  const subscriptions = names.map((name, index) => ({ subscriptionId: `sub_${index}`, name }))
  return {
    id: idOf(number),
    event: 'record.before.updated',
    catalogId: 'orders',
    recordId: `order-${number}`,
    decision: kind,
    committed: kind === 'allow',
    commit: 'gateway',
    state: null,
    degraded: number % 50 === 0,
    generation: 7,
    versionBefore: 1,
    versionAfter: 2,
    user: { id: 'anna', title: 'Anna Karenina' },
    values: { status: 'paid', total: number, note: 'x'.repeat(300) },
    prevValues: { status: 'new', total: 0, note: 'y'.repeat(300) },
    changedFields: ['status', 'total', 'note'],
    context: { channel: 'phone' },
    message: kind === 'deny' ? { text: `Order ${number} is over the limit` } : null,
    errors: [],
    warnings: [],
    infos: [],
    verdicts: subscriptions.map((one) => ({
      ...one,
      mode: 'enforce',
      outcome: kind,
      status: 200,
      durationMs: 12.5,
      applied: kind,
    })),
    suggestions: {},
    conflicts: [],
    considered: subscriptions.map((one) => ({ ...one, mismatch: null })),
    timeline: subscriptions.map(({ subscriptionId }) => ({
      subscriptionId,
      startedMs: 0.2,
      endedMs: 12.7,
    })),
    timing: { decidedMs: 13.1, validatorsMs: 12.5, timeoutMs: 10_000 },
    requestId: `req_${number}`,
    decidedAt: new Date(NOW + number * (1_000 / PER_SECOND)).toISOString(),
  }
}

/** A log whose newest is `newest`: answers the list as the gateway does. */
function logOf() {
  const log = { newest: 10_000, startedAt: 0, given: 0 }
  const begin = log.newest
  const grow = () => {
    if (log.startedAt === 0) return
    const seconds = (performance.now() - log.startedAt) / 1_000
    log.newest = begin + Math.floor(seconds * PER_SECOND)
  }
  const answer = (route: Route) => {
    grow()
    const query = new URL(route.request().url()).searchParams
    const after = query.get('after')
    const cursor = query.get('cursor')
    const limit = Number(query.get('limit'))
    const top = cursor === null ? log.newest : Number(cursor) - 1
    const bottom = after === null ? 0 : numberOf(after)
    const count = Math.max(0, Math.min(limit, top - bottom))
    const items = Array.from({ length: count }, (_, index) => decisionOf(top - index))
    const last = top - count + 1
    if (after !== null) log.given += count
    return route.fulfill({ json: { items, nextCursor: last - 1 > bottom ? String(last) : null } })
  }
  return { log, answer }
}

const OBSERVE = `
  globalThis.longTasks = []
  new PerformanceObserver((list) => {
    longTasks.push(...list.getEntries().map(({ duration }) => duration))
  }).observe({ type: 'longtask' })`

describe('the log of decisions under load', () => {
  it('begins anew with the newest where more came than it reads at once, and leaves no gap', async () => {
    const { log, answer } = logOf()
    const visit = await console_.open()
    const { page } = visit
    await page.route('**/v1/decisions?*', answer)
    await visit.go('decisions')
    const shown = (text: string) => page.getByText(text, { exact: true }).waitFor()
    await shown('200 decisions')
    log.newest += 1_500
    await shown('1,000 decisions')
    const asked = page.waitForRequest((request) => request.url().includes('cursor='))
    await page.getByRole('button', { name: 'Older' }).dblclick()
    // What comes next is what came before the oldest of the thousand.
    const cursor = new URL((await asked).url()).searchParams.get('cursor')
    expect(cursor).toBe(String(log.newest - 999))
    await shown('1,200 decisions')
    expect(visit.faults).toEqual([])
  })

  it('keeps 5,000, has few of them in the page, and answers while 200 a second come in', async ({
    annotate,
  }) => {
    const { log, answer } = logOf()
    const visit = await console_.open()
    const { page } = visit
    await page.route('**/v1/decisions?*', answer)
    await visit.go('decisions')
    const shown = (text: string) => page.getByText(text, { exact: true }).waitFor()
    for (let rows = 200; rows < ROWS_MAX; rows += 200) {
      await shown(`${rows.toLocaleString('en')} decisions`)
      await page.getByRole('button', { name: 'Older' }).click()
    }
    await shown('5,000 decisions')
    const rows = page.getByRole('region', { name: 'Decisions' }).locator('tbody tr')
    expect(await rows.count()).toBeLessThan(100)
    await page.evaluate(OBSERVE)
    log.startedAt = performance.now()
    const clicks: number[] = []
    for (let given = ROUND; given <= STREAMED; given += ROUND) {
      await eventually(`${given} of them`, () => log.given >= given)
      const before = performance.now()
      await page.getByRole('button', { name: 'Pause' }).click()
      await shown('Paused')
      clicks.push(performance.now() - before)
      await page.getByRole('button', { name: 'Resume' }).click()
      await page.getByRole('region', { name: 'Decisions' }).hover()
      await page.mouse.wheel(0, clicks.length % 2 === 0 ? -4_000 : 90_000)
      expect(await rows.count()).toBeLessThan(100)
    }
    await shown('5,000 decisions')
    await page.getByRole('region', { name: 'Decisions' }).focus()
    await page.keyboard.press('Home')
    await rows.first().getByRole('link').waitFor()
    const longTasks: number[] = await page.evaluate('longTasks')
    await annotate(
      `${log.given} decisions came in; ${longTasks.length} tasks over 50 ms` +
        ` (${longTasks.map(Math.round).join(', ')} ms); clicks answered after ${clicks.map(Math.round).join(', ')} ms`,
    )
    expect(visit.faults).toEqual([])
  })
})

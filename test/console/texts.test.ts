/**
 * Ten thousand texts that validators might send, meant to be more than text. They are shown where the form of a
 * record shows them, beside as many harmless ones: the page must have the same elements with both.
 */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { chanceFrom } from '../support/chance.ts'
import { Console, DESKTOP, PHONE, type Visit } from './browser.ts'

const TEXTS = 10_000
const BATCH = 500
const SEED = 20_261_122

const PARTS = [
  '<script>canary()</script>',
  '<img src=x onerror=canary()>',
  '<svg onload=canary()><animate onbegin=canary()>',
  '<svg><script href="data:,canary()"/></svg>',
  '<a href="javascript:canary()">here</a>',
  'javascript:canary()',
  '<iframe srcdoc="<script>parent.canary()</script>">',
  '<body onload=canary()>',
  '<input autofocus onfocus=canary()>',
  '<details open ontoggle=canary()>',
  '<style>*{display:none;width:9999px}</style>',
  '<link rel=stylesheet href=//evil.example/x.css>',
  '<meta http-equiv=refresh content="0;url=//evil.example">',
  '<base href=//evil.example>',
  '<math><mtext><table><mglyph><style><img src onerror=canary()>',
  '</textarea><script>canary()</script>',
  '</bdi></p></section></main><h1>Taken over</h1>',
  '</script><script>canary()</script>',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '"',
  "'",
  '`',
  '<',
  '>',
  '&',
  '=',
  '\\',
  '" onmouseover="canary()" x="',
  "' style='width:9999px' x='",
  'width:9999px;position:fixed;inset:0',
  'url(javascript:canary())',
  'expression(canary())',
  '@import "//evil.example"',
  '&lt;script&gt;canary()&lt;/script&gt;',
  '&#60;img src onerror=canary()&#62;',
  '&quot;',
  '&#x202e;',
  '{{constructor.constructor("canary()")()}}',
  '${canary()}',
  '<%= canary() %>',
  '\u202e',
  '\u202d',
  '\u202b',
  '\u202a',
  '\u202c',
  '\u2066',
  '\u2067',
  '\u2068',
  '\u2069',
  '\u061c',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u2060',
  '\ufeff',
  '\u00ad',
  '\u034f',
  '\u180e',
  '\u0000',
  '\u0001',
  '\u0007',
  '\b',
  '\t',
  '\n',
  '\r',
  '\u001b[31m',
  '\u007f',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ud800',
  '\udfff',
  '\ufffe',
  '\uffff',
  '\u{e0041}',
  '\u{1f600}',
  'e\u0301\u0327\u0334',
  'שלום',
  'مرحبا',
  'Відмовлено',
  'Отклонено',
  '拒绝',
  'W'.repeat(800),
  '\u00a0'.repeat(400),
  '—'.repeat(300),
  'a\u200d'.repeat(200),
] as const

const chance = chanceFrom(SEED)
const below = (limit: number): number => Math.floor(chance() * limit)
const hostile = (): string =>
  Array.from({ length: 1 + below(5) }, () => PARTS[below(PARTS.length)]).join(
    below(2) === 0 ? '' : ' ',
  )

let plainTexts = 0
/** No two are the same: what is said twice is shown once. */
const plainly = (): string => {
  plainTexts += 1
  return `plain ${plainTexts}`
}

type Finding = {
  readonly field?: string
  readonly name: string
  readonly message: { readonly title?: string; readonly text: string }
}

const FIELDS = ['title', 'note', 'nowhere', undefined] as const

/** Texts in every place that a finding has, always in the same places. */
function findingsOf(text: () => string): Finding[] {
  return Array.from({ length: BATCH }, (_, index) => {
    const field = FIELDS[index % FIELDS.length]
    const isTitled = index % 3 === 0
    return {
      subscriptionId: 'sub_1',
      severity: 'error',
      cause: 'denied',
      name: index % 5 === 0 ? text() : 'A validator',
      message: { ...(isTitled ? { title: text() } : {}), text: `${index} ${text()}` },
      ...(field === undefined ? {} : { field }),
    }
  })
}

const answerOf = (errors: readonly Finding[], decision: string, values: object = {}) => ({
  id: 'dec_1',
  decision,
  committed: false,
  errors,
  warnings: [],
  infos: [],
  values,
  verdicts: [
    {
      subscriptionId: 'sub_1',
      name: errors[0]?.name ?? '',
      mode: 'enforce',
      outcome: 'deny',
      durationMs: 1,
      applied: 'deny',
    },
  ],
  confirmations: decision === 'confirm' ? errors.map((finding) => ({ token: 'x', finding })) : [],
  timing: { totalMs: 1, validatorsMs: 1, commitMs: 0 },
})

let console_: Console
beforeAll(async () => {
  console_ = await Console.start()
  const fields = ['title', 'note'].map((id) => ({ id, title: id.toUpperCase(), type: 'text' }))
  await console_.gateway.api.post('/v1/catalogs', { id: 'texts', title: 'Texts', fields })
})
afterAll(() => console_.close())

/** What the gateway would answer next. */
type Next = { typing: object; saving: object }

async function editor(): Promise<{ visit: Visit; page: Page; next: Next; dialogs: string[] }> {
  const visit = await console_.open('records/texts/new')
  const { page } = visit
  const next: Next = { typing: answerOf([], 'allow'), saving: answerOf([], 'deny') }
  const dialogs: string[] = []
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message())
    void dialog.dismiss()
  })
  await page.evaluate(() => {
    const own = globalThis as unknown as { called: number; canary: () => void }
    own.called = 0
    own.canary = () => {
      own.called += 1
    }
  })
  await page.route('**/v1/approve', (route) => {
    const isSaving = route.request().headers()['accept'] === 'text/event-stream'
    const json = JSON.stringify(isSaving ? next.saving : next.typing)
    return route.fulfill({
      contentType: isSaving ? 'text/event-stream' : 'application/json',
      body: isSaving ? `event: decision\ndata: ${json}\n\n` : json,
    })
  })
  return { visit, page, next, dialogs }
}

/** How many elements of each kind the document has, and whether it has grown wider than the window. */
const shapeOf = (page: Page) =>
  page.evaluate(() => {
    const kinds: Record<string, number> = {}
    for (const { tagName, attributes } of document.querySelectorAll('*')) {
      const handlers = [...attributes].filter(({ name }) => name.startsWith('on')).length
      const kind = handlers === 0 ? tagName : `${tagName} with handlers`
      kinds[kind] = (kinds[kind] ?? 0) + 1
    }
    const { scrollWidth, clientWidth } = document.documentElement
    const { called } = globalThis as unknown as { called: number }
    return { kinds, isWider: scrollWidth > clientWidth, called, title: document.title }
  })

/** Which of the texts are not on the page to the letter. They travel as JSON, which can say all of them. */
const missing = (page: Page, place: string, texts: readonly string[]) =>
  page.evaluate(
    ([selector, json]) => {
      const shown = new Map<string, number>()
      for (const { textContent } of document.querySelectorAll(`${selector} bdi`)) {
        shown.set(textContent ?? '', (shown.get(textContent ?? '') ?? 0) + 1)
      }
      return (JSON.parse(json) as string[]).filter((text) => {
        const count = shown.get(text) ?? 0
        shown.set(text, count - 1)
        return count === 0
      })
    },
    [place, JSON.stringify(texts)] as const,
  )

const textsOf = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ message: { title, text } }) => (title === undefined ? [text] : [title, text]))

describe('texts of validators', () => {
  it('are text and nothing else, ten thousand of them, at the fields and at the top', async () => {
    const { visit, page, next, dialogs } = await editor()
    let turn = 0
    /** Typed, answered, saved, refused: all that was said is on the page. */
    const show = async (findings: readonly Finding[], suggestion: string) => {
      turn += 1
      next.typing = answerOf(findings, 'deny', { note: suggestion })
      next.saving = answerOf(findings, 'deny')
      const answered = page.waitForResponse('**/v1/approve')
      await page.getByLabel('TITLE').fill(`turn ${turn}`)
      await answered
      await expect.poll(() => missing(page, 'form', textsOf(findings))).toEqual([])
      const typed = await shapeOf(page)
      expect(
        await page
          .getByLabel('NOTE')
          .evaluate((note) => JSON.stringify((note as HTMLTextAreaElement).value)),
      ).toBe(JSON.stringify(suggestion.replaceAll(/\r\n?/g, '\n')))
      await page.getByRole('button', { name: 'Save' }).click()
      await expect.poll(() => missing(page, '[role=alert]', textsOf(findings))).toEqual([])
      const saved = await shapeOf(page)
      return { typed, saved }
    }
    // Once before: what was said at saving stays at its field until somebody types there.
    await show(findingsOf(plainly), plainly())
    const plain = await show(findingsOf(plainly), plainly())
    for (let shown = 0; shown < TEXTS; shown += BATCH) {
      await page.setViewportSize((shown / BATCH) % 2 === 0 ? DESKTOP : PHONE)
      expect(await show(findingsOf(hostile), hostile()), `from ${shown}`).toEqual(plain)
    }
    expect(plain.saved).toMatchObject({ isWider: false, called: 0 })
    expect(dialogs).toEqual([])
    expect(visit.faults).toEqual([])
  }, 120_000)

  it('are text where they are to be confirmed', async () => {
    const { visit, page, next, dialogs } = await editor()
    const shapes = []
    for (const text of [plainly, hostile]) {
      const findings = findingsOf(text)
      next.saving = answerOf(findings, 'confirm')
      await page.getByRole('button', { name: 'Save' }).click()
      await expect.poll(() => missing(page, 'dialog', textsOf(findings))).toEqual([])
      shapes.push(await shapeOf(page))
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    expect(shapes[1]).toEqual(shapes[0])
    expect(shapes[0]).toMatchObject({ isWider: false, called: 0 })
    expect(dialogs).toEqual([])
    await visit.expectWell()
  })
})

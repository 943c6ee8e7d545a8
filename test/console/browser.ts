/**
 * The console in a real browser, against a real gateway. What a person would not notice fails the test all the same:
 * a script error, a violation of the page's policy, a request that failed without being told, an inaccessible page.
 */
import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { ADMIN_KEY, startTestGateway, type TestGateway } from '../support/gateway.ts'

export const DESKTOP = { width: 1280, height: 900 } as const
export const PHONE = { width: 390, height: 844 } as const

type Look = {
  readonly locale?: 'en-US' | 'ru-RU' | 'uk-UA'
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly colorScheme?: 'light' | 'dark'
}

export class Console {
  readonly gateway: TestGateway
  readonly #browser: Browser
  readonly #contexts: BrowserContext[] = []

  private constructor(gateway: TestGateway, browser: Browser) {
    this.gateway = gateway
    this.#browser = browser
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Console> {
    const gateway = await startTestGateway(undefined, environment)
    const executablePath = process.env['TEST_BROWSER'] ?? ''
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    return new Console(gateway, browser)
  }

  /** A page that has signed in, at this place of the console; what goes wrong on it is in `faults`. */
  async open(place = '', look: Look = {}): Promise<Visit> {
    const visit = await this.visit(look)
    await visit.page.goto(`${this.gateway.url}/console#/${place}`)
    await visit.page.fill('input[type=password]', ADMIN_KEY)
    await visit.page.keyboard.press('Enter')
    await visit.page.locator('main#page').waitFor()
    return visit
  }

  /** A page that nobody has signed in on. */
  async visit({
    locale = 'en-US',
    viewport = DESKTOP,
    colorScheme = 'light',
  }: Look = {}): Promise<Visit> {
    const context = await this.#browser.newContext({ locale, viewport, colorScheme })
    this.#contexts.push(context)
    return new Visit(await context.newPage(), this.gateway.url)
  }

  async close(): Promise<void> {
    await this.#browser.close()
    await this.gateway.close()
  }
}

export class Visit {
  readonly page: Page
  readonly faults: string[] = []
  readonly #url: string

  constructor(page: Page, url: string) {
    this.page = page
    this.#url = url
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => this.faults.push(`error: ${error.message}`))
    page.on('console', (message) => {
      // The browser itself tells of answers that are problems, which the page shows.
      const isAnswer = message.text().startsWith('Failed to load resource')
      if (message.type() === 'error' && !isAnswer) this.faults.push(`console: ${message.text()}`)
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) this.faults.push(`foreign request: ${request.url()}`)
    })
  }

  /** Goes to a place by its address. */
  async go(place: string): Promise<void> {
    await this.page.goto(`${this.#url}/console#/${place}`)
  }

  /** Nothing went wrong so far, and the page as it is can be used without a mouse and without eyes. */
  async expectWell(): Promise<void> {
    await this.page.evaluate(axe.source)
    const violations = await this.page.evaluate(async () => {
      const { axe: inside } = globalThis as unknown as {
        axe: { run: (options: object) => Promise<AxeResult> }
      }
      const { violations: found } = await inside.run({ resultTypes: ['violations'] })
      return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
    })
    expect(violations).toEqual([])
    const overflow = await this.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    )
    expect(overflow, 'wider than the window').toBeLessThanOrEqual(0)
    expect(this.faults).toEqual([])
  }
}

type AxeResult = {
  readonly violations: readonly {
    readonly id: string
    readonly nodes: readonly { readonly html: string }[]
  }[]
}

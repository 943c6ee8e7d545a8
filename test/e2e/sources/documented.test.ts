/** docs/sources.md: its requests do what they say, each row of the four systems has one, and a test. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ADMIN_KEY, startTestGateway, type TestGateway } from '../../support/gateway.ts'
import { reply, startValidator, type ValidatorServer } from '../../support/validator-server.ts'

const ROOT = join(import.meta.dirname, '../../..')
const PAGE = readFileSync(join(ROOT, 'docs/sources.md'), 'utf8')

const ROWS = { B: 7, P: 6, T: 5, N: 4 } as const
const CODES = Object.entries(ROWS).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
)

type Request = {
  readonly code: string
  readonly api: 'api' | 'bpium'
  readonly method: string
  readonly path: string
  readonly body: string | undefined
}

/** The commands of a page, each `api <path> [-X <method>] [-d '<json>']`, under the code that they follow. */
function requestsOf(page: string): Request[] {
  const parts = page.split(/^\*\*([BPTN]\d)\*\*/m).slice(1)
  return parts.flatMap((code, index) => {
    if (index % 2 === 1) return []
    const blocks = [...(parts[index + 1] ?? '').matchAll(/```sh\n([\s\S]*?)```/g)]
    const text = blocks.map(([, block]) => block).join('')
    return [...text.matchAll(COMMAND)].map(([, api, path = '', method, body]) => ({
      code,
      api: api === 'bpium' ? 'bpium' : 'api',
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      path: path.replaceAll("'", ''),
      body,
    }))
  })
}

/** A test's title that begins with the codes of its rows. */
const TITLE = /\(\s*'((?:[BPTN]\d )+)/g

const COMMAND = /^(api|bpium) ('[^']*'|\S+)(?: -X (\w+))?(?: -d '([^']*)')?$/gm

describe('docs/sources.md', () => {
  let gateway: TestGateway
  let everybody: ValidatorServer
  beforeAll(async () => {
    gateway = await startTestGateway()
    everybody = await startValidator(reply(200, {}))
  })
  afterAll(async () => {
    await gateway.close()
    await everybody.close()
  })

  it('has a row and a request for each feature of the four systems', () => {
    const lines = PAGE.match(/^(api|bpium) /gm) ?? []
    expect(requestsOf(PAGE)).toHaveLength(lines.length)
    expect([...new Set(requestsOf(PAGE).map(({ code }) => code))]).toEqual(CODES)
  })

  it('can be followed from top to bottom', async () => {
    const basic = `Basic ${Buffer.from(`anna:${ADMIN_KEY}`).toString('base64')}`
    let id = ''
    for (const { code, api, method, path, body } of requestsOf(PAGE)) {
      const isBpium = api === 'bpium'
      const answer = await gateway.api.call(
        (isBpium ? '/api/v1' : '') + path.replace('$ID', id),
        undefined,
        {
          method,
          ...(isBpium ? { key: null, headers: { authorization: basic } } : {}),
          ...(body === undefined ? {} : { raw: withReceiver(body, everybody.url) }),
        },
      )
      const said = `${code} ${method} ${path}: ${answer.status} ${answer.text}`
      expect(answer.status, said).toBeGreaterThanOrEqual(200)
      expect(answer.status, said).toBeLessThan(300)
      expect(answer.json?.decision ?? 'allow', said).toBe('allow')
      expect(answer.json?.status ?? 'done', said).toBe('done')
      id = answer.json?.id ?? id
    }
    const { json } = await gateway.api.get('/v1/catalogs/order/records/1007/actions')
    expect(json.items.map((one: any) => one.id)).toEqual(['release', 'track'])
  })
})

/** The addresses of the page belong to nobody. */
const withReceiver = (body: string, url: string): string =>
  body.replaceAll(/https:\/\/[a-z]+\.example/g, url)

describe('each feature of the four systems', () => {
  const tested = new Set(
    testFiles(join(ROOT, 'test'))
      .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(TITLE)])
      .flatMap(([, codes = '']) => codes.trim().split(' ')),
  )

  it.each(CODES)('has a test named by its code: %s', (code) => {
    expect([...tested]).toContain(code)
  })
})

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.endsWith('documented.test.ts'))
    .map((name) => join(folder, name))
}

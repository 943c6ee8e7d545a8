/** What people get to read, and in which language: of validators, of the gateway about them, and of problems. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PROBLEMS, type ProblemCode } from '../../src/domain/problem.ts'
import { FIELD_TEXTS, PROBLEM_TEXTS } from '../../src/domain/problem-texts.ts'
import { TEXTS } from '../../src/domain/texts.ts'
import type { FailureCause } from '../../src/domain/verdict.ts'
import { type Answer, Api, startTestGateway, type TestGateway } from '../support/gateway.ts'
import {
  allow,
  type Behaviour,
  hang,
  reply,
  startValidator,
  type ValidatorServer,
} from '../support/validator-server.ts'

const LANGUAGES = ['en', 'ru', 'uk'] as const
type Headers = Record<string, string>

let gateway: TestGateway
let validator: ValidatorServer
const api = () => gateway.api
beforeAll(async () => {
  gateway = await startTestGateway()
  validator = await startValidator()
})
afterAll(async () => {
  await gateway?.close()
  await validator?.close()
})

const subscriptions: string[] = []
afterEach(async () => {
  for (const id of subscriptions.splice(0)) await api().delete(`/v1/subscriptions/${id}`)
})

let catalogs = 0
const newCatalog = () => `messages-${++catalogs}`

async function subscribe(settings: Record<string, unknown>, behave: Behaviour = allow) {
  validator.behave = behave
  const one = await api().subscribe({ url: validator.url, name: 'Склад', ...settings })
  subscriptions.push(one.id)
  return one
}

describe('a validator that speaks several languages', () => {
  const said = { en: 'No stock', ru: 'Нет на складе', 'uk-UA': { title: 'Склад', text: 'Немає' } }
  const other = { en: 'Ends soon', ru: 'Скоро закончится', uk: 'Скоро закінчиться' }
  const UK = [{ title: 'Склад', text: 'Немає' }, { text: other.uk }] as const
  const RU = [{ text: said.ru }, { text: other.ru }] as const
  const EN = [{ text: said.en }, { text: other.en }] as const

  it.each([
    ['uk', undefined, UK],
    ['uk_UA', 'ru', UK],
    ['RU-kz', 'uk', RU],
    ['de', 'ru;q=0.9, en;q=0.5', RU],
    [undefined, 'de, uk;q=0.5', UK],
    [undefined, undefined, EN],
    ['de', 'fr', EN],
  ])(
    'is read by user.locale %s and Accept-Language %s, in each place',
    async (locale, header, [error, warning]) => {
      const catalogId = newCatalog()
      const body = { decision: 'deny', errors: [{ message: said }], warnings: [{ message: other }] }
      const { id } = await subscribe({ catalogId }, reply(200, body))
      const headers: Headers = header === undefined ? {} : { 'accept-language': header }
      const ask = async () =>
        (await api().approve({ catalogId, user: { id: '1', locale } }, { headers })).json
      const listed = await ask()
      expect(listed.message).toEqual(error)
      expect(listed.errors).toMatchObject([{ message: error }])
      expect(listed.warnings).toMatchObject([{ message: warning }])
      const sample = { user: { id: '1', locale } }
      const trial = await api().post(`/v1/subscriptions/${id}/test`, sample, { headers })
      expect(trial.json.findings).toMatchObject([{ message: error }, { message: warning }])
      validator.behave = reply(200, { decision: 'deny', message: said })
      expect((await ask()).message).toEqual(error)
      validator.behave = reply(200, { decision: 'confirm', message: said })
      expect((await ask()).confirmations).toMatchObject([{ finding: { message: error } }])
      validator.behave = reply(200, { decision: 'allow', message: said })
      expect((await ask()).infos).toMatchObject([{ message: error }])
    },
  )

  it('is read so in the dialect plain too', async () => {
    const catalogId = newCatalog()
    await subscribe({ catalogId, dialect: 'plain' }, reply(422, { errors: [{ message: said }] }))
    const user = { id: '1', locale: 'ru-RU' }
    expect((await api().approve({ catalogId, user })).json.message).toEqual({ text: said.ru })
    validator.behave = reply(409, { error: { message: said } })
    expect((await api().approve({ catalogId, user })).json.message).toEqual({ text: said.ru })
  })

  const HIDING = '\u202eP\u0001a\u200by\u2066 \u{e0041}now\u0007\u200d!'
  it.each([
    ['standard', reply(200, { decision: 'deny', message: { title: HIDING, text: HIDING } })],
    ['plain', reply(400, { message: { title: HIDING, text: HIDING } })],
    ['bpium', reply(400, { message: { title: HIDING, text: HIDING } })],
  ])('hides nothing and turns nothing in the dialect %s', async (dialect, behave) => {
    const catalogId = newCatalog()
    await subscribe({ catalogId, dialect, name: `Склад${HIDING}` }, behave)
    const { json } = await api().approve({ catalogId })
    expect(json.message).toEqual({ title: 'Pay now!', text: 'Pay now!' })
    validator.behave = reply(500, '')
    const failed = await api().approve({ catalogId })
    expect(failed.json.message.text).toBe(TEXTS.bad_status.en.replace('{name}', 'СкладPay now!'))
    validator.behave = reply(400, { message: `${'\u{1f600}'.repeat(1_001)}` })
    const long = await api().approve({ catalogId })
    expect(long.json.message.text).toBe(`${'\u{1f600}'.repeat(999)}…`)
  })
})

describe('a validator that could not be asked is spoken for', () => {
  const FAST = { timeoutMs: 100 }
  /** How each cause comes about. `budget_exhausted` needs a moment that no test can choose. */
  const CAUSES: Record<
    Exclude<FailureCause, 'budget_exhausted'>,
    { readonly settings?: () => object; readonly behave?: Behaviour; readonly before?: number }
  > = {
    timeout: { settings: () => FAST, behave: hang },
    unreachable: { settings: () => ({ url: 'http://127.0.0.1:1' }) },
    tls: { settings: () => ({ url: validator.url.replace('http:', 'https:') }) },
    bad_status: { behave: reply(500, '') },
    bad_reply: { behave: reply(200, 'well, yes') },
    reply_too_large: { behave: reply(200, JSON.stringify('x'.repeat(300_000))) },
    redirected: { behave: reply(302, '', { location: '/' }) },
    circuit_open: {
      settings: () => ({ breaker: { consecutiveFailures: 1, openMs: 600_000 } }),
      behave: reply(500, ''),
      before: 1,
    },
    overloaded: {
      settings: () => ({ maxConcurrency: 1, timeoutMs: 10_000 }),
      behave: hang,
      before: 0,
    },
    egress_blocked: { settings: () => ({ url: `${gateway.url}/healthz` }) },
  }

  const cases = Object.entries(CAUSES).map(([cause, how]) => [cause as FailureCause, how] as const)
  it.each(cases)(
    'when it is %s, in three languages, or in the words of the administrator',
    async (cause, { settings = () => ({}), behave = allow, before }) => {
      const catalogId = newCatalog()
      const { id } = await subscribe({ catalogId, ...settings() }, behave)
      if (before === 1) await api().approve({ catalogId })
      const calling = new AbortController()
      if (before === 0) {
        const arrived = validator.next()
        api()
          .approve({ catalogId }, { signal: calling.signal })
          .catch(() => {})
        await arrived
      }
      const ask = async (locale: string) => {
        const { json } = await api().approve({ catalogId, user: { id: '1', locale } })
        expect(json.errors).toMatchObject([{ cause }])
        return json.message.text
      }
      for (const language of LANGUAGES) {
        expect(await ask(`${language}-UA`)).toBe(TEXTS[cause][language].replace('{name}', 'Склад'))
      }
      const fallbackMessage = { uk: 'Телефонуйте: 42', 'en-GB': 'Ring 42' }
      await api().patch(`/v1/subscriptions/${id}`, { fallbackMessage })
      if (before === 1) await api().approve({ catalogId })
      expect(await ask('uk-UA')).toBe('Телефонуйте: 42')
      expect(await ask('ru')).toBe('Ring 42')
      calling.abort()
    },
  )

  it('when it refuses or asks without a word, in three languages', async () => {
    const catalogId = newCatalog()
    await subscribe({ catalogId })
    for (const language of LANGUAGES) {
      const user = { id: '1', locale: language }
      validator.behave = reply(200, { decision: 'deny' })
      const denied = (await api().approve({ catalogId, user })).json
      expect(denied.message.text).toBe(TEXTS.denied[language].replace('{name}', 'Склад'))
      validator.behave = reply(200, { decision: 'confirm' })
      const { confirmations } = (await api().approve({ catalogId, user })).json
      const text = TEXTS.confirm[language].replace('{name}', 'Склад')
      expect(confirmations).toMatchObject([{ finding: { message: { text } } }])
    }
  })

  it('by nothing where it allows without a word', async () => {
    const catalogId = newCatalog()
    await subscribe({ catalogId }, reply(200, { decision: 'allow', message: '' }))
    const { json } = await api().approve({ catalogId })
    expect(json).toMatchObject({ decision: 'allow', errors: [], warnings: [], infos: [] })
  })
})

type Provoke = (headers: Headers) => Promise<Answer>

/** How to get each problem that can be had by asking for it. */
const PROVOKED: Partial<Record<ProblemCode, Provoke>> = {
  unauthenticated: (headers) => api().get('/v1/subscriptions', { key: null, headers }),
  forbidden: async (headers) => {
    const { json } = await api().post('/v1/keys', { name: 'reader', scopes: ['read'] })
    return new Api(gateway.url, json.key).approve({}, { headers })
  },
  not_found: (headers) => api().get('/v1/nothing', { headers }),
  method_not_allowed: (headers) => api().delete('/v1/approve', undefined, { headers }),
  invalid_json: (headers) => api().post('/v1/approve', undefined, { raw: '{', headers }),
  json_too_deep: (headers) =>
    api().post('/v1/approve', undefined, { raw: '['.repeat(100), headers }),
  invalid_header: (headers) =>
    api().patch(
      '/v1/catalogs/c/records/r',
      { values: {} },
      { headers: { ...headers, 'if-match': 'x' } },
    ),
  invalid_query: (headers) => api().get('/v1/decisions?limit=0', { headers }),
  unsupported_media_type: (headers) =>
    api().approve({}, { headers: { ...headers, 'content-encoding': 'br' } }),
  body_too_large: (headers) =>
    api().post('/v1/approve', undefined, { raw: ' '.repeat(1_048_577), headers }),
  invalid_request: (headers) => api().post('/v1/approve', {}, { headers }),
  too_many_values: (headers) => {
    const names = Array.from({ length: 1_001 }, (_, at) => [`f${at}`, at])
    return api().approve({ values: Object.fromEntries(names) }, { headers })
  },
  record_not_found: (headers) => api().get('/v1/catalogs/c/records/none', { headers }),
  record_exists: async (headers) => {
    const request = { catalogId: newCatalog(), recordId: 'r' }
    await api().approve(request)
    return api().approve(request, { headers })
  },
  version_conflict: async (headers) => {
    const request = { catalogId: newCatalog(), recordId: 'r' }
    await api().approve(request)
    const event = 'record.before.updated'
    return api().approve({ ...request, event, baseVersion: 7 }, { headers })
  },
  already_exists: async (headers) => {
    const catalog = { id: newCatalog(), title: 'C', fields: [] }
    await api().post('/v1/catalogs', catalog)
    return api().post('/v1/catalogs', catalog, { headers })
  },
  catalog_not_empty: async (headers) => {
    const catalogId = newCatalog()
    await api().approve({ catalogId })
    return api().delete(`/v1/catalogs/${catalogId}`, undefined, { headers })
  },
  idempotency_key_reused: async (headers) => {
    const key = { 'idempotency-key': newCatalog() }
    await api().approve({ catalogId: 'a' }, { headers: key })
    return api().approve({ catalogId: 'b' }, { headers: { ...headers, ...key } })
  },
  idempotency_in_progress: async (headers) => {
    const catalogId = newCatalog()
    const key = { 'idempotency-key': catalogId }
    return whileAsked(catalogId, key, () =>
      api().approve({ catalogId, recordId: 'r' }, { headers: { ...headers, ...key } }),
    )
  },
  approval_in_flight: async (headers) => {
    const catalogId = newCatalog()
    return whileAsked(catalogId, {}, () => api().approve({ catalogId, recordId: 'r' }, { headers }))
  },
  approval_token_invalid: async (headers) => {
    const { path } = await approvedForCaller()
    return api().post(`${path}/commit`, { token: 'another' }, { headers })
  },
  digest_mismatch: async (headers) => {
    const { path, token } = await approvedForCaller()
    return api().post(`${path}/commit`, { token, values: { other: 1 } }, { headers })
  },
  approval_aborted: async (headers) => {
    const { path, token } = await approvedForCaller()
    await api().post(`${path}/abort`)
    return api().post(`${path}/commit`, { token }, { headers })
  },
  approval_committed: async (headers) => {
    const { path, token } = await approvedForCaller()
    await api().post(`${path}/commit`, { token })
    return api().post(`${path}/abort`, undefined, { headers })
  },
  approval_loop: async (headers) => {
    const catalogId = newCatalog()
    let refused: Answer | undefined
    await subscribe({ catalogId }, async (request, response) => {
      const chain = { 'x-assent-chain': String(request.headers['x-assent-chain']) }
      const inner = await api().approve({ catalogId }, { headers: { ...headers, ...chain } })
      if (inner.status !== 200) refused = inner
      void allow(request, response)
    })
    await api().approve({ catalogId })
    if (refused === undefined) throw new Error('nobody stopped the ring')
    return refused
  },
  too_many_subscriptions: async (headers) => {
    const catalogId = 'crowded'
    while (subscriptions.length <= 64) await subscribe({ catalogId })
    return api().approve({ catalogId }, { headers })
  },
}

/** Does something while a change of the record `r` hangs at its validator. */
async function whileAsked(
  catalogId: string,
  headers: Headers,
  run: () => Promise<Answer>,
): Promise<Answer> {
  let release = () => {}
  await subscribe({ catalogId }, (request, response) => {
    release = () => void allow(request, response)
  })
  const arrived = validator.next()
  const first = api().approve({ catalogId, recordId: 'r' }, { headers })
  await arrived
  const answer = await run()
  release()
  await first
  return answer
}

async function approvedForCaller() {
  const { json } = await api().approve({ catalogId: newCatalog(), commit: 'caller' })
  return { path: `/v1/approvals/${json.id}`, token: json.approval.token }
}

describe('a problem', () => {
  it.each(Object.entries(PROVOKED))(
    '%s speaks three languages to people, and English to programs',
    async (code, provoke) => {
      const known = code as ProblemCode
      for (const language of LANGUAGES) {
        const { status, json, headers } = await provoke({ 'accept-language': `${language}, fr` })
        expect({ status, code: json.code }).toEqual({ status: PROBLEMS[known].status, code })
        expect(json.message).toEqual({ text: PROBLEM_TEXTS[known][language] })
        expect(headers.get('content-language')).toBe(language)
        expect(json.title).toBe(PROBLEMS[known].title)
        expect(json.detail).toMatch(/^[ -~]+$/)
      }
    },
  )

  it('speaks the language of user.locale before that of the header, also where the body is refused', async () => {
    const headers = { 'accept-language': 'ru' }
    const user = { id: '1', locale: 'uk_UA' }
    const event = 'record.before.updated'
    const missing = await api().approve({ event, recordId: 'none', user }, { headers })
    expect(missing.json.message.text).toBe(PROBLEM_TEXTS.record_not_found.uk)
    const refused = await api().approve({ event, user }, { headers })
    expect(refused.json).toMatchObject({
      code: 'invalid_request',
      message: { text: PROBLEM_TEXTS.invalid_request.uk },
    })
    const deleted = await api().delete('/v1/catalogs/c/records/none', { user }, { headers })
    expect(deleted.json.message.text).toBe(PROBLEM_TEXTS.record_not_found.uk)
  })

  it.each([
    [{ user: { id: '1', locale: 7 } }],
    [{ user: { id: '1', locale: 'uk'.repeat(20) } }],
    [{ user: 'uk' }],
    [{ user: null }],
    [{ user: ['uk'] }],
    [[]],
    [null],
    ['uk'],
  ])('speaks the language of the header where a body says %j', async (body) => {
    const headers = { 'accept-language': 'ru' }
    const { json } = await api().post('/v1/approve', undefined, {
      raw: JSON.stringify(body),
      headers,
    })
    expect(json.message).toEqual({ text: PROBLEM_TEXTS.invalid_request.ru })
  })

  it('names the field of the form, by its title, that has to be looked at first', async () => {
    const id = newCatalog()
    const fields = [
      { id: 'total/net', title: 'Сума', type: 'number' },
      { id: 'name', title: 'Назва', type: 'text', required: true },
    ]
    await api().post('/v1/catalogs', { id, title: 'Orders', fields })
    const ask = async (values: object) => {
      const { json } = await api().approve({
        catalogId: id,
        values,
        user: { id: '1', locale: 'uk' },
      })
      expect(json.code).toBe('invalid_values')
      return json.message.text
    }
    const { one, several } = FIELD_TEXTS
    expect(await ask({ 'total/net': 'x', name: 'y' })).toBe(one.uk.replace('{field}', 'Сума'))
    expect(await ask({})).toBe(one.uk.replace('{field}', 'Назва'))
    expect(await ask({ 'total/net': 'x' })).toBe(
      several.uk.replace('{field}', 'Сума').replace('{count}', '2'),
    )
    expect(await ask({ unknown: 1, name: 'y' })).toBe(PROBLEM_TEXTS.invalid_values.uk)
  })

  it('speaks the language of the person in a stream that has begun', async () => {
    const id = newCatalog()
    await api().post('/v1/catalogs', { id, title: 'Orders', fields: [] })
    await subscribe({ catalogId: id }, async (request, response) => {
      const fields = [{ id: 'name', title: 'Назва', type: 'text', required: true }]
      await api().patch(`/v1/catalogs/${id}`, { fields })
      void allow(request, response)
    })
    const { text } = await api().approve(
      { catalogId: id, user: { id: '1', locale: 'uk' } },
      { headers: { accept: 'text/event-stream', 'accept-language': 'ru' } },
    )
    const [, data = ''] = /^event: problem\ndata: (.*)$/m.exec(text) ?? []
    expect(JSON.parse(data)).toMatchObject({
      code: 'invalid_values',
      message: { text: FIELD_TEXTS.one.uk.replace('{field}', 'Назва') },
    })
  })
})

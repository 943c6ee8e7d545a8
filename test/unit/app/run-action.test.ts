import { describe, expect, it } from 'vitest'
import { compilePattern } from '../../../src/adapters/system/patterns.ts'
import { createConfigurations } from '../../../src/app/configuration.ts'
import { createInFlight } from '../../../src/app/in-flight.ts'
import {
  type ActionCall,
  type ActionOutcome,
  menuOf,
  type RunRequest,
  runAction,
} from '../../../src/app/run-action.ts'
import type { Actions } from '../../../src/app/store.ts'
import { type Action } from '../../../src/domain/action.ts'
import { TEXTS } from '../../../src/domain/texts.ts'
import { ACCOUNT } from '../../support/build.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import {
  ACCOUNT_NUMBER,
  countingIds,
  FakeAccount,
  recordingJournal,
  recordOf,
  recordsOf,
} from './fakes.ts'

const refusal = (code: string) => expect.objectContaining({ code })

function actionOf(over: Partial<Action> = {}): Action {
  return {
    id: 'call.driver',
    accountId: ACCOUNT,
    title: 'Call the driver',
    catalogId: 'orders',
    conditions: [{ field: 'status', op: 'eq', value: 'new' }],
    url: 'https://dispatch.example/call',
    method: 'POST',
    parameters: null,
    dialect: 'standard',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    retiring: [],
    auth: { type: 'none' },
    headers: {},
    timeoutMs: 7_000,
    confirmText: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...over,
  }
}

const DONE: ActionOutcome = {
  failure: null,
  message: undefined,
  httpStatus: 200,
  durationMs: 12,
}

function world(
  actions: readonly Action[] = [actionOf()],
  answer: (call: ActionCall) => ActionOutcome | Promise<ActionOutcome> = () => DONE,
) {
  const calls: ActionCall[] = []
  const journal = recordingJournal()
  const clock = new FakeClock()
  const actionsInFlight = createInFlight(2)
  const find: Pick<Actions, 'read' | 'ofCatalog'> = {
    read: async (_, id) => actions.find((one) => one.id === id) ?? null,
    ofCatalog: async () => actions,
  }
  const ports = {
    actions: find as Actions,
    records: recordsOf(recordOf()),
    configurations: createConfigurations(new FakeAccount([]), compilePattern),
    compilePattern,
    actionRunner: {
      run: async (call: ActionCall) => {
        calls.push(call)
        return answer(call)
      },
    },
    actionsInFlight,
    ids: countingIds(),
    clock,
    journal,
  }
  const press = (over: Partial<RunRequest> = {}) => runAction({ ...REQUEST, ...over }, ports)
  return { ports, press, calls, journal, clock, actionsInFlight }
}

const REQUEST: RunRequest = {
  accountId: ACCOUNT,
  catalogId: 'orders',
  recordId: 'rec_1',
  actionId: 'call.driver',
  user: { id: 'anna' },
  requestId: 'req_7',
  locales: [],
  traceparent: undefined,
}

describe('running an action', () => {
  it('tells its endpoint of the record as it is, by whom, and until when', async () => {
    const { press, calls, clock } = world()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await press({ traceparent })
    expect(calls).toEqual([
      {
        action: actionOf(),
        requestId: 'req_7',
        traceparent,
        message: {
          id: expect.stringMatching(/^evt_[^.]+$/),
          event: 'action.run',
          occurredAtMs: clock.wallMs(),
          accountId: ACCOUNT,
          accountNumber: ACCOUNT_NUMBER,
          catalogId: 'orders',
          recordId: 'rec_1',
          values: { status: 'new', total: 10 },
          prevValues: undefined,
          allValues: undefined,
          changedFields: [],
          user: { id: 'anna' },
          context: { actionId: 'call.driver', actionTitle: 'Call the driver' },
          sequenceId: null,
          subscriptionId: 'call.driver',
          decisionId: undefined,
          dryRun: false,
          deadlineAtMs: clock.wallMs() + 7_000,
        },
      },
    ])
  })

  it('is refused when its conditions do not hold any more, and nobody is called', async () => {
    const busy = actionOf({ conditions: [{ field: 'status', op: 'eq', value: 'busy' }] })
    const { press, calls } = world([busy])
    await expect(press()).rejects.toEqual(refusal('action_not_available'))
    expect(calls).toEqual([])
  })

  it('wants an action of this catalog, or of every one, and a record', async () => {
    await expect(world([]).press()).rejects.toEqual(refusal('not_found'))
    const elsewhere = actionOf({ catalogId: 'drivers' })
    await expect(world([elsewhere]).press()).rejects.toEqual(refusal('not_found'))
    const everywhere = actionOf({ catalogId: '*' })
    expect(await world([everywhere]).press()).toMatchObject({ status: 'done' })
    const { press, ports } = world([everywhere])
    await expect(press({ recordId: 'none' })).rejects.toEqual(refusal('record_not_found'))
    await expect(menuOf({ ...REQUEST, recordId: 'none' }, ports)).rejects.toEqual(
      refusal('record_not_found'),
    )
  })

  it('answers what the endpoint says, cleaned, in the language of the person', async () => {
    const locales = { en: { text: 'Called.' }, ru: { title: 'Готово', text: 'Позвонили\u202e.' } }
    const { press } = world(undefined, () => ({ ...DONE, message: { locales } }))
    expect(await press({ locales: ['ru-RU', 'en'] })).toEqual({
      status: 'done',
      message: { title: 'Готово', text: 'Позвонили.' },
      httpStatus: 200,
      durationMs: 12,
    })
    expect(await press({ locales: ['uk'] })).toMatchObject({ message: { text: 'Called.' } })
  })

  it('is done without a message when the endpoint has none, or none that can be shown', async () => {
    for (const message of [undefined, { text: '\u0007\u202e ' }]) {
      const result = await world(undefined, () => ({ ...DONE, message })).press()
      expect(result.status).toBe('done')
      expect(result.message).toBeUndefined()
    }
  })

  it('that failed says why: in the words of the endpoint, else in ours', async () => {
    const failure = 'timeout' as const
    const silent = world(undefined, () => ({ ...DONE, failure, httpStatus: undefined }))
    expect(await silent.press({ locales: ['ru'] })).toEqual({
      status: 'failed',
      message: { text: TEXTS.timeout.ru.replace('{name}', 'Call the driver') },
      httpStatus: undefined,
      durationMs: 12,
    })
    const spoken = world(undefined, () => ({
      failure: 'bad_status' as const,
      message: { text: 'No line.' },
      httpStatus: 500,
      durationMs: 3,
    }))
    expect(await spoken.press()).toEqual({
      status: 'failed',
      message: { text: 'No line.' },
      httpStatus: 500,
      durationMs: 3,
    })
  })

  it('is journaled without a value of the record and without a secret', async () => {
    const { press, journal } = world(undefined, () => ({ ...DONE, failure: 'tls' }))
    await press()
    expect(journal.events).toEqual([
      {
        kind: 'action.ended',
        requestId: 'req_7',
        accountId: ACCOUNT,
        actionId: 'call.driver',
        catalogId: 'orders',
        recordId: 'rec_1',
        status: 'failed',
        cause: 'tls',
        httpStatus: 200,
        durationMs: 12,
      },
    ])
  })

  it('is waited for by a gateway that stops, which takes no new one', async () => {
    let finish: (outcome: ActionOutcome) => void = () => {}
    const { press, actionsInFlight } = world(
      undefined,
      () =>
        new Promise((resolve) => {
          finish = resolve
        }),
    )
    const running = press()
    await settled()
    actionsInFlight.shut()
    let isDrained = false
    void actionsInFlight.drained().then(() => {
      isDrained = true
    })
    await expect(press()).rejects.toEqual(refusal('stopping'))
    await settled()
    expect([actionsInFlight.count, isDrained]).toEqual([1, false])
    finish(DONE)
    expect(await running).toMatchObject({ status: 'done' })
    await settled()
    expect([actionsInFlight.count, isDrained]).toEqual([0, true])
  })

  it('past the limit is refused, and gives its place back however it ends', async () => {
    const { press, actionsInFlight } = world(undefined, () => new Promise(() => {}))
    void press()
    void press()
    await settled()
    await expect(press()).rejects.toEqual(refusal('overloaded'))
    expect(actionsInFlight.count).toBe(2)
    const other = world([])
    await expect(other.press()).rejects.toEqual(refusal('not_found'))
    expect(other.actionsInFlight.count).toBe(0)
  })
})

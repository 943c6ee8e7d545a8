import { describe, expect, it } from 'vitest'
import type { Change } from '../../../src/domain/change.ts'
import { decide, isDenial } from '../../../src/domain/decision.ts'
import type { Locales } from '../../../src/domain/message.ts'
import type { Subscription } from '../../../src/domain/subscription.ts'
import { TEXTS } from '../../../src/domain/texts.ts'
import { type Answer, failureCauses, type TimedAnswer } from '../../../src/domain/verdict.ts'
import {
  allow,
  changeWith,
  confirm,
  deny,
  deskConfirming,
  failed,
  planOf,
  remark,
  subscriptionOf,
  subscriptionsOf,
  timed,
} from '../../support/build.ts'

type Options = {
  readonly over?: readonly Partial<Subscription>[]
  readonly change?: Change
  readonly locales?: Locales
  readonly confirmed?: readonly string[]
}

/** Decides over validators named a, b, c … in plan order. */
function decideOver(answers: readonly (Answer | TimedAnswer)[], options: Options = {}) {
  const ids = answers.map((_, at) => String.fromCharCode(97 + at))
  const asked = subscriptionsOf(ids).map((one, at) => ({ ...one, ...options.over?.[at] }))
  return decide({
    plan: planOf(asked, options.change),
    answers: answers.map((answer) => ('answer' in answer ? answer : timed(answer))),
    locales: options.locales ?? [],
    desk: deskConfirming(...(options.confirmed ?? [])),
  })
}

const textsOf = (findings: readonly { message: { text: string } }[]) =>
  findings.map(({ message }) => message.text)

describe('a decision', () => {
  it('of nobody is allow', () => {
    expect(decideOver([])).toEqual({
      decision: 'allow',
      message: undefined,
      errors: [],
      warnings: [],
      infos: [],
      confirmations: [],
      verdicts: [],
      suggestions: {},
      suggestedBy: {},
      conflicts: [],
      degraded: false,
    })
  })

  it('is deny as soon as one denies, with every error in plan order and the first one as message', () => {
    const decided = decideOver([allow(), deny('second', 'and more'), deny('third')])
    expect(decided.decision).toBe('deny')
    expect(textsOf(decided.errors)).toEqual(['second', 'and more', 'third'])
    expect(decided.message).toEqual({ text: 'second' })
    expect(decided.errors[0]).toEqual({
      subscriptionId: 'b',
      name: 'b',
      code: undefined,
      field: undefined,
      severity: 'error',
      message: { text: 'second' },
      cause: 'denied',
    })
  })

  it('sorts what is said by severity: errors, warnings with what wants confirming, infos', () => {
    const decided = decideOver([
      allow(undefined, [
        remark('info', { severity: 'info' }),
        remark('warn', { severity: 'warning' }),
      ]),
      {
        kind: 'confirm',
        remarks: [remark('sure?', { severity: 'confirm' }), remark('hm', { severity: 'warning' })],
      },
    ])
    expect(decided.decision).toBe('confirm')
    expect(textsOf(decided.warnings)).toEqual(['warn', 'sure?', 'hm'])
    expect(textsOf(decided.infos)).toEqual(['info'])
    expect(decided.errors).toEqual([])
    expect(decided.message).toBeUndefined()
  })

  it('cleans what validators write: texts, codes and fields', () => {
    const dirty = remark('\u202eevil\u0000', { code: 'c\u200f', field: 'f'.repeat(300) })
    const { errors } = decideOver([{ kind: 'deny', remarks: [dirty], values: undefined }])
    expect(errors[0]).toMatchObject({ message: { text: 'evil' }, code: 'c' })
    expect(errors[0]?.field).toHaveLength(200)
  })

  it('shows a text of our own where a deny has none, and a title where only that is left', () => {
    const own = 'a refused the change without giving a reason.'
    expect(textsOf(decideOver([deny()]).errors)).toEqual([own])
    expect(textsOf(decideOver([deny(' \u202e ')]).errors)).toEqual([own])
    const titled: Answer = {
      kind: 'deny',
      remarks: [remark('', { message: { title: 'No stock', text: '' } })],
      values: undefined,
    }
    expect(decideOver([titled]).message).toEqual({ title: 'No stock', text: 'No stock' })
  })

  it('shows nothing of a remark without words, which refuses nothing and asks nothing', () => {
    const remarks = (['warning', 'info'] as const).map((severity) => remark(' ', { severity }))
    const decided = decideOver([{ kind: 'allow', remarks, values: undefined }])
    expect([decided.decision, decided.warnings, decided.infos]).toEqual(['allow', [], []])
  })

  it('has an error for each deny, even if its remarks are of other severities', () => {
    const remarks = [remark('note', { severity: 'info' })]
    const decided = decideOver([{ kind: 'deny', remarks, values: undefined }])
    expect(decided.errors).toHaveLength(1)
    expect(textsOf(decided.infos)).toEqual(['note'])
  })

  it('has a hundred findings of one validator at most, none left out for a lighter one', () => {
    const info = remark('info', { severity: 'info' })
    const remarks = [...Array.from({ length: 150 }, () => info), remark('no')]
    const decided = decideOver([{ kind: 'deny', remarks, values: undefined }, deny('me too')])
    expect(textsOf(decided.errors)).toEqual(['no', 'me too'])
    expect(decided.infos).toHaveLength(99)
  })

  it("speaks the person's language", () => {
    const locales = { en: { text: 'no' }, uk: { text: 'ні' } }
    const said: Answer = {
      kind: 'deny',
      remarks: [remark('', { message: { locales } })],
      values: undefined,
    }
    expect(decideOver([said], { locales: ['uk'] }).message).toEqual({ text: 'ні' })
    expect(decideOver([said], { locales: ['de'] }).message).toEqual({ text: 'no' })
    expect(decideOver([deny()], { locales: ['uk'] }).message?.text).toContain('зміну відхилено')
  })
})

describe('a validator that could not be asked', () => {
  it('denies by default, with its cause in the finding and a text of ours', () => {
    const decided = decideOver([failed('unreachable')])
    expect(decided.decision).toBe('deny')
    expect(decided.errors).toEqual([
      {
        subscriptionId: 'a',
        name: 'a',
        severity: 'error',
        message: { text: 'a cannot be reached at the moment. Please try again later.' },
        cause: 'unreachable',
      },
    ])
    expect(decided.degraded).toBe(false)
  })

  it('lets the change through where its policy says so, says nothing, and marks it as degraded', () => {
    const decided = decideOver([failed('timeout'), allow()], { over: [{ onFailure: 'allow' }] })
    expect(decided.decision).toBe('allow')
    expect(decided.errors).toEqual([])
    expect(decided.degraded).toBe(true)
    expect(decided.verdicts[0]).toMatchObject({
      outcome: 'failed',
      cause: 'timeout',
      applied: 'allow',
    })
  })

  it('is heard all the same where it said something, as a warning', () => {
    const said = failed('bad_status', [remark('down for repair')])
    const decided = decideOver([said], { over: [{ onFailure: 'allow' }] })
    expect(decided).toMatchObject({ decision: 'allow', errors: [], degraded: true })
    expect(decided.warnings).toMatchObject([
      { severity: 'warning', message: { text: 'down for repair' }, cause: 'bad_status' },
    ])
  })

  it('degrades nothing that is denied anyway, and no more when it is a shadow', () => {
    expect(decideOver([failed(), deny('no')], { over: [{ onFailure: 'allow' }] }).degraded).toBe(
      false,
    )
    expect(
      decideOver([failed()], { over: [{ onFailure: 'allow', mode: 'shadow' }] }).degraded,
    ).toBe(false)
  })

  it('never has its policy applied to a deny', () => {
    expect(decideOver([deny('no')], { over: [{ onFailure: 'allow' }] }).decision).toBe('deny')
  })

  it.each(failureCauses)('by %s is spoken for in the language of the person', (cause) => {
    const fallbackMessage = { uk: 'Телефонуйте', 'pt-BR': 'Ligue', en: 'Call us' }
    const textOf = (locales: Locales, over: Partial<Subscription>) =>
      decideOver([failed(cause)], { locales, over: [over] }).message?.text
    for (const language of ['en', 'ru', 'uk'] as const) {
      const own = TEXTS[cause][language].replace('{name}', 'a')
      expect(textOf([`${language}-XX`, 'de'], {})).toBe(own)
    }
    expect(textOf(['uk-UA'], { fallbackMessage })).toBe('Телефонуйте')
    expect(textOf(['pt'], { fallbackMessage })).toBe('Ligue')
    expect(textOf(['ru'], { fallbackMessage })).toBe('Call us')
    expect(textOf(['ru', 'uk'], { fallbackMessage })).toBe('Телефонуйте')
  })

  it('is spoken for by what its reply said, else by the administrator, else by us', () => {
    const fallbackMessage = { en: 'Call the warehouse: 42', uk: 'Телефонуйте: 42' }
    const said = failed('bad_status', [remark('down for repair')])
    const textOf = (answer: Answer, over: Partial<Subscription>, locales: Locales = []) =>
      decideOver([answer], { over: [over], locales }).message?.text
    expect(textOf(said, { fallbackMessage })).toBe('down for repair')
    expect(textOf(failed(), { fallbackMessage })).toBe('Call the warehouse: 42')
    expect(textOf(failed(), { fallbackMessage }, ['uk'])).toBe('Телефонуйте: 42')
    expect(textOf(failed(), { fallbackMessage: { en: '\u0000 ' } })).toContain('did not answer')
    expect(textOf(failed('bad_status', [remark('')]), {})).toContain('error of its own')
  })
})

describe('a confirmation', () => {
  it('is asked for with a token for each finding that wants one, and commits nothing yet', () => {
    const decided = decideOver([confirm('sure?', 'really?'), allow()])
    expect(decided.decision).toBe('confirm')
    expect(decided.confirmations.map(({ token }) => token)).toEqual([
      'token for sure?',
      'token for really?',
    ])
    expect(decided.confirmations.map(({ finding }) => finding)).toEqual(decided.warnings)
    expect(decided.verdicts[0]).toMatchObject({ outcome: 'allow', applied: 'none' })
  })

  it('has a text of ours where the validator gave none', () => {
    expect(textsOf(decideOver([confirm()]).warnings)).toEqual(['a asks you to confirm the change.'])
    expect(textsOf(decideOver([confirm('')]).warnings)).toEqual([
      'a asks you to confirm the change.',
    ])
  })

  it('is settled by a token for each of its findings, and by no fewer', () => {
    const answers = [confirm('sure?', 'really?')]
    expect(decideOver(answers, { confirmed: ['sure?'] }).decision).toBe('confirm')
    const decided = decideOver(answers, { confirmed: ['sure?', 'really?'] })
    expect(decided.decision).toBe('allow')
    expect(decided.confirmations).toEqual([])
    expect(textsOf(decided.warnings)).toEqual(['sure?', 'really?'])
    expect(decided.verdicts[0]).toMatchObject({ outcome: 'allow', applied: 'allow' })
  })

  it('of one validator does not stand for another, nor against a deny', () => {
    const answers = [confirm('one'), confirm('two')]
    const decided = decideOver(answers, { confirmed: ['one'] })
    expect(decided.decision).toBe('confirm')
    expect(decided.confirmations.map(({ token }) => token)).toEqual(['token for two'])
    const denied = decideOver([confirm('one'), deny('no')], { confirmed: ['one'] })
    expect(denied.decision).toBe('deny')
    expect(denied.confirmations).toEqual([])
  })

  it('is not asked for beside a deny', () => {
    const decided = decideOver([confirm('sure?'), deny('no')])
    expect(decided.decision).toBe('deny')
    expect(decided.confirmations).toEqual([])
    expect(textsOf(decided.warnings)).toEqual(['sure?'])
  })
})

describe('a shadow', () => {
  it('is in the verdicts and nowhere else', () => {
    for (const answer of [deny('no'), confirm('?'), failed(), allow({ total: 1 }, [remark('x')])]) {
      const decided = decideOver([answer], { over: [{ mode: 'shadow', mayChange: '*' }] })
      const { verdicts, ...rest } = decided
      expect(rest).toEqual({
        decision: 'allow',
        message: undefined,
        errors: [],
        warnings: [],
        infos: [],
        confirmations: [],
        suggestions: {},
        suggestedBy: {},
        conflicts: [],
        degraded: false,
      })
      expect(verdicts).toMatchObject([{ mode: 'shadow', applied: 'none' }])
    }
  })
})

describe('verdicts', () => {
  it('are one for each that was asked, in plan order, with what is known of the call', () => {
    const answers = [
      timed(deny('no'), { status: 422, durationMs: 1.23456 }),
      timed(failed('tls'), { status: undefined }),
      timed({ kind: 'cancelled' as const }),
    ]
    expect(decideOver(answers).verdicts).toEqual([
      {
        subscriptionId: 'a',
        name: 'a',
        mode: 'enforce',
        outcome: 'deny',
        cause: undefined,
        status: 422,
        durationMs: 1.23,
        applied: 'deny',
      },
      {
        subscriptionId: 'b',
        name: 'b',
        mode: 'enforce',
        outcome: 'failed',
        cause: 'tls',
        status: undefined,
        durationMs: 5,
        applied: 'deny',
      },
      {
        subscriptionId: 'c',
        name: 'c',
        mode: 'enforce',
        outcome: 'cancelled',
        cause: undefined,
        status: undefined,
        durationMs: 5,
        applied: 'none',
      },
    ])
  })

  it('read cancelled for whoever was never asked', () => {
    const plan = planOf(subscriptionsOf(['a', 'b']))
    const desk = deskConfirming()
    const decided = decide({ plan, answers: [timed(deny('no'))], locales: [], desk })
    expect(decided.verdicts[1]).toMatchObject({ outcome: 'cancelled', durationMs: 0 })
  })
})

describe('suggestions', () => {
  it('are merged of those who count, and on record.updating beside a deny too', () => {
    const over = [{ mode: 'shadow' as const }, {}, {}]
    const change = changeWith({ event: 'record.updating' })
    const second: Answer = { kind: 'deny', remarks: [remark('bad')], values: { total: 2 } }
    const decided = decideOver([allow({ total: 1 }), second, allow({ total: 3, x: 1 })], {
      over,
      change,
    })
    expect(decided.decision).toBe('deny')
    expect(decided.suggestions).toEqual({ total: 2, x: 1 })
    expect(decided.conflicts).toEqual([{ field: 'total', chosen: 'b', others: ['c'] }])
  })
})

describe('a denial', () => {
  it('is a deny or a failure that its policy makes one, of somebody who counts', () => {
    const denies = (answer: Answer, over: Partial<Subscription> = {}) =>
      isDenial(subscriptionOf(over), timed(answer))
    expect(denies(deny('no'))).toBe(true)
    expect(denies(failed())).toBe(true)
    expect(denies(failed(), { onFailure: 'allow' })).toBe(false)
    expect(denies(deny('no'), { onFailure: 'allow' })).toBe(true)
    expect(denies(deny('no'), { mode: 'shadow' })).toBe(false)
    expect(denies(allow())).toBe(false)
    expect(denies(confirm('?'))).toBe(false)
    expect(denies({ kind: 'cancelled' })).toBe(false)
  })
})

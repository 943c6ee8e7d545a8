/** All settings of a subscription, to be read. */
import type { ComponentChildren } from 'preact'
import { useWords, words } from '../language.ts'
import type { Subscription } from '../types.ts'
import { CONDITION_WORDS, OPERATORS } from '../ui/conditions.tsx'
import { ENDPOINT_WORDS } from '../ui/endpoint.tsx'
import { PARAMETER_WORDS } from '../ui/parameters.tsx'
import { Card, duration, share, Time } from '../ui/pieces.tsx'
import { CAUSE_WORDS, DECISION_WORDS } from './decisions-words.ts'
import { useEventText, useEventTypes } from './subscriptions-common.tsx'
import { ANSWER_WORDS } from './subscriptions-form-answer.tsx'
import { BASIC_WORDS } from './subscriptions-form-basics.tsx'
import { CALL_WORDS } from './subscriptions-form-call.tsx'

const WORDS = words({
  title: { en: 'Settings', ru: 'Настройки', uk: 'Налаштування' },
  url: { en: 'Called at', ru: 'Куда', uk: 'Куди' },
  every: { en: 'every', ru: 'все', uk: 'усі' },
  events: { en: 'Events', ru: 'События', uk: 'Події' },
  any: { en: 'any', ru: 'любые', uk: 'будь-які' },
  anyone: { en: 'anyone', ru: 'кто угодно', uk: 'будь-хто' },
  none: { en: 'none', ru: 'нет', uk: 'немає' },
  timeout: { en: 'Timeout', ru: 'Тайм-аут', uk: 'Тайм-аут' },
  usualTls: {
    en: 'the well-known authorities',
    ru: 'общеизвестные центры',
    uk: 'загальновідомі центри',
  },
  otherwise: { en: 'otherwise: deny', ru: 'иначе: отклонить', uk: 'інакше: відхилити' },
  breaker: { en: 'Breaker', ru: 'Предохранитель', uk: 'Запобіжник' },
  breakerText: {
    en: 'opens for {open} when {rate} of at least {calls} calls fail within {window}, or after {row} failures in a row',
    ru: 'размыкается на {open} при доле сбоев {rate} не менее чем из {calls} вызовов за {window} или после {row} сбоев подряд',
    uk: 'розмикається на {open} за частки збоїв {rate} щонайменше з {calls} викликів за {window} або після {row} збоїв поспіль',
  },
  flowText: { en: '{count} at once', ru: '{count} одновременно', uk: '{count} водночас' },
  perSecond: {
    en: '{count} per second at most',
    ru: 'не более {count} в секунду',
    uk: 'не більше {count} за секунду',
  },
  sequence: { en: 'Last number', ru: 'Последний номер', uk: 'Останній номер' },
  created: { en: 'Created', ru: 'Создана', uk: 'Створено' },
  updated: { en: 'Changed', ru: 'Изменена', uk: 'Змінено' },
})

type Facts = readonly (readonly [name: string, ComponentChildren])[]

export function Settings({ of }: { of: Subscription }) {
  const say = useWords(WORDS)
  const facts: Facts = [...useWhich(of), ...useCall(of), ...useAnswer(of), ...useFlow(of)]
  return (
    <Card title={say('title')}>
      <dl class="columns" style={{ margin: 0 }}>
        {facts.map(([name, value]) => (
          <div key={name} style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
            <dt class="soft small">{name}</dt>
            <dd style={{ margin: 0 }}>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  )
}

const listed = (texts: readonly string[], none: string): string =>
  texts.length === 0 ? none : texts.join(', ')

function useWhich(of: Subscription): Facts {
  const say = useWords(WORDS)
  const sayDecision = useWords(DECISION_WORDS)
  const sayBasic = useWords(BASIC_WORDS)
  const sayCondition = useWords(CONDITION_WORDS)
  const sayOperator = useWords(OPERATORS)
  const textOf = useEventText(useEventTypes())
  const conditions = of.conditions.map(({ field, source = 'values', op, value }) => {
    const place = source === 'values' ? field : `${source}.${field}`
    return `${place} ${sayOperator(op)} ${value === undefined ? '' : JSON.stringify(value)}`.trim()
  })
  return [
    [sayDecision('catalog'), of.catalogId === '*' ? say('every') : of.catalogId],
    [say('events'), of.events.map(textOf).join(', ')],
    [sayBasic('watched'), listed(of.fields, say('any'))],
    [sayBasic('initiators'), listed(of.initiators, say('anyone'))],
    [sayCondition('legend'), listed(conditions, say('none'))],
  ]
}

function useCall(of: Subscription): Facts {
  const say = useWords(WORDS)
  const sayEndpoint = useWords(ENDPOINT_WORDS)
  const sayParameter = useWords(PARAMETER_WORDS)
  const { auth, tls, parameters } = of
  const chosen = parameters?.map(({ name, from }) => `${name} = ${from}`)
  const authText = {
    none: say('none'),
    bearer: 'Bearer ***',
    basic: auth.type === 'basic' ? `Basic ${auth.username}:***` : '',
    custom: auth.type === 'custom' ? `${auth.header}: ***` : '',
  }
  return [
    [say('url'), `${of.method} ${of.url}`],
    [sayEndpoint('dialect'), of.dialect],
    [say('timeout'), duration(of.timeoutMs)],
    [
      sayParameter('legend'),
      chosen === undefined ? sayParameter('whole') : listed(chosen, say('none')),
    ],
    [sayEndpoint('auth'), authText[auth.type]],
    [sayEndpoint('headers'), listed(Object.keys(of.headers), say('none'))],
    [sayEndpoint('tls'), tls === undefined ? say('usualTls') : Object.keys(tls).join(', ')],
  ]
}

function useAnswer(of: Subscription): Facts {
  const say = useWords(WORDS)
  const sayAnswer = useWords(ANSWER_WORDS)
  const sayCause = useWords(CAUSE_WORDS)
  const { onFailure, fallbackMessage = {}, mayChange } = of
  const causes =
    typeof onFailure === 'string'
      ? sayAnswer(onFailure)
      : [
          ...Object.entries(onFailure).map(
            ([cause, policy]) =>
              `${sayCause(cause as keyof typeof CAUSE_WORDS)}: ${sayAnswer(policy ?? 'deny')}`,
          ),
          say('otherwise'),
        ].join('; ')
  const messages = Object.entries(fallbackMessage).map(([locale, text]) => `${locale}: ${text}`)
  const fields =
    mayChange === null ? sayAnswer('usual') : mayChange === '*' ? sayAnswer('all') : null
  return [
    [sayAnswer('onFailure'), causes],
    [sayAnswer('fallback'), listed(messages, '–')],
    [
      sayAnswer('mayChange'),
      fields ?? listed(typeof mayChange === 'object' ? (mayChange ?? []) : [], '–'),
    ],
    [sayAnswer('order'), of.order],
  ]
}

function useFlow(of: Subscription): Facts {
  const say = useWords(WORDS)
  const sayCall = useWords(CALL_WORDS)
  const { breaker, retry, maxInFlight, maxPerSecond } = of
  const flow = [
    say('flowText', { count: maxInFlight }),
    ...(maxPerSecond === undefined ? [] : [say('perSecond', { count: maxPerSecond })]),
  ]
  return [
    [
      say('breaker'),
      say('breakerText', {
        open: duration(breaker.openMs),
        rate: share(breaker.failureRate, 1),
        calls: breaker.minimumCalls,
        window: duration(breaker.windowMs),
        row: breaker.consecutiveFailures,
      }),
    ],
    [sayCall('maxConcurrency'), of.maxConcurrency],
    [sayCall('retry'), 'preset' in retry ? retry.preset : retry.delaysMs.map(duration).join(', ')],
    [sayCall('telling'), flow.join(', ')],
    [say('sequence'), of.lastSequenceId],
    [say('created'), <Time key="created" at={of.createdAt} />],
    [say('updated'), <Time key="updated" at={of.updatedAt} />],
  ]
}

/** Sending a range again: first how many that would be, then the doing. */
import { useState } from 'preact/hooks'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import type { Subscription } from '../types.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Checks, NumberField, SelectField, TextField, wrongAt } from '../ui/form.tsx'
import { Button, ErrorNote } from '../ui/pieces.tsx'
import { toast } from '../ui/toast.tsx'
import { STATE_WORDS } from './deliveries-words.ts'

const WORDS = words({
  title: { en: 'Send deliveries again', ru: 'Повторная отправка', uk: 'Повторне надсилання' },
  help: {
    en: 'Deliveries that ended go out again under their own ids and numbers, beside what happens meanwhile. A receiver that keeps ids recognises them.',
    ru: 'Завершённые доставки уйдут снова под своими id и номерами, не мешая новым. Получатель, который помнит id, их узнает.',
    uk: 'Завершені доставки підуть знову під своїми id та номерами, не заважаючи новим. Отримувач, який пам’ятає id, їх упізнає.',
  },
  subscription: { en: 'Subscription', ru: 'Подписка', uk: 'Підписка' },
  choose: { en: 'Choose one', ru: 'Выберите', uk: 'Виберіть' },
  states: { en: 'Which ones', ru: 'Какие', uk: 'Які' },
  since: { en: 'Planned from', ru: 'Поставлены не раньше', uk: 'Поставлені не раніше' },
  sinceHelp: {
    en: 'In your time zone. Empty: from the first on.',
    ru: 'По вашему времени. Пусто — с самой первой.',
    uk: 'За вашим часом. Порожньо — від найпершої.',
  },
  until: { en: 'Planned before', ru: 'Поставлены раньше', uk: 'Поставлені раніше' },
  untilHelp: {
    en: 'Empty: up to the latest.',
    ru: 'Пусто — до самой последней.',
    uk: 'Порожньо — до останньої.',
  },
  from: { en: 'From number', ru: 'С номера', uk: 'Від номера' },
  to: { en: 'To number', ru: 'По номер', uk: 'До номера' },
  numberHelp: {
    en: 'Both ends count. Empty: any.',
    ru: 'Включительно. Пусто — любой.',
    uk: 'Включно. Порожньо — будь-який.',
  },
  cancel: { en: 'Cancel', ru: 'Отмена', uk: 'Скасувати' },
  preview: { en: 'Count first', ru: 'Сначала посчитать', uk: 'Спершу порахувати' },
  count: {
    en: {
      one: '{count} delivery would be sent again.',
      other: '{count} deliveries would be sent again.',
    },
    ru: {
      one: 'Повторно уйдёт {count} доставка.',
      few: 'Повторно уйдут {count} доставки.',
      many: 'Повторно уйдут {count} доставок.',
      other: 'Повторно уйдут {count} доставки.',
    },
    uk: {
      one: 'Повторно піде {count} доставка.',
      few: 'Повторно підуть {count} доставки.',
      many: 'Повторно підуть {count} доставок.',
      other: 'Повторно підуть {count} доставки.',
    },
  },
  start: {
    en: { one: 'Send {count} again', other: 'Send {count} again' },
    ru: { other: 'Отправить {count}' },
    uk: { other: 'Надіслати {count}' },
  },
  started: {
    en: {
      one: '{count} delivery is being sent again.',
      other: '{count} deliveries are being sent again.',
    },
    ru: {
      one: 'Повторно отправляется {count} доставка.',
      few: 'Повторно отправляются {count} доставки.',
      many: 'Повторно отправляются {count} доставок.',
      other: 'Повторно отправляются {count} доставки.',
    },
    uk: {
      one: 'Повторно надсилається {count} доставка.',
      few: 'Повторно надсилаються {count} доставки.',
      many: 'Повторно надсилаються {count} доставок.',
      other: 'Повторно надсилаються {count} доставки.',
    },
  },
})

const ENDED = ['delivered', 'dead', 'cancelled'] as const
type Ended = (typeof ENDED)[number]

type Draft = {
  readonly subscriptionId: string
  /** As the field writes it, without a zone. */
  readonly since: string
  readonly until: string
  readonly fromSequenceId: number | null
  readonly toSequenceId: number | null
  readonly states: readonly Ended[]
}

type ReplayProps = {
  readonly subscriptions: readonly Subscription[]
  readonly subscriptionId: string
  readonly onStarted: (subscriptionId: string) => void
  readonly onClose: () => void
}

export function ReplayDialog({ subscriptions, subscriptionId, onStarted, onClose }: ReplayProps) {
  const say = useWords(WORDS)
  const [draft, setDraft] = useState<Draft>(() => freshDraft(subscriptionId))
  const [count, setCount] = useState<number | null>(null)
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const change = (part: Partial<Draft>) => {
    setDraft({ ...draft, ...part })
    setCount(null)
  }
  const send = (body: object) => {
    setBusy(true)
    const address = at('/v1/subscriptions', draft.subscriptionId, 'replay')
    return api.post<{ count: number }>(address, body).finally(() => setBusy(false))
  }
  const preview = () => {
    send({ ...orderOf(draft), preview: true }).then((answer) => {
      setCount(answer.count)
      setError(undefined)
    }, setError)
  }
  const start = () => {
    send(orderOf(draft)).then((answer) => {
      toast(say('started', { count: answer.count }))
      onStarted(draft.subscriptionId)
      onClose()
    }, setError)
  }
  return (
    <Dialog title={say('title')} onClose={onClose}>
      <p class="soft">{say('help')}</p>
      {error === undefined ? null : <ErrorNote error={error} />}
      <Which subscriptions={subscriptions} draft={draft} change={change} error={error} />
      <p role="status">{count === null ? '' : say('count', { count })}</p>
      <div class="row end">
        <Button onClick={onClose}>{say('cancel')}</Button>
        <Button onClick={preview} disabled={isBusy || !isComplete(draft)}>
          {say('preview')}
        </Button>
        {count === null || count === 0 ? null : (
          <Button kind="danger" onClick={start} disabled={isBusy}>
            {say('start', { count })}
          </Button>
        )}
      </div>
    </Dialog>
  )
}

const freshDraft = (subscriptionId: string): Draft => ({
  subscriptionId,
  since: '',
  until: '',
  fromSequenceId: null,
  toSequenceId: null,
  states: ['dead'],
})

const isComplete = ({ subscriptionId, states }: Draft): boolean =>
  subscriptionId !== '' && states.length > 0

function orderOf({ since, until, fromSequenceId, toSequenceId, states }: Draft) {
  return {
    ...(since === '' ? {} : { since: new Date(since).toISOString() }),
    ...(until === '' ? {} : { until: new Date(until).toISOString() }),
    ...(fromSequenceId === null ? {} : { fromSequenceId }),
    ...(toSequenceId === null ? {} : { toSequenceId }),
    states,
  }
}

type WhichProps = {
  readonly subscriptions: readonly Subscription[]
  readonly draft: Draft
  readonly change: (part: Partial<Draft>) => void
  readonly error: unknown
}

function Which({ subscriptions, draft, change, error }: WhichProps) {
  const say = useWords(WORDS)
  const sayState = useWords(STATE_WORDS)
  const choices = subscriptions.map(({ id, name }) => ({ value: id, label: name }))
  return (
    <>
      <SelectField
        label={say('subscription')}
        value={draft.subscriptionId}
        choices={[{ value: '', label: say('choose') }, ...choices]}
        onChange={(subscriptionId) => change({ subscriptionId })}
      />
      <Checks
        legend={say('states')}
        choices={ENDED.map((value) => ({ value, label: sayState(value) }))}
        chosen={draft.states}
        onChange={(states) => change({ states })}
      />
      <div class="columns">
        <TextField
          label={say('since')}
          help={say('sinceHelp')}
          type="datetime-local"
          value={draft.since}
          wrong={wrongAt(error, '/since')}
          onInput={(since) => change({ since })}
        />
        <TextField
          label={say('until')}
          help={say('untilHelp')}
          type="datetime-local"
          value={draft.until}
          wrong={wrongAt(error, '/until')}
          onInput={(until) => change({ until })}
        />
        <NumberField
          label={say('from')}
          help={say('numberHelp')}
          value={draft.fromSequenceId}
          wrong={wrongAt(error, '/fromSequenceId')}
          onInput={(fromSequenceId) => change({ fromSequenceId })}
        />
        <NumberField
          label={say('to')}
          help={say('numberHelp')}
          value={draft.toSequenceId}
          wrong={wrongAt(error, '/toSequenceId')}
          onInput={(toSequenceId) => change({ toSequenceId })}
        />
      </div>
    </>
  )
}

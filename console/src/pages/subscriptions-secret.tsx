/** Secrets, which are seen once: when they are made. */
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import type { rotateResponse } from '../../../src/adapters/http/schemas/subscription.ts'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { Dialog } from '../ui/dialog.tsx'
import { NumberField, wrongAt } from '../ui/form.tsx'
import { Button, Card, CopyBox, ErrorNote, Time } from '../ui/pieces.tsx'

const WORDS = words({
  title: { en: 'Signing secret', ru: 'Секрет для подписи', uk: 'Секрет для підпису' },
  once: {
    en: 'Copy it now: it is shown this once. The receiver checks the signature of each request with it.',
    ru: 'Скопируйте его сейчас: больше он показан не будет. Им получатель проверяет подпись каждого запроса.',
    uk: 'Скопіюйте його зараз: більше його не буде показано. Ним отримувач перевіряє підпис кожного запиту.',
  },
  until: {
    en: 'The one before is valid until',
    ru: 'Прежний действует до',
    uk: 'Попередній діє до',
  },
  seen: { en: 'I have copied it', ru: 'Скопировано, скрыть', uk: 'Скопійовано, сховати' },
  rotate: { en: 'Rotate the secret', ru: 'Сменить секрет', uk: 'Змінити секрет' },
  rotateText: {
    en: 'The gateway makes a new secret. For a while requests are signed with both, so that the receiver can be changed without a gap.',
    ru: 'Шлюз создаст новый секрет. Некоторое время запросы подписываются обоими, чтобы получателя можно было перенастроить без перерыва.',
    uk: 'Шлюз створить новий секрет. Певний час запити підписуються обома, щоб отримувача можна було переналаштувати без перерви.',
  },
  overlap: {
    en: 'Both are valid for, hours',
    ru: 'Оба действуют, часов',
    uk: 'Обидва діють, годин',
  },
  overlapHelp: {
    en: '0 to 720. With 0 the old one is invalid at once.',
    ru: 'От 0 до 720. При 0 старый перестаёт действовать сразу.',
    uk: 'Від 0 до 720. При 0 старий перестає діяти одразу.',
  },
  cancel: { en: 'Cancel', ru: 'Отмена', uk: 'Скасувати' },
})

export type ShownSecret = { readonly secret: string; readonly previousValidUntil?: string }

/** From the form to the page of what it made; nowhere else, and gone when that is left. */
const kept = new Map<string, string>()

export function keepSecret(id: string, secret: string): void {
  kept.set(id, secret)
}

export function takeSecret(id: string): ShownSecret | null {
  const secret = kept.get(id)
  kept.delete(id)
  return secret === undefined ? null : { secret }
}

export function SecretCard({ shown, onSeen }: { shown: ShownSecret; onSeen: () => void }) {
  const say = useWords(WORDS)
  const { secret, previousValidUntil } = shown
  return (
    <Card title={say('title')}>
      <p role="status">{say('once')}</p>
      <CopyBox text={secret} label={say('title')} />
      {previousValidUntil === undefined ? null : (
        <p class="soft">
          {say('until')} <Time at={previousValidUntil} />.
        </p>
      )}
      <div class="row">
        <Button onClick={onSeen}>{say('seen')}</Button>
      </div>
    </Card>
  )
}

const HOUR_MS = 3_600_000
const OVERLAP_HOURS = 24

type RotateProps = {
  readonly id: string
  readonly onRotated: (shown: ShownSecret) => void
  readonly onClose: () => void
}

export function RotateDialog({ id, onRotated, onClose }: RotateProps) {
  const say = useWords(WORDS)
  const [hours, setHours] = useState<number | null>(OVERLAP_HOURS)
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const rotate = () => {
    setBusy(true)
    const overlapMs = Math.round((hours ?? OVERLAP_HOURS) * HOUR_MS)
    api
      .post<z.output<typeof rotateResponse>>(at('/v1/subscriptions', id, 'rotate-secret'), {
        overlapMs,
      })
      .then(
        (made) => {
          onRotated(made)
          onClose()
        },
        (failure: unknown) => {
          setError(failure)
          setBusy(false)
        },
      )
  }
  return (
    <Dialog title={say('rotate')} onClose={onClose}>
      <p>{say('rotateText')}</p>
      {error === undefined ? null : <ErrorNote error={error} />}
      <NumberField
        label={say('overlap')}
        help={say('overlapHelp')}
        value={hours}
        onInput={setHours}
        wrong={wrongAt(error, '/overlapMs')}
      />
      <div class="row end">
        <Button onClick={onClose}>{say('cancel')}</Button>
        <Button kind="primary" onClick={rotate} disabled={isBusy}>
          {say('rotate')}
        </Button>
      </div>
    </Dialog>
  )
}

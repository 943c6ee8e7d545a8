/** In whose name a change is asked about, with what beside it, and for how long. */
import { useWords, words } from '../language.ts'
import { JsonField, NumberField, TextField, wrongAt } from '../ui/form.tsx'
import type { Wish } from './records-asking.ts'
import type { Values } from './records-draft.ts'

const WORDS = words({
  title: { en: 'How it is asked', ru: 'Как спрашивать', uk: 'Як запитувати' },
  user: { en: 'User id', ru: 'Id пользователя', uk: 'Id користувача' },
  userHelp: {
    en: 'In whose name the change is made; subscriptions can look at it.',
    ru: 'От чьего имени вносится изменение; на это могут смотреть подписки.',
    uk: 'Від чийого імені вноситься зміна; на це можуть зважати підписки.',
  },
  context: { en: 'Context', ru: 'Контекст', uk: 'Контекст' },
  contextHelp: {
    en: 'An object in JSON that everyone who is asked gets to see: {"channel": "phone"}.',
    ru: 'Объект JSON, который увидят все, кого спросят: {"channel": "phone"}.',
    uk: 'Об’єкт JSON, який побачать усі, кого запитають: {"channel": "phone"}.',
  },
  budget: {
    en: 'Time for all answers, ms',
    ru: 'Время на все ответы, мс',
    uk: 'Час на всі відповіді, мс',
  },
  budgetHelp: {
    en: '50 to 30,000; 10,000 when left empty.',
    ru: 'От 50 до 30 000; если не указать, 10 000.',
    uk: 'Від 50 до 30 000; якщо не вказати, 10 000.',
  },
  grace: {
    en: 'Wait after the first refusal, ms',
    ru: 'Ожидание после первого отказа, мс',
    uk: 'Очікування після першої відмови, мс',
  },
  graceHelp: {
    en: 'So that further objections are shown too; 100 when left empty.',
    ru: 'Чтобы показать и другие возражения; если не указать, 100.',
    uk: 'Щоб показати й інші заперечення; якщо не вказати, 100.',
  },
})

export type Manner = {
  readonly userId: string
  readonly context: unknown
  readonly timeoutMs: number | null
  readonly denyGraceMs: number | null
}

export const EVERYBODY: Manner = {
  userId: '',
  context: undefined,
  timeoutMs: null,
  denyGraceMs: null,
}

export function mannerOf({ userId, context, timeoutMs, denyGraceMs }: Manner) {
  return {
    user: userId.trim() === '' ? undefined : { id: userId.trim() },
    context: isObject(context) ? context : undefined,
    timeoutMs: timeoutMs ?? undefined,
    denyGraceMs: denyGraceMs ?? undefined,
  } satisfies Partial<Wish>
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type HowAskedProps = {
  readonly manner: Manner
  readonly onManner: (manner: Manner) => void
  readonly error: unknown
}

export function HowAsked({ manner, onManner, error }: HowAskedProps) {
  const say = useWords(WORDS)
  return (
    <details>
      <summary>{say('title')}</summary>
      <div class="columns">
        <TextField
          label={say('user')}
          help={say('userHelp')}
          value={manner.userId}
          wrong={wrongAt(error, '/user/id')}
          onInput={(userId) => onManner({ ...manner, userId })}
        />
        <NumberField
          label={say('budget')}
          help={say('budgetHelp')}
          value={manner.timeoutMs}
          wrong={wrongAt(error, '/timeoutMs')}
          onInput={(timeoutMs) => onManner({ ...manner, timeoutMs })}
        />
        <NumberField
          label={say('grace')}
          help={say('graceHelp')}
          value={manner.denyGraceMs}
          wrong={wrongAt(error, '/denyGraceMs')}
          onInput={(denyGraceMs) => onManner({ ...manner, denyGraceMs })}
        />
        <JsonField
          label={say('context')}
          help={say('contextHelp')}
          value={manner.context}
          wrong={wrongAt(error, '/context')}
          onInput={(context) => onManner({ ...manner, context })}
        />
      </div>
    </details>
  )
}

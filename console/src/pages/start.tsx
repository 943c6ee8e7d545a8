/** From an empty system to a refusal that somebody understands, in four steps. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { PageProps } from '../app.tsx'
import { useWords, words } from '../language.ts'
import { href } from '../route.ts'
import { Badge, ErrorNote, Head } from '../ui/pieces.tsx'
import { may } from './records-lib.ts'
import { type Facts, useFacts } from './start-facts.ts'
import { CatalogStep, TryStep, ValidatorStep } from './start-steps.tsx'

const WORDS = words({
  title: { en: 'First steps', ru: 'Первые шаги', uk: 'Перші кроки' },
  intro: {
    en: 'Four steps, a few minutes: at the end a validator of yours refuses a change, and you see why.',
    ru: 'Четыре шага, несколько минут: в конце ваша проверяющая система отклонит изменение, и вы увидите почему.',
    uk: 'Чотири кроки, кілька хвилин: наприкінці ваша система перевірки відхилить зміну, і ви побачите чому.',
  },
  catalog: {
    en: 'Load a preset or make a catalog',
    ru: 'Загрузите заготовку или создайте каталог',
    uk: 'Завантажте заготовку або створіть каталог',
  },
  validator: {
    en: 'Register a validator',
    ru: 'Подключите проверяющую систему',
    uk: 'Підключіть систему перевірки',
  },
  try: { en: 'Try a change', ru: 'Попробуйте изменение', uk: 'Спробуйте зміну' },
  see: { en: 'See the refusal', ru: 'Посмотрите на отказ', uk: 'Подивіться на відмову' },
  step: { en: 'Step {number}', ru: 'Шаг {number}', uk: 'Крок {number}' },
  done: { en: 'Done', ru: 'Готово', uk: 'Готово' },
  later: {
    en: 'Comes after the steps before.',
    ru: 'Доступно после предыдущих шагов.',
    uk: 'Доступно після попередніх кроків.',
  },
  seeText: {
    en: 'Who was considered, who answered what and when, and what the person was told:',
    ru: 'Кого рассматривали, кто, когда и что ответил и что увидел человек:',
    uk: 'Кого розглядали, хто, коли і що відповів та що побачила людина:',
  },
  seeLink: {
    en: 'Explain the last refusal',
    ru: 'Пояснить последний отказ',
    uk: 'Пояснити останню відмову',
  },
  notYet: {
    en: 'Nothing has been refused yet. Try a change without a name, or with a number over 1000.',
    ru: 'Пока ничего не отклонено. Попробуйте изменение без названия или с числом больше 1000.',
    uk: 'Поки нічого не відхилено. Спробуйте зміну без назви або з числом понад 1000.',
  },
  mayNot: {
    en: 'Your key may only look: these steps need the scopes manage and approve.',
    ru: 'Ваш ключ позволяет только смотреть: для этих шагов нужны права manage и approve.',
    uk: 'Ваш ключ дозволяє лише переглядати: для цих кроків потрібні права manage та approve.',
  },
})

export function Page({ who }: PageProps) {
  const say = useWords(WORDS)
  const [chosen, setChosen] = useState('')
  const { facts, error, look } = useFacts(chosen)
  return (
    <>
      <Head title={say('title')} />
      <p>{say('intro')}</p>
      {may(who, 'manage') && may(who, 'approve') ? null : <p class="note">{say('mayNot')}</p>}
      {error === undefined ? null : <ErrorNote error={error} onRetry={() => void look()} />}
      {facts === undefined ? null : (
        <Steps facts={facts} who={who} look={look} onChoose={setChosen} />
      )}
    </>
  )
}

type StepsProps = Pick<PageProps, 'who'> & {
  readonly facts: Facts
  readonly look: () => Promise<void>
  readonly onChoose: (catalogId: string) => void
}

function Steps({ facts, who, look, onChoose }: StepsProps) {
  const say = useWords(WORDS)
  const { catalog, looks, subscription, tried, refused } = facts
  const mayManage = may(who, 'manage')
  const isReady = catalog !== undefined && looks !== undefined
  return (
    <ol class="stack" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
      <Step number={1} title={say('catalog')} isDone={!facts.isEmpty}>
        <CatalogStep facts={facts} mayManage={mayManage} look={look} />
      </Step>
      <Step number={2} title={say('validator')} isDone={subscription !== undefined}>
        {isReady ? (
          <ValidatorStep
            {...{ facts, catalog, looks, mayManage, look, onChoose }}
            key={catalog.id}
          />
        ) : undefined}
      </Step>
      <Step number={3} title={say('try')} isDone={tried !== undefined}>
        {isReady && subscription !== undefined ? (
          <TryStep {...{ catalog, looks, look }} mayTry={may(who, 'approve')} key={catalog.id} />
        ) : undefined}
      </Step>
      <Step number={4} title={say('see')} isDone={refused !== undefined}>
        {refused !== undefined ? (
          <p>
            {say('seeText')} <a href={href('decisions', refused.id)}>{say('seeLink')}</a>
          </p>
        ) : tried !== undefined ? (
          <p>{say('notYet')}</p>
        ) : undefined}
      </Step>
    </ol>
  )
}

type StepProps = {
  readonly number: number
  readonly title: string
  readonly isDone: boolean
  readonly children: ComponentChildren
}

function Step({ number, title, isDone, children }: StepProps) {
  const say = useWords(WORDS)
  return (
    <li class="card">
      <div class="head">
        <h2>
          {say('step', { number })}. {title}
        </h2>
        <span role="status">{isDone ? <Badge tone="good">✓ {say('done')}</Badge> : null}</span>
      </div>
      {children ?? <p class="soft">{say('later')}</p>}
    </li>
  )
}

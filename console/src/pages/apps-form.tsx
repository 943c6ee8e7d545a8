/** A new app: what it is, and which subscriptions it brings to whoever connects it. */
import { useState } from 'preact/hooks'
import type { AppScope } from '../../../src/app/app-store.ts'
import { ApiProblem, api } from '../api.ts'
import { useWords, words } from '../language.ts'
import { href } from '../route.ts'
import { CatalogPick } from '../ui/catalog-pick.tsx'
import { AreaField, Checks, ListField, TextField, wrongAt } from '../ui/form.tsx'
import { Button } from '../ui/pieces.tsx'
import { COMMON, SaveForm } from '../ui/settings.tsx'
import { ShownOnce } from '../ui/shown-once.tsx'

const WORDS = words({
  ...COMMON,
  name: { en: 'Name', ru: 'Название', uk: 'Назва' },
  idHelp: {
    en: 'What programs call it. Empty: one is made.',
    ru: 'Как его называют программы. Пусто — будет создан.',
    uk: 'Як його називають програми. Порожньо — буде створено.',
  },
  redirect: { en: 'Leads on to (URL)', ru: 'Куда вести дальше (URL)', uk: 'Куди вести далі (URL)' },
  redirectHelp: {
    en: 'Where a person goes on after connecting it. It may stay empty.',
    ru: 'Куда человек переходит после подключения. Можно не заполнять.',
    uk: 'Куди людина переходить після під’єднання. Можна не заповнювати.',
  },
  scopes: {
    en: 'What its access tokens may do',
    ru: 'Что разрешают его токены доступа',
    uk: 'Що дозволяють його токени доступу',
  },
  approve: {
    en: 'approve: ask and write',
    ru: 'approve: запрашивать и писать',
    uk: 'approve: запитувати й писати',
  },
  read: { en: 'read: see', ru: 'read: видеть', uk: 'read: бачити' },
  secret: { en: 'Secret', ru: 'Секрет', uk: 'Секрет' },
  secretHelp: {
    en: 'What its subscriptions sign with. Empty: one is made. It is shown once.',
    ru: 'Им подписываются запросы его подписок. Пусто — будет создан. Показывается один раз.',
    uk: 'Ним підписуються запити його підписок. Порожньо — буде створено. Показується один раз.',
  },
  subscription: { en: 'Subscription {n}', ru: 'Подписка {n}', uk: 'Підписка {n}' },
  subName: { en: 'Subscription name', ru: 'Название подписки', uk: 'Назва підписки' },
  events: { en: 'Events', ru: 'События', uk: 'Події' },
  eventsHelp: {
    en: 'With commas: record.before.created, record.before.updated, record.before.deleted, record.updating, record.created, record.updated, record.deleted, application, or event types.',
    ru: 'Через запятую: record.before.created, record.before.updated, record.before.deleted, record.updating, record.created, record.updated, record.deleted, application или типы событий.',
    uk: 'Через кому: record.before.created, record.before.updated, record.before.deleted, record.updating, record.created, record.updated, record.deleted, application або типи подій.',
  },
  url: { en: 'URL', ru: 'URL', uk: 'URL' },
  more: {
    en: 'Further settings (JSON)',
    ru: 'Другие настройки (JSON)',
    uk: 'Інші налаштування (JSON)',
  },
  moreHelp: {
    en: 'Any setting of a subscription, such as {"dialect": "plain", "onFailure": "allow"}.',
    ru: 'Любые настройки подписки, например {"dialect": "plain", "onFailure": "allow"}.',
    uk: 'Будь-які налаштування підписки, наприклад {"dialect": "plain", "onFailure": "allow"}.',
  },
  notObject: {
    en: 'This has to be a JSON object.',
    ru: 'Здесь должен быть объект JSON.',
    uk: 'Тут має бути об’єкт JSON.',
  },
  add: { en: 'Add a subscription', ru: 'Добавить подписку', uk: 'Додати підписку' },
  remove: { en: 'Remove subscription {n}', ru: 'Убрать подписку {n}', uk: 'Прибрати підписку {n}' },
  create: { en: 'Create the app', ru: 'Создать приложение', uk: 'Створити застосунок' },
  made: { en: 'Secret of the app', ru: 'Секрет приложения', uk: 'Секрет застосунку' },
})

type Template = {
  readonly key: number
  readonly name: string
  readonly events: readonly string[]
  readonly url: string
  readonly catalogId: string
  /** JSON, as it is typed. */
  readonly more: string
}

type Draft = {
  readonly id: string
  readonly name: string
  readonly redirect: string
  readonly scopes: readonly AppScope[]
  readonly secret: string
  readonly templates: readonly Template[]
}

const EMPTY: Draft = {
  id: '',
  name: '',
  redirect: '',
  scopes: ['approve', 'read'],
  secret: '',
  templates: [],
}

/** What was typed at its own place wins over the same setting in the JSON. */
function bodyOf({ id, name, redirect, scopes, secret, templates }: Draft) {
  return {
    id: id || undefined,
    name,
    redirect: redirect || undefined,
    scopes,
    secret: secret || undefined,
    subscriptions: templates.map(({ key: _key, more, ...own }) => ({
      ...settingsIn(more),
      ...own,
    })),
  }
}

/** Null for what is no JSON object. */
function settingsIn(text: string): object | null {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && !Array.isArray(value) ? value : null
  } catch {
    return null
  }
}

export function AppForm() {
  const say = useWords(WORDS)
  const [draft, setDraft] = useState(EMPTY)
  const [secret, setSecret] = useState<string | undefined>(undefined)
  const change = (next: Partial<Draft>) => setDraft((before) => ({ ...before, ...next }))
  const save = async () => {
    // It says so at its field.
    if (draft.templates.some(({ more }) => settingsIn(more) === null)) return
    const made = await api.post<{ secret: string }>('/v1/apps', bodyOf(draft))
    setSecret(made.secret)
  }
  if (secret !== undefined) {
    return <ShownOnce title={say('made')} text={secret} back={href('apps')} />
  }
  return (
    <SaveForm action={say('create')} back={href('apps')} onSave={save}>
      {(error) => (
        <>
          <Own draft={draft} onChange={change} error={error} />
          <Templates
            templates={draft.templates}
            onChange={(templates) => change({ templates })}
            error={error}
          />
        </>
      )}
    </SaveForm>
  )
}

type OwnProps = {
  readonly draft: Draft
  readonly onChange: (next: Partial<Draft>) => void
  readonly error: unknown
}

function Own({ draft, onChange, error }: OwnProps) {
  const say = useWords(WORDS)
  const text = (name: 'name' | 'id' | 'redirect' | 'secret') => ({
    label: say(name),
    value: draft[name],
    wrong: wrongAt(error, `/${name}`),
    onInput: (value: string) => onChange({ [name]: value }),
  })
  return (
    <>
      <TextField {...text('name')} required />
      <TextField {...text('id')} help={say('idHelp')} />
      <TextField {...text('redirect')} help={say('redirectHelp')} placeholder="https://" />
      <Checks
        legend={say('scopes')}
        choices={(['approve', 'read'] as const).map((value) => ({ value, label: say(value) }))}
        chosen={draft.scopes}
        onChange={(scopes) => onChange({ scopes })}
      />
      <TextField {...text('secret')} help={say('secretHelp')} type="password" />
    </>
  )
}

type TemplatesProps = {
  readonly templates: readonly Template[]
  readonly onChange: (templates: readonly Template[]) => void
  readonly error: unknown
}

function Templates({ templates, onChange, error }: TemplatesProps) {
  const say = useWords(WORDS)
  const fresh = (): Template => ({
    key: Math.max(0, ...templates.map(({ key }) => key)) + 1,
    name: '',
    events: ['record.before.created', 'record.before.updated'],
    url: '',
    catalogId: '*',
    more: '',
  })
  return (
    <section class="stack">
      <h2>{say('subscriptions')}</h2>
      {templates.map((template, index) => (
        <fieldset key={template.key}>
          <legend>{say('subscription', { n: index + 1 })}</legend>
          <One
            template={template}
            base={`/subscriptions/${index}`}
            error={error}
            onChange={(next) => onChange(templates.with(index, { ...template, ...next }))}
          />
          <div class="row">
            <Button kind="plain" onClick={() => onChange(templates.toSpliced(index, 1))}>
              {say('remove', { n: index + 1 })}
            </Button>
          </div>
        </fieldset>
      ))}
      <div class="row">
        <Button onClick={() => onChange([...templates, fresh()])}>{say('add')}</Button>
      </div>
    </section>
  )
}

type OneProps = {
  readonly template: Template
  readonly base: string
  readonly error: unknown
  readonly onChange: (next: Partial<Template>) => void
}

function One({ template, base, error, onChange }: OneProps) {
  const say = useWords(WORDS)
  const { name, events, url, catalogId, more } = template
  const wrong = (member: string) => wrongAt(error, `${base}/${member}`)
  return (
    <>
      <TextField
        label={say('subName')}
        value={name}
        wrong={wrong('name')}
        onInput={(text) => onChange({ name: text })}
        required
      />
      <ListField
        label={say('events')}
        help={say('eventsHelp')}
        value={events}
        wrong={wrong('events')}
        onInput={(list) => onChange({ events: list })}
      />
      <TextField
        label={say('url')}
        value={url}
        wrong={wrong('url')}
        placeholder="https://"
        onInput={(text) => onChange({ url: text })}
        required
      />
      <CatalogPick
        value={catalogId}
        wrong={wrong('catalogId')}
        onInput={(id) => onChange({ catalogId: id })}
      />
      <AreaField
        label={say('more')}
        help={say('moreHelp')}
        value={more}
        wrong={settingsIn(more) === null ? say('notObject') : wrongElsewhere(error, base)}
        onInput={(next) => onChange({ more: next })}
      />
    </>
  )
}

const OWN_PLACES = ['name', 'events', 'url', 'catalogId']

/** What is wrong with a setting that has no field of its own. */
function wrongElsewhere(error: unknown, base: string): string | undefined {
  if (!(error instanceof ApiProblem)) return undefined
  const found = error.complaints.find(
    ({ pointer }) =>
      pointer.startsWith(`${base}/`) && !OWN_PLACES.some((one) => pointer === `${base}/${one}`),
  )
  return found === undefined ? undefined : `${found.pointer}: ${found.message}`
}

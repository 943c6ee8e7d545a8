/** A menu action as a form. Its secret is shown once, when it is made. */
import { useState } from 'preact/hooks'
import type { z } from 'zod'
import type { actionView } from '../../../src/adapters/http/schemas/action.ts'
import type { Parameter } from '../../../src/domain/subscription.ts'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { go, href } from '../route.ts'
import { CatalogPick } from '../ui/catalog-pick.tsx'
import { useFields } from '../ui/condition-value.tsx'
import { Conditions } from '../ui/conditions.tsx'
import { Endpoint, type EndpointValue, FRESH_ENDPOINT } from '../ui/endpoint.tsx'
import { AreaField, TextField, wrongAt } from '../ui/form.tsx'
import { Parameters } from '../ui/parameters.tsx'
import { SecretField } from '../ui/secret-field.tsx'
import { COMMON, SaveForm } from '../ui/settings.tsx'
import { ShownOnce } from '../ui/shown-once.tsx'
import { toast } from '../ui/toast.tsx'

export type Action = z.output<typeof actionView>

const WORDS = words({
  ...COMMON,
  title: { en: 'Title', ru: 'Название', uk: 'Назва' },
  titleHelp: {
    en: 'What the button says.',
    ru: 'Надпись на кнопке.',
    uk: 'Напис на кнопці.',
  },
  idHelp: {
    en: 'Empty: one is made. It stays as it is.',
    ru: 'Пусто — будет создан. Потом его не изменить.',
    uk: 'Порожньо — буде створено. Потім його не змінити.',
  },
  conditions: {
    en: 'The button is shown while all of them hold for the record as it is. Without any it is always shown.',
    ru: 'Кнопка видна, пока для записи выполняются все условия. Без условий она видна всегда.',
    uk: 'Кнопку видно, поки для запису виконуються всі умови. Без умов її видно завжди.',
  },
  confirm: {
    en: 'Question before it',
    ru: 'Вопрос перед выполнением',
    uk: 'Запитання перед виконанням',
  },
  confirmHelp: {
    en: 'What the person is asked before the button does anything. Empty: nothing.',
    ru: 'О чём спросить человека перед выполнением. Пусто — не спрашивать.',
    uk: 'Про що запитати людину перед виконанням. Порожньо — не запитувати.',
  },
  secret: { en: 'Secret', ru: 'Секрет', uk: 'Секрет' },
  secretHelp: {
    en: 'What its requests are signed with. Empty: one is made and shown once.',
    ru: 'Им подписываются запросы. Пусто — будет создан и показан один раз.',
    uk: 'Ним підписуються запити. Порожньо — буде створено й показано один раз.',
  },
  made: { en: 'Secret of the action', ru: 'Секрет действия', uk: 'Секрет дії' },
  create: { en: 'Create the action', ru: 'Создать действие', uk: 'Створити дію' },
})

function draftOf(action: Action | undefined) {
  const endpoint: EndpointValue =
    action === undefined
      ? FRESH_ENDPOINT
      : {
          url: action.url,
          method: action.method,
          auth: action.auth,
          headers: action.headers,
          dialect: action.dialect,
          tls: action.tls ?? null,
          timeoutMs: action.timeoutMs,
        }
  return {
    id: action?.id ?? '',
    title: action?.title ?? '',
    catalogId: action?.catalogId ?? '*',
    conditions: action?.conditions ?? [],
    endpoint,
    parameters: (action?.parameters ?? null) as readonly Parameter[] | null,
    confirmText: action?.confirmText ?? '',
    secret: action?.secret ?? '',
  }
}
type Draft = ReturnType<typeof draftOf>

function bodyOf({
  title,
  catalogId,
  conditions,
  endpoint,
  parameters,
  confirmText,
  secret,
}: Draft) {
  return {
    title,
    catalogId,
    conditions,
    ...endpoint,
    timeoutMs: endpoint.timeoutMs ?? undefined,
    parameters,
    confirmText: confirmText === '' ? null : confirmText,
    secret: secret === '' ? undefined : secret,
  }
}

export function ActionForm({ action, isLocked }: { action?: Action; isLocked: boolean }) {
  const say = useWords(WORDS)
  const isNew = action === undefined
  const [draft, setDraft] = useState(() => draftOf(action))
  const [secret, setSecret] = useState<string | undefined>(undefined)
  const change = (next: Partial<Draft>) => setDraft((before) => ({ ...before, ...next }))
  const save = async () => {
    const body = bodyOf(draft)
    if (isNew) {
      const id = draft.id === '' ? undefined : draft.id
      setSecret((await api.post<Action>('/v1/actions', { id, ...body })).secret)
    } else {
      await api.patch(at('/v1/actions', action.id), body)
      toast(say('saved'))
      go(href('actions'))
    }
  }
  if (secret !== undefined) {
    return <ShownOnce title={say('made')} text={secret} back={href('actions')} />
  }
  return (
    <SaveForm
      action={isNew ? say('create') : say('save')}
      back={href('actions')}
      onSave={save}
      isLocked={isLocked}
    >
      {(error) => <Parts draft={draft} onChange={change} error={error} isNew={isNew} />}
    </SaveForm>
  )
}

type PartsProps = {
  readonly draft: Draft
  readonly onChange: (next: Partial<Draft>) => void
  readonly error: unknown
  readonly isNew: boolean
}

function Parts({ draft, onChange, error, isNew }: PartsProps) {
  const say = useWords(WORDS)
  const fields = useFields(draft.catalogId)
  return (
    <>
      <Names draft={draft} onChange={onChange} error={error} isNew={isNew} />
      <Conditions
        value={draft.conditions}
        onChange={(conditions) => onChange({ conditions: [...conditions] })}
        error={error}
        base="/conditions"
        fields={fields}
        help={say('conditions')}
      />
      <AreaField
        label={say('confirm')}
        help={say('confirmHelp')}
        wrong={wrongAt(error, '/confirmText')}
        value={draft.confirmText}
        onInput={(confirmText) => onChange({ confirmText })}
      />
      <Endpoint
        value={draft.endpoint}
        onChange={(endpoint) => onChange({ endpoint })}
        error={error}
        base=""
      />
      <SecretField
        label={say('secret')}
        help={say('secretHelp')}
        wrong={wrongAt(error, '/secret')}
        value={draft.secret}
        onInput={(secret) => onChange({ secret })}
      />
      <Parameters
        value={draft.parameters}
        onChange={(parameters) => onChange({ parameters })}
        error={error}
        base="/parameters"
        fields={fields}
      />
    </>
  )
}

function Names({ draft, onChange, error, isNew }: PartsProps) {
  const say = useWords(WORDS)
  return (
    <>
      <TextField
        label={say('title')}
        help={say('titleHelp')}
        wrong={wrongAt(error, '/title')}
        value={draft.title}
        onInput={(title) => onChange({ title })}
        required
      />
      <TextField
        label={say('id')}
        help={say('idHelp')}
        wrong={wrongAt(error, '/id')}
        value={draft.id}
        onInput={(id) => onChange({ id })}
        disabled={!isNew}
      />
      <CatalogPick
        value={draft.catalogId}
        wrong={wrongAt(error, '/catalogId')}
        onInput={(catalogId) => onChange({ catalogId })}
      />
    </>
  )
}

/** The form of a new subscription and of one that is there. */
import { useRef, useState } from 'preact/hooks'
import { api, at } from '../api.ts'
import { useWords, words } from '../language.ts'
import { useLoad } from '../load.ts'
import { go, href } from '../route.ts'
import type { Subscription, Who } from '../types.ts'
import { useFields } from '../ui/condition-value.tsx'
import { EndpointAccess, EndpointTls } from '../ui/endpoint.tsx'
import { Button, Card, ErrorNote, Head, Show } from '../ui/pieces.tsx'
import { Needs } from '../ui/settings.tsx'
import { toast } from '../ui/toast.tsx'
import { OfApp } from './subscriptions-common.tsx'
import { bodyOf, type Draft, draftOf, FRESH_DRAFT, patchOf } from './subscriptions-draft.ts'
import { AnswerGroup } from './subscriptions-form-answer.tsx'
import { Basics, WhichGroup } from './subscriptions-form-basics.tsx'
import { CallGroup, ProtectionGroup, TellingGroup } from './subscriptions-form-call.tsx'
import { keepSecret } from './subscriptions-secret.tsx'

const WORDS = words({
  new: { en: 'New subscription', ru: 'Новая подписка', uk: 'Нова підписка' },
  edit: { en: 'Edit {name}', ru: 'Изменение: {name}', uk: 'Редагування: {name}' },
  create: { en: 'Subscribe', ru: 'Создать подписку', uk: 'Створити підписку' },
  save: { en: 'Save', ru: 'Сохранить', uk: 'Зберегти' },
  cancel: { en: 'Cancel', ru: 'Отмена', uk: 'Скасувати' },
  saved: { en: 'Saved', ru: 'Сохранено', uk: 'Збережено' },
  further: { en: 'Further settings', ru: 'Другие настройки', uk: 'Інші налаштування' },
})

export function NewForm({ who }: { who: Who }) {
  const say = useWords(WORDS)
  return (
    <Needs who={who} scope="manage" title={say('new')}>
      <Form
        title={say('new')}
        action={say('create')}
        back={href('subscriptions')}
        before={FRESH_DRAFT}
        isNew
        onSave={async (draft) => {
          const made = await api.post<Subscription>('/v1/subscriptions', bodyOf(draft))
          keepSecret(made.id, made.secret)
          go(href('subscriptions', made.id))
        }}
      />
    </Needs>
  )
}

export function EditForm({ id, who }: { id: string; who: Who }) {
  const loaded = useLoad(
    (signal) => api.get<Subscription>(at('/v1/subscriptions', id), { signal }),
    [id],
  )
  return <Show loaded={loaded}>{(one) => <Edit of={one} who={who} />}</Show>
}

function Edit({ of, who }: { of: Subscription; who: Who }) {
  const say = useWords(WORDS)
  const title = say('edit', { name: of.name })
  if (of.installationId !== undefined) {
    return (
      <>
        <Head title={title} />
        <OfApp />
      </>
    )
  }
  const before = draftOf(of)
  return (
    <Needs who={who} scope="manage" title={title}>
      <Form
        title={title}
        action={say('save')}
        back={href('subscriptions', of.id)}
        before={before}
        onSave={async (draft) => {
          await api.patch(at('/v1/subscriptions', of.id), patchOf(draft, before))
          toast(say('saved'))
          go(href('subscriptions', of.id))
        }}
      />
    </Needs>
  )
}

type FormProps = {
  readonly title: string
  readonly action: string
  readonly back: string
  readonly before: Draft
  readonly isNew?: boolean
  readonly onSave: (draft: Draft) => Promise<void>
}

function Form({ title, action, back, before, isNew = false, onSave }: FormProps) {
  const say = useWords(WORDS)
  const [draft, setDraft] = useState(before)
  const { error, isBusy, top, save } = useSaving(() => onSave(draft))
  const fields = useFields(draft.catalogId)
  const props = { value: draft, onChange: setDraft, error }
  // The parts of an endpoint give back an endpoint, which is the draft with some of it changed.
  const endpoint = {
    ...props,
    base: '',
    onChange: (next: Partial<Draft>) => setDraft({ ...draft, ...next }),
  }
  return (
    <form
      class="stack"
      style={{ overflowWrap: 'anywhere' }}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        save()
      }}
    >
      <div ref={top}>
        <Head title={title} />
      </div>
      {error === undefined ? null : <ErrorNote error={error} />}
      <Card>
        <Basics {...props} isNew={isNew} />
      </Card>
      <h2>{say('further')}</h2>
      <WhichGroup {...props} fields={fields} />
      <CallGroup {...props} fields={fields} isNew={isNew} />
      <EndpointAccess {...endpoint} />
      <EndpointTls {...endpoint} />
      <AnswerGroup {...props} fields={fields} />
      <ProtectionGroup {...props} />
      <TellingGroup {...props} />
      <div class="row">
        <Button kind="primary" type="submit" disabled={isBusy}>
          {action}
        </Button>
        <a class="button" href={back}>
          {say('cancel')}
        </a>
      </div>
    </form>
  )
}

/** What was refused is said at the top, so the top has to be seen. */
function useSaving(onSave: () => Promise<void>) {
  const top = useRef<HTMLDivElement>(null)
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const save = () => {
    setBusy(true)
    onSave().catch((failure: unknown) => {
      setError(failure)
      setBusy(false)
      top.current?.scrollIntoView()
    })
  }
  return { error, isBusy, top, save }
}

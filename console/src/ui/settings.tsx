/** What the pages of settings have in common: who may, a form that is saved, a thing that is deleted. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { all, withQuery } from '../api.ts'
import { useWords, words } from '../language.ts'
import { type Loaded, useLoad } from '../load.ts'
import { href } from '../route.ts'
import type { Who } from '../types.ts'
import { Confirm } from './dialog.tsx'
import { Button, ErrorNote } from './pieces.tsx'
import { toast } from './toast.tsx'

const WORDS = words({
  cancel: { en: 'Cancel', ru: 'Отмена', uk: 'Скасувати' },
  back: { en: 'Back to the list', ru: 'К списку', uk: 'До списку' },
  delete: { en: 'Delete', ru: 'Удалить', uk: 'Видалити' },
  deleted: { en: 'Deleted.', ru: 'Удалено.', uk: 'Видалено.' },
  lacks: {
    en: 'This needs a key with the scope {scope}; the one you signed in with does not have it.',
    ru: 'Для этого нужен ключ с правом {scope}, а у ключа, с которым вы вошли, его нет.',
    uk: 'Для цього потрібен ключ із правом {scope}, а ключ, з яким ви увійшли, його не має.',
  },
})

/** For the tables of words of these pages. */
export const COMMON = words({
  called: { en: 'Title', ru: 'Название', uk: 'Назва' },
  id: { en: 'Id', ru: 'Идентификатор', uk: 'Ідентифікатор' },
  save: { en: 'Save', ru: 'Сохранить', uk: 'Зберегти' },
  saved: { en: 'Saved.', ru: 'Сохранено.', uk: 'Збережено.' },
  scopes: { en: 'Scopes', ru: 'Права', uk: 'Права' },
  rate: { en: 'Requests a second', ru: 'Запросов в секунду', uk: 'Запитів за секунду' },
  unlimited: { en: 'no limit', ru: 'без ограничений', uk: 'без обмежень' },
  subscriptions: { en: 'Subscriptions', ru: 'Подписки', uk: 'Підписки' },
})

export type Scope = 'approve' | 'read' | 'manage' | 'admin'

/** As the gateway sees it: admins may do everything, and who may manage may read. */
export function may({ scopes }: Who, scope: Scope): boolean {
  if (scopes.includes('admin') || scopes.includes(scope)) return true
  return scope === 'read' && scopes.includes('manage')
}

/** Whether this is one of those who manage the other accounts. */
export function isOperator(who: Who): boolean {
  return who.accountId === 'default' && may(who, 'admin')
}

export function Lacks({ scope }: { scope: Scope }) {
  return <p class="note warn">{useWords(WORDS)('lacks', { scope })}</p>
}

/** What is in the way, or the children. */
export function Needs({
  who,
  scope,
  title,
  children,
}: {
  who: Who
  scope: Scope
  title: string
  children: ComponentChildren
}) {
  if (may(who, scope)) return <>{children}</>
  return (
    <>
      <h1>{title}</h1>
      <Lacks scope={scope} />
    </>
  )
}

type Query = Readonly<Record<string, string | undefined>>

/** All pages of a list that is never long. */
export function useAll<T>(path: string, query: Query = {}): Loaded<readonly T[]> {
  const asked = withQuery(path, query)
  return useLoad((signal) => all<T>(asked, signal), [asked])
}

/** A form has an address of its own, so a thing that is called like one has another. */
export function hrefOf(page: string, id: string): string {
  return id === 'new' ? href(page, id, 'edit') : href(page, id)
}

/** The id that an address stands for; null for the form of a new one, undefined for the list. */
export function idIn(parts: readonly string[]): string | null | undefined {
  const [, id, more] = parts
  return id === 'new' && more === undefined ? null : id
}

type SaveProps = {
  /** What the button says. */
  readonly action: string
  /** Where "Cancel" leads. */
  readonly back: string
  readonly onSave: () => Promise<void>
  /** Nothing can be changed. */
  readonly isLocked?: boolean
  /** Gets what the gateway said last. */
  readonly children: (error: unknown) => ComponentChildren
}

/** What was typed stays when it could not be saved. */
export function SaveForm({ action, back, onSave, isLocked = false, children }: SaveProps) {
  const say = useWords(WORDS)
  const [error, setError] = useState<unknown>(undefined)
  const [isBusy, setBusy] = useState(false)
  const save = (event: SubmitEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    onSave()
      .catch(setError)
      .finally(() => setBusy(false))
  }
  return (
    <form class="stack" onSubmit={save} style={{ maxWidth: '48rem' }}>
      {error === undefined ? null : <ErrorNote error={error} />}
      <fieldset disabled={isLocked} style={{ border: 0, padding: 0 }}>
        {children(error)}
      </fieldset>
      <div class="row">
        {isLocked ? null : (
          <Button kind="primary" type="submit" disabled={isBusy}>
            {action}
          </Button>
        )}
        <a class="button" href={back}>
          {isLocked ? say('back') : say('cancel')}
        </a>
      </div>
    </form>
  )
}

type DeleteProps = {
  /** The question. */
  readonly title: string
  /** What the buttons say, where "Delete" does not fit. */
  readonly action?: string
  readonly done?: string
  /** What is told apart by, for who hears a list of such buttons. */
  readonly label?: string
  readonly kind?: 'danger' | 'plain'
  readonly children: ComponentChildren
  readonly onDelete: () => Promise<void>
}

/** Asks before it does. */
export function DeleteButton({ title, kind = 'danger', children, onDelete, ...says }: DeleteProps) {
  const say = useWords(WORDS)
  const [isAsking, setAsking] = useState(false)
  const action = says.action ?? say('delete')
  const confirm = async () => {
    await onDelete()
    toast(says.done ?? say('deleted'))
  }
  return (
    <>
      <Button kind={kind} label={says.label} onClick={() => setAsking(true)}>
        {action}
      </Button>
      {isAsking ? (
        <Confirm title={title} action={action} onConfirm={confirm} onClose={() => setAsking(false)}>
          {children}
        </Confirm>
      ) : null}
    </>
  )
}

/** A kind of settings by address: the list of them, the form of a new one, or one of them. */
import type { ComponentChildren } from 'preact'
import type { Loaded } from '../load.ts'
import { href, type Route } from '../route.ts'
import type { Who } from '../types.ts'
import { Empty, Head, Show } from './pieces.tsx'
import { idIn, may, Needs, type Scope } from './settings.tsx'

type PagesProps = {
  readonly route: Route
  readonly who: Who
  readonly title: string
  readonly newTitle: string
  /** What it takes to look, and to make one. */
  readonly scopes: { readonly look: Scope; readonly make: Scope }
  readonly list: ComponentChildren
  readonly form: ComponentChildren
  readonly detail: (id: string) => ComponentChildren
}

export function SettingsPages({ route, who, title, newTitle, scopes, ...shown }: PagesProps) {
  const id = idIn(route.parts)
  return (
    <Needs who={who} scope={id === null ? scopes.make : scopes.look} title={title}>
      {id === undefined ? shown.list : null}
      {id === null ? (
        <>
          <h1>{newTitle}</h1>
          {shown.form}
        </>
      ) : null}
      {typeof id === 'string' ? shown.detail(id) : null}
    </Needs>
  )
}

function NewLink({ page, text }: { page: string; text: string }) {
  return (
    <a class="button primary" href={href(page, 'new')}>
      {text}
    </a>
  )
}

type ListProps<T> = {
  readonly who: Who
  readonly page: string
  readonly loaded: Loaded<readonly T[]>
  /** Texts by the names that all these pages have for them. */
  readonly say: (key: 'title' | 'intro' | 'new' | 'none' | 'noneHelp') => string
  /** What it takes to make one. */
  readonly scope: Scope
  /** Where else somebody who has none may go. */
  readonly beside?: ComponentChildren
  readonly children: (items: readonly T[]) => ComponentChildren
}

export function SettingsList<T>({ who, page, loaded, say, scope, beside, children }: ListProps<T>) {
  const link = may(who, scope) ? <NewLink page={page} text={say('new')} /> : null
  const empty = (
    <Empty title={say('none')}>
      <p>{say('noneHelp')}</p>
      <div class="row">
        {link}
        {beside}
      </div>
    </Empty>
  )
  return (
    <>
      <Head title={say('title')}>{link}</Head>
      <p class="soft">{say('intro')}</p>
      <Show loaded={loaded}>{(items) => (items.length === 0 ? empty : children(items))}</Show>
    </>
  )
}

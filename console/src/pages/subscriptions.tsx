/** Who is asked before a change and told after it: the list, one of them, and the form for both. */
import type { PageProps } from '../app.tsx'
import { Detail } from './subscriptions-detail.tsx'
import { EditForm, NewForm } from './subscriptions-form.tsx'
import { List } from './subscriptions-list.tsx'

export function Page({ route, who }: PageProps) {
  const [, id, verb] = route.parts
  const catalogId = route.query.get('catalogId') ?? ''
  if (id === undefined) return <List key={catalogId} who={who} text={catalogId} />
  if (id === 'new') return <NewForm who={who} />
  // Another subscription is another page: nothing that was typed or shown of one may stay for the next.
  if (verb === 'edit') return <EditForm key={id} id={id} who={who} />
  return <Detail key={id} id={id} who={who} />
}

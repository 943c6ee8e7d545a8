/** What subscribers were told, what became of it, and how to tell it again. */
import type { PageProps } from '../app.tsx'
import { DeliveryPage } from './deliveries-detail.tsx'
import { DeliveryList } from './deliveries-list.tsx'

export function Page({ route, who }: PageProps) {
  const [, id] = route.parts
  const mayManage = who.scopes.some((scope) => scope === 'manage' || scope === 'admin')
  return id === undefined ? (
    <DeliveryList query={route.query} mayManage={mayManage} />
  ) : (
    <DeliveryPage key={id} id={id} mayManage={mayManage} />
  )
}

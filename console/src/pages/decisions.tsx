/** Decisions as they are made, and each of them explained. */
import type { PageProps } from '../app.tsx'
import { Explain } from './decisions-explain.tsx'
import { DecisionLog } from './decisions-list.tsx'

export function Page({ route }: PageProps) {
  const [, id] = route.parts
  return id === undefined ? <DecisionLog query={route.query} /> : <Explain key={id} id={id} />
}

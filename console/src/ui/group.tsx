/** A part of a form that most people never need: closed, until they open it or something in it is wrong. */
import type { ComponentChildren } from 'preact'
import { ApiProblem } from '../api.ts'

type GroupProps = {
  readonly title: string
  readonly error: unknown
  /** The pointers of what stands in it. */
  readonly holds: readonly string[]
  /** Open from the start. */
  readonly open?: boolean
  readonly children: ComponentChildren
}

export function Group({ title, error, holds, open = false, children }: GroupProps) {
  const complaints = error instanceof ApiProblem ? error.complaints : []
  const isWrong = complaints.some(({ pointer }) =>
    holds.some((own) => pointer === own || pointer.startsWith(`${own}/`)),
  )
  return (
    <details class="card" open={open || isWrong}>
      <summary>{title}</summary>
      <div class="stack">{children}</div>
    </details>
  )
}

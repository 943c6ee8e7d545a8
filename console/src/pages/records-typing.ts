/** Asks about a form while somebody is still typing in it. */
import { useEffect, useState } from 'preact/hooks'
import { ApiProblem, api } from '../api.ts'
import type { ApproveResponse } from '../types.ts'
import type { Finding, Values } from './records-draft.ts'

const STILL_MS = 400

export type Question = {
  readonly catalogId: string
  readonly recordId: string | undefined
  readonly values: Values
  readonly allValues: Values
  readonly user: { readonly id: string } | undefined
  readonly context: Values | undefined
}

export type Heard = { readonly findings: readonly Finding[]; readonly error: unknown }

const NOTHING: Heard = { findings: [], error: undefined }

/**
 * Asks when nothing was typed for a while. Each `turn` ends the one before, asked or not, so that an answer never
 * comes to a form that has moved on. Turn 0: nobody has typed yet; null: not now.
 */
export function useTyping(
  turn: number,
  question: Question | null,
  onAnswer: (response: ApproveResponse) => void,
): { readonly heard: Heard; readonly forget: () => void } {
  const [heard, setHeard] = useState(NOTHING)
  useEffect(() => {
    if (turn === 0 || question === null) return
    const control = new AbortController()
    const body = { event: 'record.updating', commit: 'none', ...question }
    const ask = () =>
      api.post<ApproveResponse>('/v1/approve', body, { signal: control.signal }).then(
        (response) => {
          if (control.signal.aborted) return
          const { errors, warnings, infos } = response
          setHeard({ findings: [...errors, ...warnings, ...infos], error: undefined })
          onAnswer(response)
        },
        (error: unknown) => {
          if (!control.signal.aborted && error instanceof ApiProblem) {
            setHeard({ findings: [], error })
          }
        },
      )
    const timer = setTimeout(() => void ask(), STILL_MS)
    return () => {
      clearTimeout(timer)
      control.abort()
    }
  }, [turn, question === null])
  return { heard, forget: () => setHeard(NOTHING) }
}

/** An approval that is watched: who is asked, who has answered, and what came of it. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiProblem, api } from '../api.ts'
import { language } from '../language.ts'
import type { ApproveResponse } from '../types.ts'
import type { Values } from './records-draft.ts'

export type Wish = {
  readonly event: 'record.before.created' | 'record.before.updated' | 'record.before.deleted'
  readonly catalogId: string
  readonly recordId?: string | undefined
  readonly values?: Values | undefined
  readonly baseVersion?: number | undefined
  readonly user?: { readonly id: string } | undefined
  readonly context?: Values | undefined
  readonly timeoutMs?: number | undefined
  readonly denyGraceMs?: number | undefined
  readonly confirm?: readonly string[] | undefined
}

export type Verdict = ApproveResponse['verdicts'][number]
export type Step = Pick<Verdict, 'subscriptionId' | 'name' | 'mode'>
export type Progress = {
  readonly plan: readonly Step[] | undefined
  readonly verdicts: readonly Verdict[]
}

type Watch = (change: (before: Progress) => Progress) => void

export type Asking =
  | { readonly kind: 'idle' }
  | ({ readonly kind: 'asking' } & Progress)
  | { readonly kind: 'answered'; readonly wish: Wish; readonly response: ApproveResponse }
  | { readonly kind: 'failed'; readonly wish: Wish; readonly error: unknown }

const NOTHING_YET: Progress = { plan: undefined, verdicts: [] }

export function useAsking(onAnswer: (response: ApproveResponse, wish: Wish) => void) {
  const [state, setState] = useState<Asking>({ kind: 'idle' })
  const kept = useRef({ body: '', key: '' })
  const control = useRef(new AbortController())
  useEffect(() => () => control.current.abort(), [])
  const ask = async (wish: Wish) => {
    let progress = NOTHING_YET
    setState({ kind: 'asking', ...progress })
    const body = JSON.stringify({ ...wish, commit: 'gateway' })
    // The same wish after an answer that was lost gets that answer; after one that came it is a new one.
    if (kept.current.body !== body) kept.current = { body, key: randomKey() }
    const watch: Watch = (change) => {
      progress = change(progress)
      setState({ kind: 'asking', ...progress })
    }
    const { signal } = control.current
    try {
      const response = await watched(body, kept.current.key, watch, signal)
      kept.current = { body: '', key: '' }
      if (signal.aborted) return
      setState({ kind: 'answered', wish, response })
      onAnswer(response, wish)
    } catch (error) {
      if (!signal.aborted) setState({ kind: 'failed', wish, error })
    }
  }
  return { state, ask: (wish: Wish) => void ask(wish), reset: () => setState({ kind: 'idle' }) }
}

function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}

async function watched(
  body: string,
  key: string,
  watch: Watch,
  signal: AbortSignal,
): Promise<ApproveResponse> {
  const response = await fetch('/v1/approve', {
    method: 'POST',
    credentials: 'same-origin',
    headers: {
      accept: 'text/event-stream',
      'accept-language': language(),
      'content-type': 'application/json',
      'idempotency-key': key,
    },
    body,
    signal,
  }).catch(lost)
  // That nobody is signed in any more is told by whoever asks for the session.
  if (response.status === 401) await api.get('/console/session')
  if (!response.ok || response.body === null) {
    const text = await response.text()
    throw problemOf(text, response.status, response.headers.get('retry-after'))
  }
  return decisionIn(response.body, watch)
}

async function decisionIn(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  watch: Watch,
): Promise<ApproveResponse> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  for (let rest = ''; ; ) {
    const { done, value } = await reader.read().catch(lost)
    if (done) return lost()
    const blocks = (rest + value).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const decided = heard(block, watch)
      if (decided !== undefined) return decided
    }
  }
}

/** One event of the stream; the response when it is the last one. */
function heard(block: string, watch: Watch): ApproveResponse | undefined {
  const [, event, data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(block) ?? []
  if (event === 'decision') return JSON.parse(data) as ApproveResponse
  if (event === 'problem') throw problemOf(data, 0, null)
  if (event === 'plan') {
    const { subscriptions } = JSON.parse(data) as { subscriptions: readonly Step[] }
    watch((before) => ({ ...before, plan: subscriptions }))
  }
  if (event === 'verdict') {
    const verdict = JSON.parse(data) as Verdict
    watch((before) => ({ ...before, verdicts: [...before.verdicts, verdict] }))
  }
  return undefined
}

type ProblemDocument = ConstructorParameters<typeof ApiProblem>[1] & { readonly status?: number }

function problemOf(text: string, status: number, retryAfter: string | null): ApiProblem {
  let document: ProblemDocument = {}
  try {
    document = JSON.parse(text) as ProblemDocument
  } catch {
    // Something between here and the gateway answered in its own words.
  }
  return new ApiProblem(document.status ?? (status || 500), document, retryAfter)
}

function lost(): never {
  throw new ApiProblem(0, {}, null)
}

/**
 * The end of the log, followed. What a row shows is kept of a decision and nothing else, since thousands are kept; the
 * newest come first, and the oldest make room.
 */
import { useRef, useState } from 'preact/hooks'
import { api, type Page, withQuery } from '../api.ts'
import { usePoll } from '../load.ts'
import type { Decision } from '../types.ts'
import { type DecisionKind, personOf } from './decisions-words.ts'

export const ROWS_MAX = 5_000
const PAGE_LIMIT = 200
/** So many pages of news are read at once. Where there are more, the log begins anew with those that were read. */
const NEWS_PAGES_MAX = 5
const LOOK_EVERY_MS = 1_000
const ANNOUNCE_EVERY_MS = 10_000

export type DecisionRow = Pick<
  Decision,
  'id' | 'decidedAt' | 'event' | 'catalogId' | 'recordId' | 'degraded'
> & {
  readonly decision: DecisionKind
  readonly person: string
  readonly message: string
  readonly asked: string
  readonly totalMs: number
}

export type DecisionFilter = Readonly<
  Record<'catalogId' | 'decision' | 'subscriptionId' | 'recordId' | 'text', string>
>

export type LiveLog = {
  readonly rows: readonly DecisionRow[]
  readonly isRead: boolean
  readonly error: unknown
  /** How many came since it was last said, said now and then. */
  readonly announced: number
  readonly hasOlder: boolean
  readonly readOlder: () => void
}

type State = Omit<LiveLog, 'readOlder' | 'hasOlder'> & { readonly cursor: string | null }
const EMPTY: State = { rows: [], isRead: false, error: undefined, announced: 0, cursor: null }

/** For one filter: another one is another log. */
export function useLiveLog(filter: DecisionFilter, isPaused: boolean): LiveLog {
  const [state, setState] = useState<State>(EMPTY)
  const latest = useRef(state)
  const unsaid = useRef({ count: 0, saidAt: Number.NEGATIVE_INFINITY })
  const put = (change: Partial<State>) => {
    latest.current = { ...latest.current, ...change }
    setState(latest.current)
  }
  const isReadingOlder = useRef(false)
  const addNews = async (after: string, signal: AbortSignal) => {
    const news = await readNews(filter, after, signal)
    // Between them and what is known there would be a gap.
    const kept = news.cursor === null ? latest.current : news
    const { rows: known } = latest.current
    const fresh = unknownOf(news.rows, known)
    if (fresh.length === 0) return put({ error: undefined })
    unsaid.current.count += fresh.length
    const now = performance.now()
    const isTold = now - unsaid.current.saidAt >= ANNOUNCE_EVERY_MS
    const announced = isTold ? unsaid.current.count : latest.current.announced
    if (isTold) unsaid.current = { count: 0, saidAt: now }
    const rows = newestFirst([...unknownOf(news.rows, kept.rows), ...kept.rows])
    put({ rows, cursor: kept.cursor, announced, error: undefined })
  }
  const look = async (signal: AbortSignal) => {
    const [newest] = latest.current.rows
    if (newest !== undefined) return addNews(newest.id, signal)
    const page = await read(filter, {}, signal)
    put({ ...page, isRead: true, error: undefined })
  }
  usePoll(LOOK_EVERY_MS, (signal) =>
    isPaused && latest.current.isRead
      ? Promise.resolve()
      : look(signal).catch((error: unknown) => {
          if (!signal.aborted) put({ error })
        }),
  )
  const readOlder = () => {
    const { cursor } = latest.current
    if (cursor === null || isReadingOlder.current) return
    isReadingOlder.current = true
    read(filter, { cursor })
      .then(
        (page) => {
          const { rows, cursor: now } = latest.current
          // The log has begun anew meanwhile.
          if (now !== cursor) return
          const all = newestFirst([...rows, ...unknownOf(page.rows, rows)])
          put({ rows: all, cursor: page.cursor, error: undefined })
        },
        (error: unknown) => put({ error }),
      )
      .finally(() => {
        isReadingOlder.current = false
      })
  }
  const hasOlder = state.cursor !== null && state.rows.length < ROWS_MAX
  return { ...state, hasOlder, readOlder }
}

type Read = { readonly rows: readonly DecisionRow[]; readonly cursor: string | null }

async function read(
  filter: DecisionFilter,
  place: { readonly after?: string; readonly cursor?: string },
  signal?: AbortSignal,
): Promise<Read> {
  const address = withQuery('/v1/decisions', { ...filter, ...place, limit: PAGE_LIMIT })
  const page = await api.get<Page<Decision>>(address, { signal })
  return { rows: page.items.map(rowOf), cursor: page.nextCursor }
}

/** Some of them may be known: what took its time is told of again. */
async function readNews(filter: DecisionFilter, after: string, signal: AbortSignal): Promise<Read> {
  const found: DecisionRow[] = []
  let place: { after: string; cursor?: string } = { after }
  for (let count = 0; count < NEWS_PAGES_MAX; count++) {
    const { rows, cursor } = await read(filter, place, signal)
    found.push(...rows)
    if (cursor === null) return { rows: found, cursor }
    place = { after, cursor }
  }
  return { rows: found, cursor: place.cursor ?? null }
}

function unknownOf(rows: readonly DecisionRow[], known: readonly DecisionRow[]) {
  const ids = new Set(known.map(({ id }) => id))
  return rows.filter(({ id }) => !ids.has(id))
}

/** Ids sort by time; the oldest make room. */
function newestFirst(rows: readonly DecisionRow[]): readonly DecisionRow[] {
  return rows.toSorted((left, right) => (left.id < right.id ? 1 : -1)).slice(0, ROWS_MAX)
}

function rowOf(decision: Decision): DecisionRow {
  const { id, decidedAt, event, catalogId, recordId, degraded } = decision
  return {
    id,
    decidedAt,
    event,
    catalogId,
    recordId,
    degraded,
    decision: decision.decision,
    person: personOf(decision),
    message: decision.message?.text ?? '',
    asked: decision.verdicts.map(({ name }) => name).join(', '),
    totalMs: decision.timing.decidedMs,
  }
}

/** How far somebody has come, read from the API, so that it holds also for what was done elsewhere. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { all, api, type Page, withQuery } from '../api.ts'
import { usePoll } from '../load.ts'
import type { Catalog, Decision, Subscription } from '../types.ts'
import { type Looks, looksOf } from './start-validator.ts'

export type Facts = {
  readonly isEmpty: boolean
  /** Those that the validator can look at. */
  readonly catalogs: readonly Catalog[]
  /** The catalog of these that the steps go on with. */
  readonly catalog: Catalog | undefined
  readonly looks: Looks | undefined
  readonly subscription: Subscription | undefined
  readonly tried: Decision | undefined
  readonly refused: Decision | undefined
}

const LOOK_EVERY_MS = 3_000

export function useFacts(chosen: string): {
  readonly facts: Facts | undefined
  readonly error: unknown
  readonly look: () => Promise<void>
} {
  const [facts, setFacts] = useState<Facts | undefined>(undefined)
  const [error, setError] = useState<unknown>(undefined)
  const latest = useRef(0)
  const look = async (signal?: AbortSignal) => {
    latest.current += 1
    const own = latest.current
    try {
      const seen = await read(chosen, signal)
      // An older look must not undo what a newer one saw.
      if (own !== latest.current || signal?.aborted === true) return
      setFacts(seen)
      setError(undefined)
    } catch (failure) {
      if (signal?.aborted !== true) setError(failure)
    }
  }
  usePoll(LOOK_EVERY_MS, look)
  useEffect(() => {
    if (chosen !== '') void look()
  }, [chosen])
  return { facts, error, look: () => look() }
}

async function read(chosen: string, signal: AbortSignal | undefined): Promise<Facts> {
  const [catalogs, subscriptions] = await Promise.all([
    all<Catalog>('/v1/catalogs', signal),
    all<Subscription>('/v1/subscriptions', signal),
  ])
  const able = catalogs.filter((one) => looksOf(one) !== undefined)
  const watched = (one: Catalog) => subscriptions.some((by) => watches(by, one))
  const catalog =
    able.find(({ id }) => id === chosen) ??
    able.find(watched) ??
    able.find(isOurs) ??
    able.find(isWhole) ??
    able[0]
  const subscription =
    catalog === undefined ? undefined : subscriptions.find((one) => watches(one, catalog))
  return {
    isEmpty: catalogs.length === 0,
    catalogs: able,
    catalog,
    looks: catalog === undefined ? undefined : looksOf(catalog),
    subscription,
    tried: await lastDecision(catalog, undefined, signal),
    refused: await lastDecision(catalog, 'deny', signal),
  }
}

export const OURS = 'orders'
const isOurs = ({ id }: Catalog) => id === OURS
const isWhole = (one: Catalog) => looksOf(one)?.total !== undefined

function watches({ active, events, catalogId }: Subscription, { id }: Catalog): boolean {
  return (
    active && events.includes('record.before.created') && (catalogId === '*' || catalogId === id)
  )
}

/** Of changes that somebody wanted to make, not of typing. */
async function lastDecision(
  catalog: Catalog | undefined,
  decision: 'deny' | undefined,
  signal: AbortSignal | undefined,
): Promise<Decision | undefined> {
  if (catalog === undefined) return undefined
  const path = withQuery('/v1/decisions', { catalogId: catalog.id, decision, limit: 20 })
  const { items } = await api.get<Page<Decision>>(path, { signal })
  return items.find(({ event }) => event !== 'record.updating')
}

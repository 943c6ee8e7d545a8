/**
 * What callers asked for and what they were told, to be compared with what a gateway has stored after it
 * was killed. Approvals are chosen by a seed, so that a failure can be repeated.
 */
import { expect } from 'vitest'
import { chanceFrom } from './chance.ts'
import type { Answer, Api } from './gateway.ts'

export type Request = {
  readonly key: string
  readonly body: { readonly event: string; readonly recordId: string; readonly values: object }
}

/** A request with its answer; null when the gateway died before it came. */
export type Entry = { readonly request: Request; readonly answer: Answer | null }

/** Records that several requests of each round change; made before the first round. */
export const SHARED = Array.from({ length: 12 }, (_, n) => `shared-${n}`)

/** Creations, changes of the shared records, and some that the validator denies (`refuse`). */
export function requestsOf(seed: number, count: number): Request[] {
  const chance = chanceFrom(seed)
  return Array.from({ length: count }, (_, n): Request => {
    const key = `key-${seed}-${n}`
    const values = { key, refuse: chance() < 0.15 }
    if (chance() < 0.6) {
      const recordId = `record-${seed}-${n}`
      return { key, body: { event: 'record.before.created', recordId, values } }
    }
    const recordId = SHARED[Math.floor(chance() * SHARED.length)] ?? ''
    return { key, body: { event: 'record.before.updated', recordId, values } }
  })
}

export async function send(api: Api, { key, body }: Request): Promise<Answer | null> {
  try {
    return await api.approve(body, { headers: { 'idempotency-key': key } })
  } catch {
    return null
  }
}

/** Sends all of them, so many at a time; `onAnswer` hears of each answer as it comes. */
export async function sendAll(
  api: Api,
  requests: readonly Request[],
  atATime: number,
  onAnswer: (count: number) => void = () => {},
): Promise<Entry[]> {
  const entries: Entry[] = []
  const left = [...requests]
  let answered = 0
  const caller = async () => {
    for (let request = left.shift(); request !== undefined; request = left.shift()) {
      const answer = await send(api, request)
      entries.push({ request, answer })
      if (answer !== null) onAnswer(++answered)
    }
  }
  await Promise.all(Array.from({ length: atATime }, caller))
  return entries
}

export const isCommitted = (answer: Answer | null): boolean => answer?.json?.committed === true

/** All pages of a list. */
export async function listAll(api: Api, path: string): Promise<any[]> {
  const items: any[] = []
  for (let cursor = ''; ; ) {
    const glue = path.includes('?') ? '&' : '?'
    const { json } = await api.get(`${path}${glue}limit=200${cursor}`)
    items.push(...json.items)
    if (json.nextCursor === null) return items
    cursor = `&cursor=${encodeURIComponent(json.nextCursor)}`
  }
}

export type Stored = {
  readonly records: ReadonlyMap<string, any>
  /** Decisions that were committed, by id. */
  readonly committed: ReadonlyMap<string, any>
  readonly notifications: readonly any[]
}

export async function readStored(api: Api): Promise<Stored> {
  const records = await listAll(api, '/v1/catalogs/things/records')
  const decisions = await listAll(api, '/v1/decisions?catalogId=things')
  return {
    records: new Map(records.map((record) => [record.id, record])),
    committed: new Map(
      decisions.filter(({ committed }) => committed).map((decision) => [decision.id, decision]),
    ),
    notifications: await listAll(api, '/v1/notifications'),
  }
}

/** Everything that was answered is true, everything that is stored was asked for, and it fits together. */
export function expectConsistent(stored: Stored, entries: readonly Entry[]): void {
  const { records, committed, notifications } = stored
  for (const { request, answer } of entries) {
    if (answer === null) continue
    const { json } = answer
    if (isCommitted(answer)) {
      expect(committed.get(json.id), `${request.key} was answered as committed`).toMatchObject({
        recordId: request.body.recordId,
        versionAfter: json.record.version,
        values: { key: request.key },
      })
      const version = records.get(request.body.recordId)?.version
      expect(version, request.key).toBeGreaterThanOrEqual(json.record.version)
    } else if (json.id !== undefined) {
      expect(committed.has(json.id), `${request.key} was answered as denied`).toBe(false)
    }
  }
  expectVersions(records, committed, entries)
  const told = notifications.map(({ decisionId }) => decisionId)
  expect(new Set(told).size, 'one notification for each decision').toBe(told.length)
  expect(new Set(told)).toEqual(new Set(committed.keys()))
}

/** Each version of each record was made by exactly one decision, and the last one is what is stored. */
function expectVersions(
  records: Stored['records'],
  committed: Stored['committed'],
  entries: readonly Entry[],
): void {
  const asked = new Map(entries.map(({ request }) => [request.key, request]))
  const byRecord = new Map<string, any[]>()
  for (const decision of committed.values()) {
    const request = asked.get(decision.values.key)
    expect(request?.body, 'somebody asked for it').toMatchObject({
      recordId: decision.recordId,
      event: decision.event,
      values: decision.values,
    })
    expect(decision.values.refuse, 'nobody refused it').not.toBe(true)
    const list = byRecord.get(decision.recordId) ?? []
    byRecord.set(decision.recordId, [...list, decision])
  }
  expect(new Set(records.keys())).toEqual(new Set(byRecord.keys()))
  for (const [id, decisions] of byRecord) {
    const inOrder = decisions.toSorted((a, b) => a.versionAfter - b.versionAfter)
    expect(inOrder.map(({ versionAfter }) => versionAfter)).toEqual(
      inOrder.map((_, index) => index + 1),
    )
    expect(records.get(id)).toMatchObject({
      version: inOrder.length,
      values: inOrder.at(-1).values,
    })
  }
}

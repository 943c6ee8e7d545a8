/** A store that is closed has stored what it was given, and can be opened again. */
import { afterEach, describe, expect, it } from 'vitest'
import { committed, creation, entryOf, subscribed } from '../support/items.ts'
import { DATABASES, type Place, temporaryPlace } from '../support/places.ts'
import { locationOf, openAs } from '../support/store.ts'

let place: Place | undefined

afterEach(() => place?.remove())

async function newPlace(kind: (typeof DATABASES)[number]) {
  place = await temporaryPlace(kind)
  return locationOf(place)
}

describe.each(DATABASES)('a store on the %s database that is closed', (kind) => {
  it('has stored every decision that was logged, however many still waited', async () => {
    const location = await newPlace(kind)
    const first = await openAs(location)
    const entries = Array.from({ length: 1_500 }, () => entryOf({ accountId: 'default' }))
    for (const entry of entries) first.approvals.log(entry)
    await first.close()
    const second = await openAs(location)
    const ids = new Set<string>()
    for (let after: string | null = null; ; ) {
      const page = await second.decisions.list('default', {}, { limit: 200, after })
      for (const { id } of page) ids.add(id)
      after = page.at(-1)?.id ?? null
      if (after === null) break
    }
    await second.close()
    expect(ids).toEqual(new Set(entries.map(({ id }) => id)))
  })

  it('is found as it was when it is opened again', async () => {
    const location = await newPlace(kind)
    const first = await openAs(location)
    const { id } = await subscribed(first.subscriptions, 'default')
    const item = creation('default', { recordId: 'r', generation: 2, key: 'k', told: [id] })
    await committed(first.approvals, item)
    await first.close()
    const second = await openAs(location)
    const record = await second.records.read('default', 'things', 'r')
    const kept = await second.keptAnswers.find('default', 'k')
    const planned = await second.outbox.plan(10)
    const configuration = await second.configuration.load('default')
    await second.close()
    expect(record).toMatchObject({ version: 1, origin: item.entry.id })
    expect(kept).toEqual(item.keep)
    expect(planned.events).toBe(1)
    expect(configuration?.subscriptions).toMatchObject([{ id }])
  })
})

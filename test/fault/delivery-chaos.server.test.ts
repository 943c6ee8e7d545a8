/**
 * Everything goes wrong at once: gateways are killed, the database crashes, receivers refuse, dawdle and
 * vanish, and callers go on all the while. Afterwards every committed change has been told to whom it may
 * concern, in order and under numbers without gaps. And the same, shorter, on a machinery that was made
 * to do wrong: the judge must find exactly that.
 *
 * What happens next is chosen by a seed and paced by what the callers were answered, never by time.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  duplicatesOf,
  type Ledger,
  NO_VIOLATIONS,
  type Violations,
  violationsOf,
} from '../support/chaos/check-ledger.ts'
import { PLANTED_FAULTS, type PlantedFault } from '../support/chaos/planted-faults.ts'
import { type Chance, chanceFrom } from '../support/chaos/seeded.ts'
import { World, type WorldOptions, withDatabase } from '../support/chaos/world.ts'
import { type Cluster, findPostgres, startCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { endAll } from '../support/process.ts'

const KILLS = 32
/** After which kill the database crashes. */
const CRASHES_AFTER = [9, 21] as const
/** After which kill a receiver goes away, and for how long. */
const AWAY = { afterKill: 4, forMs: 4_000 } as const
/** Answers between one blow and the next. */
const STEP = 25
/** What a lease keeps, and what piled up behind it. */
const DRAIN_MS = 90_000

const ROUGH = { refuses: 0.08, answersLate: 0.015, takesMs: 10 } as const
/** Takes so long that a kill finds something under way. */
const ROUGH_AND_SLOW = { ...ROUGH, takesMs: 150 } as const
const SLOW = { refuses: 0, answersLate: 0, takesMs: 150 } as const

/** Records that change once have no order; where order is not the point, nothing else is to be found. */
const ONCE = Number.POSITIVE_INFINITY
const PLANTED = [
  { fault: 'no chain rule', found: 'outOfOrder', temper: ROUGH_AND_SLOW, recordsMax: 10 },
  { fault: 'mark before send', found: 'missing', temper: SLOW, recordsMax: ONCE },
  { fault: "counter in the relay's memory", found: 'gaps', temper: SLOW, recordsMax: ONCE },
] as const satisfies readonly Planted[]

type Planted = Pick<WorldOptions, 'temper' | 'recordsMax'> & {
  readonly fault: PlantedFault
  /** The one violation that it makes. */
  readonly found: keyof Violations
}

const PLANTED_ROUNDS = 2

const say = (line: string): boolean => process.stdout.write(`${line}\n`)

const bin = await findPostgres()
if (bin === null) {
  say('NOT RUN: the chaos run: no PostgreSQL binaries, or no user who could run them')
} else {
  chaos(bin)
}

function chaos(folder: string): void {
  let cluster: Cluster
  let world: World | null = null
  let databases = 0

  beforeAll(async () => {
    cluster = await startCluster(folder)
  })

  afterEach(async () => {
    try {
      await world?.end()
    } finally {
      world = null
      await endAll()
    }
  })

  afterAll(() => cluster.remove())

  const newWorld = async (options: Omit<WorldOptions, 'databaseUrl'>): Promise<World> => {
    const name = `chaos_${++databases}`
    await withDatabase(cluster.url, (client) => client.query(`create database ${name}`))
    const url = new URL(cluster.url)
    url.pathname = `/${name}`
    world = await World.make({ ...options, databaseUrl: url.href })
    return world
  }

  /** The database goes down in the middle of everything, and comes back when callers have felt it. */
  const crash = async ({ callers }: World): Promise<void> => {
    await cluster.stop('immediate')
    const before = callers.unanswered
    try {
      await eventually('callers feel it', () => callers.unanswered >= before + 20)
    } finally {
      await cluster.start()
    }
  }

  const storm = async (one: World, { next, pick }: Chance): Promise<void> => {
    const { fleet } = one
    let crashes = 0
    let isAwayDue = true
    while (fleet.kills < KILLS || crashes < CRASHES_AFTER.length) {
      await inTheMidst(one, 1)
      if (isAwayDue && fleet.kills >= AWAY.afterKill) {
        isAwayDue = false
        one.receiver('away').goAway(AWAY.forMs)
      }
      if (fleet.kills >= (CRASHES_AFTER[crashes] ?? Number.POSITIVE_INFINITY)) {
        await crash(one)
        crashes++
      } else {
        const victim = pick(fleet.live)
        await fleet.kill(...(next() < 0.15 || victim === undefined ? fleet.live : [victim]))
      }
    }
  }

  describe('a storm over gateways, receivers and the database', () => {
    it('loses nothing, invents nothing, and leaves order and numbers as they were committed', async () => {
      const seed = 'a storm'
      const one = await newWorld({ seed, temper: ROUGH, recordsMax: 150, backlogMax: 3_000 })
      one.startCallers()
      await storm(one, chanceFrom(seed))
      await one.callers.stop()
      await one.fleet.complete()
      await one.drained(DRAIN_MS)
      const ledger = await one.ledger()
      const violations = violationsOf(ledger)
      const takenOver = await one.takenOver()
      const summary = summaryOf(one, ledger, takenOver)
      say(`chaos: ${CRASHES_AFTER.length} crashes of the database, ${summary}`)
      expect(violations, summary).toEqual(NO_VIOLATIONS)
      expect(one.fleet.fallen, 'no gateway ended by itself').toEqual([])
      expect(await one.states(), summary).toEqual(['delivered'])
      // It was a storm.
      const { refused, late, turnedAway } = one.book
      for (const count of [refused, late, turnedAway, takenOver, duplicatesOf(ledger)]) {
        expect(count, summary).toBeGreaterThan(0)
      }
    })
  })

  describe('a machinery that was made to do wrong', () => {
    const runs = PLANTED.map((planted) => [planted.fault, planted] as const)
    it.each(runs)('is found out, and for nothing else: %s', async (fault, planted) => {
      const { found, temper, recordsMax } = planted
      const one = await newWorld({ seed: fault, temper, recordsMax, backlogMax: 500 })
      await one.with(PLANTED_FAULTS[fault])
      one.startCallers()
      // A kill may come just after everything was answered, and prove nothing.
      for (let round = 0; round < PLANTED_ROUNDS || one.book.hungUp === 0; round++) {
        await inTheMidst(one, 4)
        await one.fleet.kill(...one.fleet.live)
        await one.fleet.complete()
      }
      await inTheMidst(one, 1)
      await one.callers.stop()
      // To wait for a lease would prove nothing here.
      await one.endLeases()
      await one.drained(DRAIN_MS)
      const ledger = await one.ledger()
      const violations = violationsOf(ledger)
      const summary = summaryOf(one, ledger, await one.takenOver())
      say(`planted: ${fault}: ${summary}`)
      expect(violations[found], summary).toBeGreaterThan(0)
      expect({ ...violations, [found]: 0 }, summary).toEqual(NO_VIOLATIONS)
    })
  })
}

/** Resolves when work has gone on, and receivers are busy with some of it. */
function inTheMidst({ callers, book, fleet }: World, heldMin: number): Promise<boolean> {
  const answered = callers.promised.length
  return eventually('work goes on', () => {
    const isOn = callers.promised.length >= answered + STEP && book.held >= heldMin
    return isOn && fleet.live.length > 0
  })
}

function summaryOf({ fleet, book }: World, ledger: Ledger, takenOver: number): string {
  const { refused, late, turnedAway, hungUp, receipts } = book
  const found = Object.entries(violationsOf(ledger)).map(([name, count]) => `${count} ${name}`)
  return [
    `${fleet.kills} kills`,
    `${ledger.committed.length} changes`,
    `${ledger.planned.length} deliveries`,
    `${receipts.length} requests (${refused} refused, ${late} answered late, ${hungUp} cut off)`,
    `${turnedAway} connections turned away`,
    `${takenOver} taken over`,
    `${duplicatesOf(ledger)} duplicates`,
    ...found,
  ].join(', ')
}

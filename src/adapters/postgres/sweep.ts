/** What grows old and is looked after now and then; nothing depends on when. */
import type { Clock } from '../../app/ports.ts'
import type { Database, Statement } from './database.ts'
import { SWEEP_LEAVING } from './installations.ts'

const EVERY_MS = 600_000
/** Decisions of one statement, so that none is long: each may have a megabyte. */
const DECISIONS_MAX = 25

const SWEEPS: readonly Statement[] = [
  { name: 'sweep_kept_answers', text: 'delete from kept_answers where expires_at < now()' },
  {
    // Nobody can redeem them any more.
    name: 'sweep_unredeemed_approvals',
    text: 'update caller_approvals set change = null where change is not null and expires_at < now()',
  },
  {
    name: 'sweep_activity',
    text: "delete from activity where minute < now() - interval '24 hours'",
  },
  SWEEP_LEAVING,
]

const DROP_PAYLOADS: Statement = {
  name: 'drop_decision_payloads',
  text: 'select drop_decision_payloads($1, $2) as count',
}

export type SweepOptions = {
  readonly clock: Clock
  /** After so many days decisions lose what they were about; null: never. */
  readonly payloadsKeptDays: number | null
  readonly onTrouble: (error: unknown) => void
}

/** The returned function ends it. */
export function sweepNowAndThen(database: Database, options: SweepOptions): () => void {
  const { clock, onTrouble } = options
  let cancel = () => {}
  const next = () => {
    cancel = clock.schedule(EVERY_MS, () => {
      sweep(database, options).catch(onTrouble).finally(next)
    })
  }
  next()
  return () => cancel()
}

/** One round of everything. */
async function sweep(
  database: Database,
  { payloadsKeptDays, onTrouble }: Omit<SweepOptions, 'clock'>,
): Promise<void> {
  for (const statement of SWEEPS) await database.everyone.run(statement, []).catch(onTrouble)
  if (payloadsKeptDays === null) return
  for (let count = DECISIONS_MAX; count === DECISIONS_MAX; ) {
    const values = [payloadsKeptDays, DECISIONS_MAX]
    const [row] = await database.everyone.run<{ count: number }>(DROP_PAYLOADS, values)
    count = row?.count ?? 0
  }
}

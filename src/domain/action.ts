/**
 * Menu actions: buttons beside a record. One is shown while all of its conditions hold for the record as it
 * is, and pressing it calls an endpoint. What is shown is only a picture of a moment: whoever presses is
 * checked again.
 */
import type { User } from './change.ts'
import {
  type Condition,
  type ConditionOperator,
  type ConditionSource,
  type ConditionSubject,
  compileCondition,
  type PatternCompiler,
} from './condition.ts'
import { EVERY_CATALOG } from './matching.ts'
import { pointerTo } from './pointer.ts'
import type { Complaint } from './problem.ts'
import type { Endpoint } from './subscription.ts'
import type { Values } from './values.ts'
import type { FailureCause } from './verdict.ts'

export type Action = Endpoint & {
  readonly title: string
  /** `*` is every catalog. */
  readonly catalogId: string
  /** All must hold. */
  readonly conditions: readonly Condition[]
  /** What the person is asked before the button does anything. */
  readonly confirmText: string | null
  readonly createdAt: string
  readonly updatedAt: string
}

/** Why it was not done: its endpoint said no, failed, or could not be heard. */
export type ActionFailure = 'refused' | FailureCause

export const ACTIONS_PER_ACCOUNT_MAX = 500

/** What a button is shown for. */
export type ActionRecord = { readonly catalogId: string; readonly values: Values }

/** Which of them can be run on the record now, in the order of the menu. */
export function availableActions<
  A extends Pick<Action, 'id' | 'title' | 'catalogId' | 'conditions'>,
>(
  actions: readonly A[],
  record: ActionRecord,
  user: User | undefined,
  compilePattern: PatternCompiler,
): readonly A[] {
  const subject = atRest(record.values, user)
  return actions
    .filter(({ catalogId }) => catalogId === record.catalogId || catalogId === EVERY_CATALOG)
    .filter(({ conditions }) =>
      // One after the other: the first that does not hold spares compiling the rest.
      conditions.every((condition) => compileCondition(condition, compilePattern)(subject)),
    )
    .toSorted(inMenuOrder)
}

/** A record that nobody is changing. */
function atRest(values: Values, user: User | undefined): ConditionSubject {
  return { valuesToBe: values, prevValues: undefined, changedFields: [], user, context: undefined }
}

/** As people read lists: `Ёлка` before `Жук`, `Line 2` before `Line 10`. The same wherever it runs. */
const TITLES = new Intl.Collator('und', { numeric: true })

type Named = Pick<Action, 'id' | 'title'>

function inMenuOrder(left: Named, right: Named): number {
  return TITLES.compare(left.title, right.title) || (left.id < right.id ? -1 : 1)
}

const ABOUT_CHANGES: ReadonlySet<ConditionOperator> = new Set([
  'changed',
  'changedTo',
  'changedFrom',
])
const OF_CHANGES: ReadonlySet<ConditionSource> = new Set(['prevValues', 'context'])

/** Conditions that could never hold, so that the button would never be seen. */
export function neverHolding(conditions: readonly Condition[]): Complaint[] {
  return conditions.flatMap(({ op, source }, index) => {
    const complaints: Complaint[] = []
    const complain = (member: 'op' | 'source', message: string) =>
      complaints.push({ pointer: pointerTo('conditions', index, member), message })
    if (ABOUT_CHANGES.has(op)) {
      complain('op', `A button is shown for a record that nobody is changing: ${op} never holds.`)
    }
    if (source !== undefined && OF_CHANGES.has(source)) {
      complain('source', `A record that nobody is changing has no ${source}.`)
    }
    return complaints
  })
}

import type { User } from './change.ts'
import { pointerTo } from './pointer.ts'
import type { Complaint } from './problem.ts'
import { deepEqual, type Values } from './values.ts'

export const CONDITION_OPERATORS = [
  'eq',
  'ne',
  'in',
  'notIn',
  'gt',
  'gte',
  'lt',
  'lte',
  'exists',
  'empty',
  'contains',
  'startsWith',
  'matches',
  'changed',
  'changedTo',
  'changedFrom',
] as const
export type ConditionOperator = (typeof CONDITION_OPERATORS)[number]

export const CONDITION_SOURCES = ['values', 'prevValues', 'user', 'context'] as const
export type ConditionSource = (typeof CONDITION_SOURCES)[number]

/** One demand on a change. `source` is `values`, the record as it will be, when left out. */
export type Condition = {
  readonly field: string
  readonly source?: ConditionSource | undefined
  readonly op: ConditionOperator
  readonly value?: unknown
}

/** Tells whether a text matches; made from a pattern in RE2 syntax, so it runs in linear time. */
export type TextMatcher = {
  /** How much work a text is, in steps of an automaton; infinite where it is too long to be looked at. */
  readonly stepsFor: (text: string) => number
  readonly matches: (text: string) => boolean
}

/** Makes a matcher of a pattern, or says (null) that the pattern is none. */
export type PatternCompiler = (pattern: string) => TextMatcher | null

/** What a condition looks at. Made once for all conditions that are asked about the same thing. */
export type ConditionSubject = {
  /** The record as it will be; of an event that no change gave rise to, its data. */
  readonly valuesToBe: Values
  readonly prevValues: Values | undefined
  readonly changedFields: readonly string[]
  readonly user: User | undefined
  readonly context: Values | undefined
}

export type CompiledCondition = (subject: ConditionSubject) => boolean

/**
 * Turns a condition into a predicate. A predicate never throws: what cannot be compared (a number with a
 * text, a missing field) does not hold, except for `ne`, `notIn` and `empty`, which hold for what is missing.
 */
export function compileCondition(
  condition: Condition,
  compilePattern: PatternCompiler,
): CompiledCondition {
  const { field, op, value } = condition
  if (op === 'changed') return (subject) => hasChanged(subject, field) === (value !== false)
  if (op === 'changedTo') {
    return (subject) => hasChanged(subject, field) && deepEqual(subject.valuesToBe[field], value)
  }
  if (op === 'changedFrom') {
    return (subject) =>
      hasChanged(subject, field) && deepEqual(read(subject, 'prevValues', field) ?? null, value)
  }
  const source = condition.source ?? 'values'
  if (op === 'matches') {
    const matcher = compilePattern(String(value))
    return (subject) => matchesWithin(subject, read(subject, source, field), matcher)
  }
  const test = testOf(op, value)
  return (subject) => test(read(subject, source, field))
}

/**
 * Steps that all patterns together may take over one change: a tenth of a second at worst, while nobody else is served.
 * What is too long for that, or comes too late, counts as matching. Then a validator is asked that perhaps need not
 * be; the other way round it would be passed by, by whoever writes a text that is long enough.
 */
export const PATTERN_STEPS_MAX = 2_000_000

const spent = new WeakMap<ConditionSubject, number>()

function matchesWithin(
  subject: ConditionSubject,
  actual: unknown,
  matcher: TextMatcher | null,
): boolean {
  if (matcher === null || typeof actual !== 'string') return false
  const steps = (spent.get(subject) ?? 0) + matcher.stepsFor(actual)
  if (steps > PATTERN_STEPS_MAX) return true
  spent.set(subject, steps)
  return matcher.matches(actual)
}

function hasChanged({ changedFields }: ConditionSubject, field: string): boolean {
  return changedFields.includes(field)
}

function read(subject: ConditionSubject, source: ConditionSource, field: string): unknown {
  const from = sourceOf(subject, source)
  return from !== undefined && Object.hasOwn(from, field) ? from[field] : undefined
}

function sourceOf(subject: ConditionSubject, source: ConditionSource): Values | undefined {
  switch (source) {
    case 'values':
      return subject.valuesToBe
    case 'prevValues':
      return subject.prevValues
    case 'user':
      return subject.user
    case 'context':
      return subject.context
  }
}

type PlainOperator = Exclude<ConditionOperator, 'changed' | 'changedTo' | 'changedFrom' | 'matches'>

function testOf(op: PlainOperator, value: unknown): (actual: unknown) => boolean {
  switch (op) {
    case 'eq':
      return (actual) => deepEqual(actual, value)
    case 'ne':
      return (actual) => !deepEqual(actual, value)
    case 'in':
      return (actual) => isOneOf(actual, value)
    case 'notIn':
      return (actual) => !isOneOf(actual, value)
    case 'gt':
      return (actual) => (compare(actual, value) ?? 0) > 0
    case 'gte':
      return (actual) => (compare(actual, value) ?? -1) >= 0
    case 'lt':
      return (actual) => (compare(actual, value) ?? 0) < 0
    case 'lte':
      return (actual) => (compare(actual, value) ?? 1) <= 0
    case 'exists':
      return (actual) => (actual !== undefined) === (value !== false)
    case 'empty':
      return (actual) => isEmpty(actual) === (value !== false)
    case 'contains':
      return (actual) => contains(actual, value)
    case 'startsWith':
      return (actual) => typeof actual === 'string' && actual.startsWith(String(value))
  }
}

function isOneOf(actual: unknown, allowed: unknown): boolean {
  return Array.isArray(allowed) && allowed.some((item) => deepEqual(item, actual))
}

/** Order of two numbers or of two texts (ISO dates sort as texts); null for anything else. */
function compare(left: unknown, right: unknown): number | null {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (typeof left !== 'string' || typeof right !== 'string') return null
  if (left === right) return 0
  return left < right ? -1 : 1
}

function isEmpty(actual: unknown): boolean {
  if (actual === undefined || actual === null || actual === '') return true
  if (Array.isArray(actual)) return actual.length === 0
  return typeof actual === 'object' && Object.keys(actual).length === 0
}

function contains(actual: unknown, part: unknown): boolean {
  if (Array.isArray(actual)) return actual.some((item) => deepEqual(item, part))
  return typeof actual === 'string' && typeof part === 'string' && actual.includes(part)
}

/** What is wrong with a list of conditions as it was sent, by place. */
export function conditionComplaints(
  conditions: readonly Condition[],
  compilePattern: PatternCompiler,
): Complaint[] {
  let patterns = 0
  return conditions.flatMap((condition, index) => {
    if (condition.op === 'matches') patterns++
    const message =
      condition.op === 'matches' && patterns > PATTERNS_MAX
        ? `At most ${PATTERNS_MAX} conditions of a list may be patterns.`
        : conditionFault(condition, compilePattern)
    return message === null ? [] : [{ pointer: pointerTo('conditions', index), message }]
  })
}

/** Each costs milliseconds on a long text, with every change that is looked at. */
const PATTERNS_MAX = 10

/** What is wrong with a condition as it was sent, or null. */
export function conditionFault(
  condition: Condition,
  compilePattern: PatternCompiler,
): string | null {
  const { op, value } = condition
  switch (op) {
    case 'in':
    case 'notIn':
      return Array.isArray(value) ? null : `${op} needs a list as its value`
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return typeof value === 'number' || typeof value === 'string'
        ? null
        : `${op} needs a number or a text as its value`
    case 'startsWith':
      return typeof value === 'string' ? null : 'startsWith needs a text as its value'
    case 'matches':
      return typeof value === 'string' && compilePattern(value) !== null
        ? null
        : 'matches needs a regular expression in RE2 syntax as its value'
    case 'eq':
    case 'ne':
    case 'contains':
    case 'changedTo':
    case 'changedFrom':
      return value === undefined ? `${op} needs a value` : null
    case 'exists':
    case 'empty':
    case 'changed':
      return value === undefined || typeof value === 'boolean'
        ? null
        : `${op} takes true or false, or no value`
  }
}

/**
 * Conditions of menu actions are read from the database whenever somebody opens a menu. Making an automaton
 * of a pattern costs a hundred times what matching it does, so those made lately are kept.
 */
import type { PatternCompiler, TextMatcher } from '../domain/condition.ts'

/** Of all accounts together. Emptied when full: it refills itself. */
const PATTERNS_MAX = 2_000

export function rememberPatterns(
  compile: PatternCompiler,
  max: number = PATTERNS_MAX,
): PatternCompiler {
  const known = new Map<string, TextMatcher | null>()
  return (pattern) => {
    const made = known.get(pattern)
    if (made !== undefined) return made
    if (known.size >= max) known.clear()
    const matcher = compile(pattern)
    known.set(pattern, matcher)
    return matcher
  }
}

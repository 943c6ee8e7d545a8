import { RE2JS } from 're2js'
import type { PatternCompiler } from '../../domain/condition.ts'

/** A pattern longer than this is no condition but a program. */
const PATTERN_LENGTH_MAX = 1_000

/**
 * RE2 syntax, matched by an automaton in time linear in the text: no pattern, however hostile, can hold
 * up the process.
 */
export const compilePattern: PatternCompiler = (pattern) => {
  if (pattern.length > PATTERN_LENGTH_MAX) return null
  try {
    const compiled = RE2JS.compile(pattern)
    return (text) => compiled.matcher(text).find()
  } catch {
    return null
  }
}

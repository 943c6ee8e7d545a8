import { RE2JS } from 're2js'
import type { PatternCompiler } from '../../domain/condition.ts'

/** A pattern longer than this is no condition but a program. */
const PATTERN_LENGTH_MAX = 1_000
/** Repetitions are unrolled into the automaton, and each step through a text costs its size. */
const PROGRAM_SIZE_MAX = 500
/** A text longer than this is not looked at: with the program's size it bounds the time of one match. */
const TEXT_LENGTH_MAX = 10_000

/**
 * RE2 syntax, matched by an automaton in time linear in the text: at worst each letter costs each instruction of it
 * one step, of which a million take up to 50 ms (measured with nested repetitions on one letter).
 */
export const compilePattern: PatternCompiler = (pattern) => {
  if (pattern.length > PATTERN_LENGTH_MAX) return null
  try {
    const compiled = RE2JS.compile(pattern)
    const size = compiled.programSize()
    if (size > PROGRAM_SIZE_MAX) return null
    return {
      stepsFor: ({ length }) =>
        length > TEXT_LENGTH_MAX ? Number.POSITIVE_INFINITY : length * size,
      matches: (text) => compiled.matcher(text).find(),
    }
  } catch {
    return null
  }
}

import { RE2JS } from 're2js'
import type { PatternCompiler } from '../../domain/condition.ts'

/** A pattern longer than this is no condition but a program. */
const PATTERN_LENGTH_MAX = 1_000
/** Repetitions are unrolled into the automaton, and each step through a text costs its size. */
const PROGRAM_SIZE_MAX = 500
/** A text longer than this matches nothing: with the program's size it bounds the time of one match. */
const TEXT_LENGTH_MAX = 10_000

/**
 * RE2 syntax, matched by an automaton in time linear in the text. The size of the automaton and of the
 * text are bounded, so that the worst pattern on the longest text takes a fraction of a second, once.
 */
export const compilePattern: PatternCompiler = (pattern) => {
  if (pattern.length > PATTERN_LENGTH_MAX) return null
  try {
    const compiled = RE2JS.compile(pattern)
    if (compiled.programSize() > PROGRAM_SIZE_MAX) return null
    return (text) => text.length <= TEXT_LENGTH_MAX && compiled.matcher(text).find()
  } catch {
    return null
  }
}

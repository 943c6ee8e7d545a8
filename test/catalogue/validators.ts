/**
 * Every way a validator can behave, with the verdict that it deserves. The suites that are fed by this
 * catalogue decide what they do with each: see test/e2e/validators.test.ts.
 */
import { ALLOWING, DENYING, OTHER_STATUSES, REFUSING } from './answers.ts'
import type { ValidatorBehaviour } from './behaviour.ts'
import { BPIUM, PLAIN } from './dialects.ts'
import { UNREADABLE } from './unreadable.ts'
import { ON_THE_WIRE } from './wire.ts'

export const VALIDATORS: readonly ValidatorBehaviour[] = [
  ...ALLOWING,
  ...DENYING,
  ...REFUSING,
  ...OTHER_STATUSES,
  ...UNREADABLE,
  ...ON_THE_WIRE,
  ...PLAIN,
  ...BPIUM,
]

/** An entry of the standard dialect by its name; a name that is not there is a fault of the test. */
export function standardValidator(name: string): ValidatorBehaviour {
  const found = VALIDATORS.find((one) => one.dialect === 'standard' && one.name === name)
  if (found === undefined) throw new Error(`the catalogue has no validator that ${name}`)
  return found
}

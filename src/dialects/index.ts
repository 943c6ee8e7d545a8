import type { DialectName } from '../domain/subscription.ts'
import { bpium } from './bpium.ts'
import type { Dialect } from './dialect.ts'
import { plain } from './plain.ts'
import { poster } from './poster.ts'
import { standard } from './standard.ts'

/** Every dialect that a subscription may name. The next one is a line here. */
export const DIALECTS = { standard, plain, bpium, poster } as const satisfies Record<
  DialectName,
  Dialect
>

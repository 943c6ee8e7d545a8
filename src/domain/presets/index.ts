import { helpdesk } from './helpdesk.ts'
import { pos } from './pos.ts'
import type { Preset } from './preset.ts'
import { taxi } from './taxi.ts'

/** In order of name. */
export const PRESETS: readonly Preset[] = [helpdesk, pos, taxi]

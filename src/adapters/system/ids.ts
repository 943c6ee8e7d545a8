import { uuidv7 } from 'uuidv7'
import type { Ids } from '../../app/ports.ts'

/** UUIDs of version 7 (RFC 9562): they sort by time, also within one millisecond of this process. */
export const systemIds: Ids = {
  make: (prefix) => `${prefix}_${uuidv7().replaceAll('-', '')}`,
}

import type { Ids } from '../../app/ports.ts'

/** The caller's own id where it is usable: 1 to 200 visible characters. */
export function usableRequestId(sent: string | undefined, ids: Ids): string {
  return sent !== undefined && /^[\x21-\x7e]{1,200}$/.test(sent) ? sent : ids.make('req')
}

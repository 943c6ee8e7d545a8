/** What a request changes is changed in the name of whoever sent it, so that the audit can tell. */
import type { Changes, ChangesBy } from '../../app/audit-store.ts'
import { actorOf } from '../../app/exceptions.ts'
import type { Caller } from '../../app/store.ts'

export type ActingPorts = { readonly changesBy: ChangesBy }

/** The same ports, in the caller's name. Reading needs no name. */
export function acting<Ports extends ActingPorts & Partial<Changes>>(
  ports: Ports,
  caller: Caller,
  requestId: string,
): Ports {
  return { ...ports, ...ports.changesBy(actorOf(caller, requestId)) }
}

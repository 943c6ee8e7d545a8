import type { Presence } from '../../app/ask-validators.ts'
import type { NodeBindings } from './route.ts'

const ALWAYS_HERE: Presence = { isGone: () => false, onGone: () => () => {} }

/** Whether the caller still holds its end of the connection. */
export function presenceOf({ incoming, outgoing }: NodeBindings): Presence {
  if (incoming === undefined || outgoing === undefined) return ALWAYS_HERE
  return {
    isGone: () => incoming.socket.destroyed,
    onGone: (listener) => {
      outgoing.once('close', listener)
      return () => void outgoing.removeListener('close', listener)
    },
  }
}

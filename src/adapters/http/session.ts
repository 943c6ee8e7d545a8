/**
 * A person's session in the console. The key is sent once and kept by nobody: what the browser gets is a cookie that
 * holds the key's digest and two times, tagged by us. So there is nothing to store, any gateway of the installation
 * takes it, and it ends with the key, or earlier: half an hour after it was last used, eight hours after it began.
 *
 * A browser adds a cookie to whatever a page of another site makes it send. So a request with one counts only when the
 * browser itself says that it comes from our own pages, and, where it could change something, when its body is JSON,
 * which no form can send. Who sends a key in the header has no session, whatever cookies come along.
 */
import { Buffer } from 'node:buffer'
import { z } from 'zod'
import type { Clock, Vault } from '../../app/ports.ts'
import { Problem } from '../../domain/problem.ts'

const IDLE_MS = 30 * 60_000
const WHOLE_MS = 8 * 3_600_000
/** Its last use is noted to the minute. */
const RENEWED_AFTER_MS = 60_000

/** The second name is for plain http on this machine, where browsers take no `__Host-`. */
const NAMES = { https: '__Host-assent', loopback: 'assent_session' } as const

const session = z.object({ keyHash: z.string(), startedMs: z.number(), seenMs: z.number() })
type Session = z.output<typeof session>

type Headers = (name: string) => string | undefined

export type SessionPorts = { readonly vault: Vault; readonly clock: Pick<Clock, 'wallMs'> }

export type Opened = {
  readonly keyHash: string
  /** When it ends unless it is used. */
  readonly endsAtMs: number
  /** The cookie to answer with, when it has to be renewed. */
  readonly renewal: string | null
}

export interface Sessions {
  /** The cookie for whoever has shown this key. Throws Problem `forbidden` over plain http from elsewhere. */
  begin(keyHash: string, header: Headers): string
  /** Null without one. Throws Problem `unauthenticated` for one that is over, `forbidden` for a page of another site. */
  read(header: Headers, method: string): Opened | null
  /** The cookies that end it. */
  end(): readonly string[]
}

export function createSessions({ vault, clock }: SessionPorts): Sessions {
  const cookieOf = (one: Session, place: keyof typeof NAMES): string => {
    const body = Buffer.from(JSON.stringify(one)).toString('base64url')
    return cookie(place, `${body}.${vault.tag('session', body)}`, WHOLE_MS)
  }
  return {
    begin: (keyHash, header) => {
      const place = placeOf(header)
      if (place === null) throw readableOnTheWay()
      const now = clock.wallMs()
      return cookieOf({ keyHash, startedMs: now, seenMs: now }, place)
    },
    read: (header, method) => {
      const place = placeOf(header)
      const text = place === null ? null : textIn(header('cookie'), NAMES[place])
      if (place === null || text === null) return null
      refuseOtherSites(header, method)
      const one = opened(text, vault)
      const now = clock.wallMs()
      const endsAtMs = one === null ? 0 : endOf(one)
      if (one === null || now >= endsAtMs) throw over()
      const isOld = now - one.seenMs >= RENEWED_AFTER_MS
      const renewed = isOld ? { ...one, seenMs: now } : one
      const renewal = isOld ? cookieOf(renewed, place) : null
      return { keyHash: one.keyHash, endsAtMs: endOf(renewed), renewal }
    },
    end: () => [cookie('https', '', 0), cookie('loopback', '', 0)],
  }
}

const endOf = ({ startedMs, seenMs }: Session): number =>
  Math.min(seenMs + IDLE_MS, startedMs + WHOLE_MS)

const over = () => new Problem('unauthenticated', { detail: 'The session is over. Sign in again.' })

function opened(text: string, vault: Vault): Session | null {
  const [body = '', tag = ''] = text.split('.', 2)
  if (!vault.isTagged('session', body, tag)) return null
  return session.parse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')))
}

function cookie(place: keyof typeof NAMES, value: string, forMs: number): string {
  const secure = place === 'https' ? '; Secure' : ''
  const age = Math.floor(forMs / 1_000)
  return `${NAMES[place]}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`
}

/** Of that name only: behind https another one could have been set by whoever is on the way to a neighbour. */
function textIn(cookies: string | undefined, wanted: string): string | null {
  if (cookies === undefined) return null
  for (const one of cookies.split(';')) {
    const [name = '', value = ''] = one.trim().split('=', 2)
    if (name === wanted) return value
  }
  return null
}

/** As the browser sees it: whoever ends TLS before us says so. Null where anybody on the way could read along. */
function placeOf(header: Headers): keyof typeof NAMES | null {
  if (header('x-forwarded-proto') === 'https') return 'https'
  return LOOPBACK.test(header('host') ?? '') ? 'loopback' : null
}

const readableOnTheWay = () =>
  new Problem('forbidden', {
    detail:
      'The console needs https, or this very machine: over plain http a key could be read on the way.',
  })

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/** Throws Problem `forbidden`, or `unsupported_media_type` for what a form could have sent. */
export function refuseOtherSites(header: Headers, method: string): void {
  const site = header('sec-fetch-site')
  const isRead = method === 'GET'
  const isOwn = site === undefined ? isRead : site === 'same-origin'
  if (!isOwn || !isOwnOrigin(header)) {
    throw new Problem('forbidden', { detail: 'Pages of other sites cannot call this.' })
  }
  if (isRead || header('content-length') === undefined || header('content-length') === '0') return
  if (!/^application\/json\s*(;|$)/i.test(header('content-type') ?? '')) {
    throw new Problem('unsupported_media_type', { detail: 'Send the body as application/json.' })
  }
}

/** Browsers leave it out of reads only. */
function isOwnOrigin(header: Headers): boolean {
  const origin = header('origin')
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === header('host')
}

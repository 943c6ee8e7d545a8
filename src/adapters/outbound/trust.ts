/**
 * Whom TLS trusts and what it shows of itself. Sessions belong to it: whoever resumes a session is not
 * asked for a certificate again, so one that was begun under other settings must never be found.
 */
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { TlsSettings } from '../../domain/subscription.ts'
import { BoundedMap } from './bounded-map.ts'
import { ConnectError } from './failure-cause.ts'

export type Trust = {
  readonly sessions: BoundedMap<string, Buffer>
  /** Undefined: Node's own authorities, NODE_EXTRA_CA_CERTS included. */
  readonly secureContext: SecureContext | undefined
}

/** Of all who have no settings of their own, and of one who has: that is one origin at a time. */
const SESSIONS_MAX = { shared: 1_000, own: 4 } as const

export class Trusts {
  readonly #ca: string[] | undefined
  readonly #shared: Trust
  /** By identity: whoever changes settings brings new ones, and the old ones are forgotten with their owner. */
  readonly #own = new WeakMap<TlsSettings, Trust>()

  /** Authorities (PEM) that are trusted beside the well-known ones. */
  constructor(authorities: readonly string[] | undefined) {
    this.#ca = authorities && [...rootCertificates, ...authorities]
    this.#shared = {
      sessions: new BoundedMap(SESSIONS_MAX.shared),
      secureContext: this.#ca && createSecureContext({ ca: this.#ca }),
    }
  }

  of(tls: TlsSettings | undefined): Trust {
    if (tls === undefined) return this.#shared
    const known = this.#own.get(tls)
    if (known !== undefined) return known
    const trust = {
      sessions: new BoundedMap<string, Buffer>(SESSIONS_MAX.own),
      secureContext: this.#contextOf(tls),
    }
    this.#own.set(tls, trust)
    return trust
  }

  /** Settings were tried when they were saved, perhaps by another version of OpenSSL. */
  #contextOf({ cert, key, ...own }: TlsSettings): SecureContext {
    const ca = own.ca ?? this.#ca
    try {
      return createSecureContext({
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
      })
    } catch (error) {
      throw new ConnectError('tls', 'the TLS settings of the subscription cannot be used', error)
    }
  }
}

export function sameTls(left: TlsSettings | undefined, right: TlsSettings | undefined): boolean {
  return (
    left === right ||
    (left?.ca === right?.ca && left?.cert === right?.cert && left?.key === right?.key)
  )
}

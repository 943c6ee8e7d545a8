/**
 * The one place where a connection is made. The guard sits here and nowhere earlier, because only here
 * the address is known: a name is resolved, every address of the answer is judged (one that is refused
 * refuses all: somebody is playing), and the connection goes to a judged address, never to the name. A
 * literal address takes the same way; Node's `lookup` hook would never be called for it. After
 * connecting, the peer's address is compared again.
 *
 * TLS is always verified, whatever NODE_TLS_REJECT_UNAUTHORIZED says; an operator's own authority comes
 * through NODE_EXTRA_CA_CERTS or `authorities`. Every error from here is a ConnectError or EgressBlocked,
 * which tells the caller that nothing has been sent.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import {
  connect as connectTls,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import type { Clock } from '../../app/ports.ts'
import { sameAddress } from './address.ts'
import { BoundedMap } from './bounded-map.ts'
import {
  addressFault,
  canonicalHost,
  type Destination,
  type EgressPolicy,
  isLocalhost,
} from './egress-policy.ts'
import { ConnectError, EgressBlocked } from './failure-cause.ts'
import type { Connect, Origin } from './http1/connection-pool.ts'
import { NameError, type Resolver } from './resolver.ts'

const CONNECT_LIMITS = {
  /** Resolving, connecting and the TLS handshake together. */
  totalMs: 3_000,
  attemptsMax: 2,
  keepAliveProbeMs: 60_000,
  tlsSessionsMax: 1_000,
} as const

export type ConnectorOptions = {
  readonly clock: Clock
  readonly resolver: Resolver
  readonly policy: EgressPolicy
  /** Whether connecting there would reach this very process. */
  readonly isOwnAddress?: ((address: string, port: number) => boolean) | undefined
  /** Certificates (PEM) of authorities that are trusted beside the well-known ones. */
  readonly authorities?: readonly string[] | undefined
}

type Context = ConnectorOptions & {
  readonly sessions: BoundedMap<string, Buffer>
  readonly secureContext: SecureContext | undefined
}

export function createConnector(options: ConnectorOptions): Connect {
  const { authorities } = options
  const context: Context = {
    ...options,
    sessions: new BoundedMap(CONNECT_LIMITS.tlsSessionsMax),
    secureContext:
      authorities && createSecureContext({ ca: [...rootCertificates, ...authorities] }),
  }
  return (target, callback) => {
    establish(context, destinationOf(target)).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(asConnectError(error), null),
    )
  }
}

function destinationOf({ protocol, hostname, port }: Origin): Destination {
  const isTls = protocol === 'https:'
  return {
    protocol: isTls ? 'https:' : 'http:',
    host: canonicalHost(hostname),
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
  }
}

function asConnectError(error: unknown): ConnectError | EgressBlocked {
  if (error instanceof ConnectError || error instanceof EgressBlocked) return error
  if (error instanceof NameError) return new ConnectError('name', error.message, error)
  const message = error instanceof Error ? error.message : 'unknown failure'
  return new ConnectError('connect', message, error)
}

async function establish(context: Context, destination: Destination): Promise<Socket> {
  const endsAt = context.clock.monotonicMs() + CONNECT_LIMITS.totalMs
  const addresses = await judgedAddresses(context, destination)
  const candidates = addresses.slice(0, CONNECT_LIMITS.attemptsMax)
  for (const [index, address] of candidates.entries()) {
    const leftMs = Math.max(1, endsAt - context.clock.monotonicMs())
    const othersLeft = candidates.length - 1 - index
    try {
      return await attempt(context, { destination, address, limitMs: leftMs / (othersLeft + 1) })
    } catch (error) {
      // Bad TLS at one address is an answer, not an accident: another one is not tried.
      if (othersLeft === 0 || asConnectError(error).code !== 'ASSENT_CONNECT') throw error
      if (error instanceof ConnectError && error.phase === 'tls') throw error
    }
  }
  throw new ConnectError('name', `${destination.host} has no address`)
}

/** The addresses to connect to, all of them allowed; throws EgressBlocked when one is not. */
async function judgedAddresses(
  context: Context,
  destination: Destination,
): Promise<readonly string[]> {
  const { host } = destination
  const found = isIP(host) === 0 ? await resolveInTime(context, host) : [host]
  const judged = found.map((address) => ({
    address,
    fault: faultOf(context, destination, address),
  }))
  // `localhost` stands for both families, of which the operator may have listed one.
  const counted = isLocalhost(host) ? judged.filter(({ fault }) => fault === null) : judged
  const refused = counted.length === 0 ? judged[0] : counted.find(({ fault }) => fault !== null)
  if (refused !== undefined) {
    throw new EgressBlocked(`${host} is not allowed: ${refused.fault ?? 'no address'}`)
  }
  return counted.map(({ address }) => address)
}

function faultOf(context: Context, destination: Destination, address: string): string | null {
  const fault = addressFault(context.policy, destination, address)
  if (fault !== null) return fault
  if (context.isOwnAddress?.(address, destination.port) === true) {
    return `${address} port ${destination.port} is this gateway itself`
  }
  return null
}

function resolveInTime(context: Context, host: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const stop = context.clock.schedule(CONNECT_LIMITS.totalMs, () =>
      reject(new ConnectError('name', `${host} was not resolved in time`)),
    )
    context.resolver.resolve(host).then(resolve, reject).finally(stop)
  })
}

type Attempt = {
  readonly destination: Destination
  readonly address: string
  readonly limitMs: number
}

function attempt(context: Context, { destination, address, limitMs }: Attempt): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const isTls = destination.protocol === 'https:'
    const socket = isTls ? openTls(context, destination, address) : openTcp(destination, address)
    let phase: ConnectError['phase'] = 'connect'
    const fail = (error: Error): void => {
      stopTimer()
      socket.destroy()
      reject(error)
    }
    const stopTimer = context.clock.schedule(limitMs, () =>
      fail(new ConnectError(phase, `no connection to ${address} within ${Math.round(limitMs)} ms`)),
    )
    socket.once('connect', () => {
      phase = isTls ? 'tls' : 'connect'
      if (!sameAddress(socket.remoteAddress ?? '', address)) {
        fail(new EgressBlocked(`connected to ${socket.remoteAddress}, not to ${address}`))
      }
    })
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      stopTimer()
      resolve(socket)
    })
    // Stays for the socket's whole life: before anybody else listens, an error must not be unhandled.
    socket.on('error', (error) => fail(new ConnectError(phase, error.message, error)))
  })
}

function openTcp({ port }: Destination, host: string): Socket {
  return connectTcp({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: CONNECT_LIMITS.keepAliveProbeMs,
  })
}

function openTls(context: Context, { host, port }: Destination, address: string): TLSSocket {
  const sessionKey = `${host}:${port}`
  const session = context.sessions.get(sessionKey)
  const socket = connectTls({
    host: address,
    port,
    // Names only: an address is not a server name, and is compared with the certificate's addresses.
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(session && { session }),
    ...(context.secureContext && { secureContext: context.secureContext }),
  })
  socket.setNoDelay(true)
  socket.setKeepAlive(true, CONNECT_LIMITS.keepAliveProbeMs)
  socket.on('session', (fresh) => context.sessions.set(sessionKey, fresh))
  return socket
}

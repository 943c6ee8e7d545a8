/**
 * The one place where a connection is made. The guard sits here and nowhere earlier, because only here
 * the address is known: a name is resolved, every address of the answer is judged (one that is refused
 * refuses all: somebody is playing), and the connection goes to a judged address, never to the name. A
 * literal address takes the same way; Node's `lookup` hook would never be called for it. After
 * connecting, the peer's address is compared again. With an egress proxy all of this stays, but that it is
 * the proxy that connects to the judged address.
 *
 * TLS is always verified, whatever NODE_TLS_REJECT_UNAUTHORIZED says; an operator's own authority comes
 * through NODE_EXTRA_CA_CERTS or `authorities`, a subscriber's through its subscription. Every error from here is a ConnectError or EgressBlocked,
 * which tells the caller that nothing has been sent.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Clock } from '../../app/ports.ts'
import type { TlsSettings } from '../../domain/subscription.ts'
import { sameAddress } from './address.ts'
import {
  addressFault,
  canonicalHost,
  type Destination,
  type EgressPolicy,
  isLocalhost,
} from './egress-policy.ts'
import { ConnectError, EgressBlocked } from './failure-cause.ts'
import type { Origin } from './http1/connection-pool.ts'
import type { Dial } from './pools.ts'
import { type EgressProxy, openTunnel, proxyError } from './proxy-tunnel.ts'
import { NameError, type Resolver } from './resolver.ts'
import { type Trust, Trusts } from './trust.ts'

const CONNECT_LIMITS = {
  /** Resolving, connecting and the TLS handshake together. */
  totalMs: 3_000,
  attemptsMax: 2,
  keepAliveProbeMs: 60_000,
} as const

export type ConnectorOptions = {
  readonly clock: Clock
  readonly resolver: Resolver
  readonly policy: EgressPolicy
  /** Whether connecting there would reach this very process. */
  readonly isOwnAddress?: ((address: string, port: number) => boolean) | undefined
  /** Certificates (PEM) of authorities that are trusted beside the well-known ones. */
  readonly authorities?: readonly string[] | undefined
  /** Every connection goes through it. */
  readonly proxy?: EgressProxy | null | undefined
}

/** One connection that is being made. */
type Context = ConnectorOptions & {
  readonly destination: Destination
  readonly tls: TlsSettings | undefined
  readonly trusts: Trusts
  /** Told to whoever waits. */
  readonly progress: { isAtProxy: boolean }
}

export function createConnector(options: ConnectorOptions): Dial {
  const trusts = new Trusts(options.authorities)
  return (target, callback, tls) => {
    const progress = { isAtProxy: false }
    const destination = destinationOf(target)
    establish({ ...options, destination, tls, trusts, progress }).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(asConnectError(error), null),
    )
    return options.proxy ? progress : undefined
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

async function establish(context: Context): Promise<Socket> {
  const { clock, destination } = context
  const endsAt = clock.monotonicMs() + CONNECT_LIMITS.totalMs
  const addresses = await judgedAddresses(context)
  const candidates = addresses.slice(0, CONNECT_LIMITS.attemptsMax)
  for (const [index, address] of candidates.entries()) {
    const leftMs = Math.max(1, endsAt - clock.monotonicMs())
    const othersLeft = candidates.length - 1 - index
    try {
      return await attempt(context, { address, limitMs: leftMs / (othersLeft + 1) })
    } catch (error) {
      // Bad TLS at one address is an answer, not an accident: another one is not tried.
      if (othersLeft === 0 || asConnectError(error).code !== 'ASSENT_CONNECT') throw error
      if (error instanceof ConnectError && error.phase === 'tls') throw error
    }
  }
  throw new ConnectError('name', `${destination.host} has no address`)
}

/** The addresses to connect to, all of them allowed; throws EgressBlocked when one is not. */
async function judgedAddresses(context: Context): Promise<readonly string[]> {
  const { host } = context.destination
  const found = isIP(host) === 0 ? await resolveInTime(context, host) : [host]
  const judged = found.map((address) => ({
    address,
    fault: faultOf(context, address),
  }))
  // `localhost` stands for both families, of which the operator may have listed one.
  const counted = isLocalhost(host) ? judged.filter(({ fault }) => fault === null) : judged
  const refused = counted.length === 0 ? judged[0] : counted.find(({ fault }) => fault !== null)
  if (refused !== undefined) {
    throw new EgressBlocked(`${host} is not allowed: ${refused.fault ?? 'no address'}`)
  }
  return counted.map(({ address }) => address)
}

function faultOf(context: Context, address: string): string | null {
  const { destination } = context
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

type Attempt = { readonly address: string; readonly limitMs: number }

async function attempt(context: Context, { address, limitMs }: Attempt): Promise<Socket> {
  const { clock, proxy, destination, trusts, tls } = context
  const isTls = destination.protocol === 'https:'
  // First of all, since settings that cannot be used leave nothing behind then.
  const trust = trusts.of(tls)
  if (!proxy) {
    const socket = isTls ? openTls(destination, trust, { address }) : openTcp(destination, address)
    return readied(context, { socket, address, limitMs, isConnected: false })
  }
  const endsAt = clock.monotonicMs() + limitMs
  const tunnel = await tunnelTo(context, proxy, { address, limitMs })
  if (!isTls) return tunnel
  const socket = openTls(destination, trust, { address, tunnel })
  const leftMs = Math.max(1, endsAt - clock.monotonicMs())
  return readied(context, { socket, address, limitMs: leftMs, isConnected: true })
}

async function tunnelTo(
  context: Context,
  proxy: EgressProxy,
  { address, limitMs }: Attempt,
): Promise<Socket> {
  const { clock, destination, progress } = context
  progress.isAtProxy = true
  const endsAt = clock.monotonicMs() + limitMs
  const proxyAddress = await addressOf(context, proxy)
  const leftMs = Math.max(1, endsAt - clock.monotonicMs())
  const { port } = destination
  const socket = await openTunnel({ clock, proxy, proxyAddress, address, port, limitMs: leftMs })
  progress.isAtProxy = false
  socket.setKeepAlive(true, CONNECT_LIMITS.keepAliveProbeMs)
  return socket
}

async function addressOf(context: Context, { host }: EgressProxy): Promise<string> {
  if (isIP(host) !== 0) return host
  try {
    const [first] = await resolveInTime(context, host)
    if (first !== undefined) return first
  } catch {
    // Said below: that it is the proxy's name, and not the receiver's.
  }
  throw proxyError(`has no address: ${host}`)
}

type Begun = Attempt & { readonly socket: Socket; readonly isConnected: boolean }

/** The socket when it can be written to: connected to the judged address, and TLS agreed on. */
function readied(context: Context, { socket, address, limitMs, isConnected }: Begun) {
  return new Promise<Socket>((resolve, reject) => {
    const isTls = context.destination.protocol === 'https:'
    let phase: ConnectError['phase'] = isConnected && isTls ? 'tls' : 'connect'
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
      if (!isConnected && !sameAddress(socket.remoteAddress ?? '', address)) {
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

type TlsPeer = { readonly address: string; readonly tunnel?: Socket }

/** Over a tunnel where there is one; the address then is only what the certificate is compared with. */
function openTls({ host, port }: Destination, trust: Trust, { address, tunnel }: TlsPeer) {
  const { sessions, secureContext } = trust
  const sessionKey = `${host}:${port}`
  const session = sessions.get(sessionKey)
  const socket: TLSSocket = connectTls({
    host: address,
    port,
    ...(tunnel && { socket: tunnel }),
    // Names only: an address is not a server name, and is compared with the certificate's addresses.
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(session && { session }),
    ...(secureContext && { secureContext }),
  })
  socket.setNoDelay(true)
  socket.setKeepAlive(true, CONNECT_LIMITS.keepAliveProbeMs)
  socket.on('session', (fresh) => sessions.set(sessionKey, fresh))
  return socket
}

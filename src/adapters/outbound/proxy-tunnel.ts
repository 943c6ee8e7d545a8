/**
 * A way through the operator's proxy (ASSENT_EGRESS_PROXY): CONNECT to an address that was judged here, so
 * that the guard holds whatever the proxy resolves or allows; the proxy is one more wall, not the only one.
 * TLS is spoken through the tunnel, with the receiver itself.
 *
 * Nothing that goes wrong before the tunnel stands says anything about the receiver: it is a ConnectError
 * of the phase `proxy`, or EgressBlocked where the proxy itself forbids the destination. The proxy is the
 * operator's choice, so its own address is not judged.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import type { Clock } from '../../app/ports.ts'
import { ConnectError, EgressBlocked } from './failure-cause.ts'

export type EgressProxy = { readonly host: string; readonly port: number }

export type TunnelOrder = {
  readonly clock: Clock
  readonly proxy: EgressProxy
  /** Where the proxy itself is. */
  readonly proxyAddress: string
  readonly address: string
  readonly port: number
  readonly limitMs: number
}

const HEAD_BYTES_MAX = 8_192
const HEAD_END = '\r\n\r\n'
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n/

/** The settled tunnel: whatever is written from now on goes to the receiver. */
export function openTunnel(order: TunnelOrder): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { clock, proxyAddress, proxy, limitMs } = order
    const socket = connectTcp({ host: proxyAddress, port: proxy.port, noDelay: true })
    let head = ''
    const settle = (): void => {
      stopTimer()
      socket.off('data', read).off('end', hungUp).off('close', hungUp)
    }
    const fail = (error: Error): void => {
      settle()
      socket.destroy()
      reject(error)
    }
    const stopTimer = clock.schedule(limitMs, () =>
      fail(proxyError(`opened no tunnel within ${Math.round(limitMs)} ms`)),
    )
    const hungUp = (): void => fail(proxyError('hung up'))
    const read = (bytes: Buffer): void => {
      head += bytes.toString('latin1')
      const end = head.indexOf(HEAD_END)
      if (end === -1 && head.length <= HEAD_BYTES_MAX) return
      const refusal = refusalIn(head, end)
      if (refusal !== null) return fail(refusal)
      settle()
      resolve(socket)
    }
    socket.once('connect', () => socket.write(connectRequest(order)))
    socket.on('data', read).on('end', hungUp).on('close', hungUp)
    // Stays for the socket's whole life: an error must never be unhandled.
    socket.on('error', (error) => fail(proxyError(`failed: ${error.message}`)))
  })
}

function connectRequest({ address, port }: TunnelOrder): string {
  const authority = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
  return `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`
}

function refusalIn(head: string, end: number): Error | null {
  const status = STATUS_LINE.exec(head)?.[1]
  if (status === undefined || end === -1) return proxyError('does not speak HTTP')
  if (status === '403') return new EgressBlocked('the egress proxy forbids this destination (403)')
  if (!status.startsWith('2')) return proxyError(`answered ${status}`)
  // A receiver speaks when it is spoken to: these bytes would be taken for its answer.
  return head.length > end + HEAD_END.length ? proxyError('said more than it was asked') : null
}

export function proxyError(what: string): ConnectError {
  return new ConnectError('proxy', `the egress proxy ${what}`)
}

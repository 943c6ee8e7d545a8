import { networkInterfaces } from 'node:os'
import { spelledOut } from './address.ts'

/** No address but "this machine" to whoever connects to it. */
const UNSPECIFIED = ['0.0.0.0', '::'].flatMap(spelledOut)
const LOOPBACK = '::1'

/** Where this very process listens: a subscription that points here would ask itself. */
export class OwnAddress {
  port = 0
  readonly #addresses = new Set([
    ...UNSPECIFIED,
    ...spelledOut(LOOPBACK),
    ...Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).flatMap(({ address }) => spelledOut(address)),
    ),
  ])

  /** In whatever spelling: the operator may have listed the networks in which others hide. */
  is(address: string, port: number): boolean {
    if (port !== this.port) return false
    return spelledOut(address).some((one) => one.startsWith('127.') || this.#addresses.has(one))
  }
}

import { networkInterfaces } from 'node:os'

/** Where this very process listens: a subscription that points here would ask itself. */
export class OwnAddress {
  port = 0
  readonly #addresses = new Set(
    Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => address),
    ),
  )

  is(address: string, port: number): boolean {
    if (port !== this.port) return false
    return address.startsWith('127.') || address === '::1' || this.#addresses.has(address)
  }
}

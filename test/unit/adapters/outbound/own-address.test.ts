import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { OwnAddress } from '../../../../src/adapters/outbound/own-address.ts'

const PORT = 8_787

function listening(): OwnAddress {
  const own = new OwnAddress()
  own.port = PORT
  return own
}

describe('the address of the gateway itself', () => {
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '0.0.0.0',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::127.0.0.1',
    '2002:7f00:1::',
  ])('is known as %s', (address) => {
    expect(listening().is(address, PORT)).toBe(true)
  })

  it('is known by every address that this machine has, in every spelling', () => {
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    expect(all.length).toBeGreaterThan(0)
    for (const { address, family } of all) {
      expect(listening().is(address, PORT), address).toBe(true)
      const other = family === 'IPv4' ? `::ffff:${address}` : address.toUpperCase()
      expect(listening().is(other, PORT), other).toBe(true)
    }
  })

  it('is another at another port, and elsewhere', () => {
    expect(listening().is('127.0.0.1', PORT + 1)).toBe(false)
    for (const address of ['93.184.216.34', '2606:4700:4700::1111', 'nonsense', '']) {
      expect(listening().is(address, PORT)).toBe(false)
    }
  })
})

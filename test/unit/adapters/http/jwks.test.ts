/** Where the issuer's keys come from, when the server there is broken, hostile, or somebody else's. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { exportJWK, generateKeyPair } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { IssuerKeys } from '../../../../src/adapters/http/jwks.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const open: Server[] = []

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
}

afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const HEADER = { alg: 'ES256', kid: 'k1' }
const find = (keys: IssuerKeys) => keys.find(HEADER, { payload: '', signature: '' })

async function ownKey(): Promise<object> {
  const { publicKey } = await generateKeyPair('ES256')
  return { ...(await exportJWK(publicKey)), ...HEADER }
}

/** Valid, and found to be too many or too much only by whoever counts. */
const fillers = (count: number, own: object) =>
  JSON.stringify({
    keys: [own, ...Array.from({ length: count }, (_, n) => ({ kty: 'x', kid: `${n}` }))],
  })

describe('the keys of an issuer', () => {
  it('are fetched from where the setting says', async () => {
    const own = await ownKey()
    const url = await serve((_request, response) => response.end(JSON.stringify({ keys: [own] })))
    await expect(find(new IssuerKeys(url, new FakeClock()))).resolves.toBeDefined()
  })

  it.each([301, 302, 303, 307, 308])('are not looked for elsewhere after a %i', async (status) => {
    const text = JSON.stringify({ keys: [await ownKey()] })
    const asked: string[] = []
    const elsewhere = await serve((request, response) => {
      asked.push(request.url ?? '')
      response.end(text)
    })
    const url = await serve((_request, response) => {
      response.writeHead(status, { location: elsewhere }).end(text)
    })
    await expect(find(new IssuerKeys(url, new FakeClock()))).rejects.toThrow()
    expect(asked).toEqual([])
  })

  it.each([199, 500])('are a hundred at most: with %i more none is taken', async (more) => {
    const own = await ownKey()
    const url = await serve((_request, response) => response.end(fillers(more, own)))
    await expect(find(new IssuerKeys(url, new FakeClock()))).rejects.toThrow()
    const fitting = await serve((_request, response) => response.end(fillers(99, own)))
    await expect(find(new IssuerKeys(fitting, new FakeClock()))).resolves.toBeDefined()
  })

  it('are read up to 64 KiB, and a server that goes on is cut', async () => {
    const own = await ownKey()
    let cut = () => {}
    const wasCut = new Promise<void>((resolve) => {
      cut = resolve
    })
    const url = await serve((_request, response) => {
      const chunk = Buffer.alloc(16_384, ' ')
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', more)
      response.once('close', cut)
      response.write(JSON.stringify({ keys: [own] }))
      more()
    })
    await expect(find(new IssuerKeys(url, new FakeClock()))).rejects.toThrow()
    await wasCut
  })

  it('are counted as they are unpacked, not as they are sent', async () => {
    const own = await ownKey()
    const text = JSON.stringify({ keys: [own] }) + ' '.repeat(50_000_000)
    const packed = gzipSync(text)
    expect(packed.length).toBeLessThan(65_536)
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed)
    })
    await expect(find(new IssuerKeys(url, new FakeClock()))).rejects.toThrow()
  })

  it.each([
    ['a page', 200, '<html>'],
    ['nothing', 200, ''],
    ['null', 200, 'null'],
    ['a list', 200, '[]'],
    ['no keys', 200, '{}'],
    ['keys that are none', 200, '{"keys":[7]}'],
    ['an error', 500, ''],
    ['keys beside an error', 404, 'KEYS'],
  ])('are kept as they were when the server sends %s', async (_name, status, text) => {
    const keys = JSON.stringify({ keys: [await ownKey()] })
    let next = { status: 200, text: keys }
    let asked = 0
    const url = await serve((_request, response) => {
      asked += 1
      response.writeHead(next.status).end(next.text)
    })
    const clock = new FakeClock()
    const issuer = new IssuerKeys(url, clock)
    await find(issuer)
    next = { status, text: text.replace('KEYS', '{"keys":[]}') }
    await clock.advance(600_000)
    await expect(find(issuer)).resolves.toBeDefined()
    expect(asked).toBe(2)
  })
})

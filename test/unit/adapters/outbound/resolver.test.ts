import { describe, expect, it } from 'vitest'
import {
  createResolver,
  type Lookups,
  NameError,
  parseHosts,
  type ResolvedRecord,
} from '../../../../src/adapters/outbound/resolver.ts'
import { FakeClock, settle, signal } from './support.ts'

const notFound = () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }))
const record = (address: string, ttl = 30): ResolvedRecord => ({ address, ttl })

function fakeLookups(changes: Partial<Lookups> = {}) {
  const asked: string[] = []
  const lookups: Lookups = {
    resolve4: (host) => {
      asked.push(host)
      return Promise.resolve([record('93.184.216.34')])
    },
    resolve6: notFound,
    readHosts: () => Promise.resolve(''),
    ...changes,
  }
  return { asked, lookups }
}

describe('the resolver', () => {
  it('asks once for a name however many wait for it', async () => {
    const gate = signal<readonly ResolvedRecord[]>()
    let times = 0
    const { lookups } = fakeLookups({
      resolve4: () => {
        times += 1
        return gate.promise
      },
    })
    const resolver = createResolver(new FakeClock(), lookups)
    const all = Array.from({ length: 50 }, () => resolver.resolve('validator.test'))
    await settle()
    gate.fire([record('1.2.3.4')])
    expect(new Set((await Promise.all(all)).flat())).toEqual(new Set(['1.2.3.4']))
    expect(times).toBe(1)
  })

  it('takes no answer with more addresses than anybody has', async () => {
    const records = (count: number) => Array.from({ length: count }, () => record('1.2.3.4'))
    const resolving = (four: number, six: number) =>
      createResolver(
        new FakeClock(),
        fakeLookups({
          resolve4: () => Promise.resolve(records(four)),
          resolve6: () => Promise.resolve(records(six)),
        }).lookups,
      ).resolve('validator.test')
    expect(await resolving(32, 32)).toHaveLength(64)
    await expect(resolving(32, 33)).rejects.toThrow('more than 64 addresses')
  })

  it.each([
    [0, 1_000],
    [30, 30_000],
    [86_400, 60_000],
  ])('remembers an answer with a TTL of %i s for %i ms', async (ttl, rememberedMs) => {
    const clock = new FakeClock()
    let times = 0
    const { lookups } = fakeLookups({
      resolve4: () => {
        times += 1
        return Promise.resolve([record('1.2.3.4', ttl), record('1.2.3.5', 100_000)])
      },
    })
    const resolver = createResolver(clock, lookups)
    await resolver.resolve('validator.test')
    clock.advance(rememberedMs - 1)
    await resolver.resolve('VALIDATOR.test.')
    expect(times).toBe(1)
    clock.advance(1)
    await resolver.resolve('validator.test')
    expect(times).toBe(2)
  })

  it('remembers for one second that a name has no address', async () => {
    const clock = new FakeClock()
    let times = 0
    const { lookups } = fakeLookups({
      resolve4: () => {
        times += 1
        return notFound()
      },
    })
    const resolver = createResolver(clock, lookups)
    await expect(resolver.resolve('nobody.test')).rejects.toThrow(NameError)
    await expect(resolver.resolve('nobody.test')).rejects.toThrow('ENOTFOUND')
    expect(times).toBe(1)
    clock.advance(1_000)
    await expect(resolver.resolve('nobody.test')).rejects.toThrow(NameError)
    expect(times).toBe(2)
  })

  it('answers for a healthy name while a hundred dead ones are still being asked for', async () => {
    const { lookups } = fakeLookups({
      resolve4: (host) =>
        host.startsWith('dead') ? new Promise(() => {}) : Promise.resolve([record('1.2.3.4')]),
    })
    const resolver = createResolver(new FakeClock(), lookups)
    for (let index = 0; index < 100; index += 1) void resolver.resolve(`dead${index}.test`)
    await expect(resolver.resolve('healthy.test')).resolves.toEqual(['1.2.3.4'])
  })

  it('returns addresses of both families, IPv4 first, and either when the other fails', async () => {
    const six = () => Promise.resolve([record('2606:4700::1')])
    const both = createResolver(new FakeClock(), fakeLookups({ resolve6: six }).lookups)
    await expect(both.resolve('a.test')).resolves.toEqual(['93.184.216.34', '2606:4700::1'])
    const only6 = createResolver(
      new FakeClock(),
      fakeLookups({ resolve4: notFound, resolve6: six }).lookups,
    )
    await expect(only6.resolve('a.test')).resolves.toEqual(['2606:4700::1'])
  })

  it('names a silent server rather than a missing record as the reason', async () => {
    const silent = () => Promise.reject(Object.assign(new Error('late'), { code: 'ETIMEOUT' }))
    const { lookups } = fakeLookups({ resolve4: notFound, resolve6: silent })
    const resolver = createResolver(new FakeClock(), lookups)
    await expect(resolver.resolve('a.test')).rejects.toMatchObject({ code: 'ETIMEOUT' })
  })

  it('knows localhost without asking anybody', async () => {
    const { asked, lookups } = fakeLookups()
    const resolver = createResolver(new FakeClock(), lookups)
    await expect(resolver.resolve('localhost')).resolves.toEqual(['127.0.0.1', '::1'])
    await expect(resolver.resolve('app.localhost.')).resolves.toEqual(['127.0.0.1', '::1'])
    expect(asked).toEqual([])
  })

  it('puts the hosts file first and reads it again after five seconds at the earliest', async () => {
    const clock = new FakeClock()
    let text = '10.0.0.9 validator.test # pinned'
    let reads = 0
    const { asked, lookups } = fakeLookups({
      readHosts: () => {
        reads += 1
        return Promise.resolve(text)
      },
    })
    const resolver = createResolver(clock, lookups)
    await expect(resolver.resolve('Validator.test')).resolves.toEqual(['10.0.0.9'])
    text = ''
    clock.advance(4_999)
    await expect(resolver.resolve('validator.test')).resolves.toEqual(['10.0.0.9'])
    expect(reads).toBe(1)
    clock.advance(1)
    await expect(resolver.resolve('validator.test')).resolves.toEqual(['93.184.216.34'])
    expect(reads).toBe(2)
    expect(asked).toEqual(['validator.test'])
  })

  it('works without a hosts file', async () => {
    const { lookups } = fakeLookups({ readHosts: () => Promise.reject(new Error('ENOENT')) })
    const resolver = createResolver(new FakeClock(), lookups)
    await expect(resolver.resolve('validator.test')).resolves.toEqual(['93.184.216.34'])
  })

  it('forgets the names used least recently once it knows a thousand', async () => {
    const { asked, lookups } = fakeLookups()
    const resolver = createResolver(new FakeClock(), lookups)
    for (let index = 0; index <= 1_000; index += 1) await resolver.resolve(`n${index}.test`)
    await resolver.resolve('n1000.test')
    expect(asked).toHaveLength(1_001)
    await resolver.resolve('n0.test')
    expect(asked).toHaveLength(1_002)
  })
})

describe('a hosts file', () => {
  it('gives each name its addresses, without comments and nonsense', () => {
    const names = parseHosts(
      '# head\n127.0.0.1\tlocalhost\n\n10.0.0.1 A b # c\r\nfoo bar\n::1 b\n999.1.1.1 d\n',
    )
    expect([...names]).toEqual([
      ['localhost', ['127.0.0.1']],
      ['a', ['10.0.0.1']],
      ['b', ['10.0.0.1', '::1']],
    ])
  })
})

import { AggregatorRegistry, Histogram, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { CounterTally, HistogramTally } from '../../../../src/adapters/telemetry/tallies.ts'

const BOUNDS = [0.1, 1, 10]

describe('a counter tally', () => {
  it('is told by its labels, like any counter', async () => {
    const registry = new Registry()
    const tally = new CounterTally(registry, { name: 'things_total', help: 'Things' })
    tally.cell({ kind: 'a', state: 'x' }).count += 2
    tally.cell({ kind: 'b', state: 'x' }).count += 1
    tally.cell({ kind: 'a', state: 'x' }).count += 1
    expect(await registry.metrics()).toBe(
      [
        '# HELP things_total Things',
        '# TYPE things_total counter',
        'things_total{kind="a",state="x"} 3',
        'things_total{kind="b",state="x"} 1\n',
      ].join('\n'),
    )
  })

  it('forgets what it is told to forget', async () => {
    const registry = new Registry()
    const tally = new CounterTally(registry, { name: 'things_total', help: 'Things' })
    tally.cell({ kind: 'a', state: 'x' }).count += 1
    tally.cell({ kind: 'b', state: 'x' }).count += 1
    tally.forget('kind', 'a')
    const text = await registry.metrics()
    expect(text).not.toContain('kind="a"')
    expect(text).toContain('kind="b"')
  })

  it('keeps labels apart whose texts run together', () => {
    const tally = new CounterTally(new Registry(), { name: 'things_total', help: 'Things' })
    expect(tally.cell({ a: 'x","y', b: 'z' })).not.toBe(tally.cell({ a: 'x', b: 'y","z' }))
  })
})

describe('a histogram tally', () => {
  it('tells what a histogram of prom-client tells of the same values', async () => {
    const values = [0, 0.05, 0.1, 0.1001, 1, 5, 10, 11, 1_000]
    const theirs = new Registry()
    const histogram = new Histogram({
      name: 'took_seconds',
      help: 'Time',
      labelNames: ['kind'],
      buckets: BOUNDS,
      registers: [theirs],
    })
    const ours = new Registry()
    const tally = new HistogramTally(ours, { name: 'took_seconds', help: 'Time' }, BOUNDS)
    for (const value of values) {
      histogram.observe({ kind: 'a' }, value)
      tally.cell({ kind: 'a' }).observe(value)
    }
    expect(await ours.metrics()).toBe(await theirs.metrics())
  })
})

describe('tallies of several processes', () => {
  it('are added up', async () => {
    const all = await Promise.all(
      [1, 2].map(async (count) => {
        const registry = new Registry()
        const counter = new CounterTally(registry, { name: 'things_total', help: 'Things' })
        counter.cell({ kind: 'a' }).count += count
        const times = new HistogramTally(registry, { name: 'took', help: 'Time' }, BOUNDS)
        times.cell({ kind: 'a' }).observe(count)
        return registry.getMetricsAsJSON()
      }),
    )
    const text = await AggregatorRegistry.aggregate(all).metrics()
    expect(text).toContain('things_total{kind="a"} 3')
    expect(text).toContain('took_bucket{le="1",kind="a"} 1')
    expect(text).toContain('took_bucket{le="+Inf",kind="a"} 2')
    expect(text).toContain('took_sum{kind="a"} 3')
  })
})

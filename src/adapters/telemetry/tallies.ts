/**
 * Counters and histograms for what happens with every approval. prom-client makes a key of the labels each
 * time something is counted, and that key is most of what counting costs; here it is made once, by whoever
 * counts, who then holds the cell. prom-client writes the text and adds up several processes: a registry
 * asks a metric for nothing but its name and its values.
 */
import type { Counter, Registry } from 'prom-client'
import { getOrAdd } from '../../domain/maps.ts'

export type Labels = Readonly<Record<string, string>>

type Sample = {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

type Description = { readonly name: string; readonly help: string }

abstract class Tally<Cell> {
  readonly name: string
  readonly #help: string
  readonly #type: 'counter' | 'histogram'
  readonly #cells = new Map<string, { readonly labels: Labels; readonly cell: Cell }>()

  constructor(registry: Registry, { name, help }: Description, type: 'counter' | 'histogram') {
    this.name = name
    this.#help = help
    this.#type = type
    registry.registerMetric(this as unknown as Counter)
  }

  /** The cell of these labels, whose names and order are always the same for one tally. */
  cell(labels: Labels): Cell {
    const key = JSON.stringify(Object.values(labels))
    return getOrAdd(this.#cells, key, () => ({ labels, cell: this.newCell() })).cell
  }

  /** Forgets the cells with this label. */
  forget(label: string, value: string): void {
    for (const [key, { labels }] of this.#cells)
      if (labels[label] === value) this.#cells.delete(key)
  }

  get(): Promise<object> {
    const values = [...this.#cells.values()].flatMap(({ labels, cell }) =>
      this.samples(labels, cell),
    )
    const { name } = this
    return Promise.resolve({ name, help: this.#help, type: this.#type, aggregator: 'sum', values })
  }

  protected abstract newCell(): Cell
  protected abstract samples(labels: Labels, cell: Cell): readonly Sample[]
}

export type Count = { count: number }

export class CounterTally extends Tally<Count> {
  constructor(registry: Registry, description: Description) {
    super(registry, description, 'counter')
  }

  protected newCell(): Count {
    return { count: 0 }
  }

  protected samples(labels: Labels, { count }: Count): readonly Sample[] {
    return [{ labels, value: count }]
  }
}

/** How often a value fell into each bucket, and the sum of all values. */
export class Spread {
  readonly #bounds: readonly number[]
  /** One more than there are bounds: the last is for what is beyond. */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sum += value
  }
}

export class HistogramTally extends Tally<Spread> {
  readonly #bounds: readonly number[]

  constructor(registry: Registry, description: Description, bounds: readonly number[]) {
    super(registry, description, 'histogram')
    this.#bounds = bounds
  }

  protected newCell(): Spread {
    return new Spread(this.#bounds)
  }

  /** Buckets are told as Prometheus wants them: each with all that are below it. */
  protected samples(labels: Labels, { counts, sum }: Spread): readonly Sample[] {
    let below = 0
    const buckets = [...counts].map((count, index): Sample => {
      below += count
      const le = this.#bounds[index] ?? '+Inf'
      return { labels: { le, ...labels }, value: below, metricName: `${this.name}_bucket` }
    })
    return [
      ...buckets,
      { labels, value: sum, metricName: `${this.name}_sum` },
      { labels, value: below, metricName: `${this.name}_count` },
    ]
  }
}

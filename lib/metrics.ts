/**
 * The one way to count. Metrics live beside the code that they measure and are registered in the registry that is
 * passed in (one per program, so that tests do not share counters). `docs/metrics.md` lists every one; a test holds
 * the two together.
 *
 * prom-client keeps the registry and writes the text; the families are our own, because what runs once a query must not
 * hash its labels each time: `child(labels)` gives the series itself, to be held and counted up. A registry may have a
 * budget of series (`createRegistry`).
 */
import assert from 'node:assert'
import { createRequire } from 'node:module'
import type { Metric, Registry } from 'prom-client'
import { SeriesBudget } from './series-budget.ts'

export type { Registry } from 'prom-client'

type LabelValues<Label extends string> = Partial<Record<Label, string | number>>

interface FamilyConfig<Label extends string> {
  readonly name: string
  readonly help: string
  readonly labelNames?: readonly Label[]
  readonly registers: readonly Registry[]
  /** Called before the family is read, to bring it to the moment. */
  readonly collect?: () => void
}

/** A line of /metrics. */
interface Sample {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

interface Kept<Series> {
  readonly labels: Readonly<Record<string, string | number>>
  readonly series: Series
}

const budgets = new WeakMap<Registry, SeriesBudget>()
const unlimited = new SeriesBudget(Number.POSITIVE_INFINITY, () => {})

/** The value of every label of the series in which new label sets are counted once the budget is spent. */
const OTHER = 'other'

const noLabels = {}

/** What the families have in common: series by their labels, and their room in the budget. */
abstract class Family<Label extends string, Series> {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly Label[]
  abstract readonly type: 'counter' | 'gauge' | 'histogram'
  readonly #collect: (() => void) | undefined
  readonly #budget: SeriesBudget
  /** Lines of /metrics that one label set has. */
  readonly #lines: number
  readonly #make: () => Series
  readonly #kept = new Map<string, Kept<Series>>()
  readonly #other: Series | undefined

  constructor(config: FamilyConfig<Label>, make: () => Series, lines: number, otherIsShown: boolean) {
    const { name, help, labelNames = [], registers, collect } = config
    this.name = name
    this.help = help
    this.labelNames = labelNames
    this.#collect = collect
    this.#make = make
    this.#lines = lines
    const [registry] = registers
    this.#budget = (registry && budgets.get(registry)) ?? unlimited
    for (const each of registers) each.registerMetric(this as unknown as Metric)
    if (labelNames.length === 0) {
      this.#budget.reserve(lines)
      this.#keep('', {})
    } else if (this.#budget.limited) {
      this.#other = make()
      // With its line in the metric that tells of it.
      this.#budget.reserve(otherIsShown ? lines + 1 : 1)
    }
  }

  /** The series of `labels`, to be held where one query after the other counts in it; `remove` and `reset` end it. */
  child(labels: LabelValues<Label>): Series {
    let key = ''
    for (const name of this.labelNames) key += `${labels[name] ?? ''}\0`
    const kept = this.#kept.get(key)
    if (kept) return kept.series
    const given = labels as Readonly<Record<string, string | number>>
    for (const name of Object.keys(given))
      assert(this.labelNames.includes(name as Label), `${this.name} has no label ${name}`)
    if (!this.#budget.take(this.#lines, this.name)) return this.#other!
    return this.#keep(key, { ...given })
  }

  remove(labels: LabelValues<Label>): void {
    const key = this.labelNames.map(name => `${labels[name] ?? ''}\0`).join('')
    if (this.#kept.delete(key)) this.#budget.release(this.#lines)
  }

  /** Forgets all label sets. */
  reset(): void {
    this.#budget.release(this.#lines * this.#kept.size)
    this.#kept.clear()
    if (this.labelNames.length > 0) return
    this.#budget.reserve(this.#lines)
    this.#keep('', {})
  }

  /** For the registry. */
  async get() {
    this.#collect?.call(this)
    const { name, help, type } = this
    const values: Sample[] = []
    for (const { labels, series } of this.#kept.values()) this.sample(series, labels, values)
    if (this.#other)
      this.sampleOther(this.#other, Object.fromEntries(this.labelNames.map(label => [label, OTHER])), values)
    return { name, help, type, values, aggregator: 'sum' as const }
  }

  /** Adds the lines of a series. */
  protected abstract sample(series: Series, labels: Kept<Series>['labels'], samples: Sample[]): void
  /** Adds the lines of the series for what had no room, where it was used. */
  protected abstract sampleOther(series: Series, labels: Kept<Series>['labels'], samples: Sample[]): void

  #keep(key: string, labels: Kept<Series>['labels']): Series {
    const series = this.#make()
    this.#kept.set(key, { labels, series })
    return series
  }
}

export class CounterSeries {
  value = 0

  inc(by = 1): void {
    this.value += by
  }
}

export class Counter<Label extends string = string> extends Family<Label, CounterSeries> {
  readonly type = 'counter'

  constructor(config: FamilyConfig<Label>) {
    super(config, () => new CounterSeries(), 1, true)
  }

  inc(by?: number): void
  inc(labels: LabelValues<Label>, by?: number): void
  inc(first: LabelValues<Label> | number = 1, by = 1): void {
    if (typeof first === 'number') this.child(noLabels).inc(first)
    else this.child(first).inc(by)
  }

  protected sample({ value }: CounterSeries, labels: Sample['labels'], samples: Sample[]): void {
    samples.push({ labels, value })
  }

  protected sampleOther(series: CounterSeries, labels: Sample['labels'], samples: Sample[]): void {
    if (series.value > 0) this.sample(series, labels, samples)
  }
}

export class GaugeSeries {
  value = 0

  set(value: number): void {
    this.value = value
  }

  inc(by = 1): void {
    this.value += by
  }

  dec(by = 1): void {
    this.value -= by
  }
}

export class Gauge<Label extends string = string> extends Family<Label, GaugeSeries> {
  readonly type = 'gauge'

  constructor(config: FamilyConfig<Label>) {
    super(config, () => new GaugeSeries(), 1, false)
  }

  set(value: number): void
  set(labels: LabelValues<Label>, value: number): void
  set(first: LabelValues<Label> | number, value = 0): void {
    if (typeof first === 'number') this.child(noLabels).set(first)
    else this.child(first).set(value)
  }

  inc(by?: number): void
  inc(labels: LabelValues<Label>, by?: number): void
  inc(first: LabelValues<Label> | number = 1, by = 1): void {
    if (typeof first === 'number') this.child(noLabels).inc(first)
    else this.child(first).inc(by)
  }

  dec(by?: number): void
  dec(labels: LabelValues<Label>, by?: number): void
  dec(first: LabelValues<Label> | number = 1, by = 1): void {
    if (typeof first === 'number') this.child(noLabels).dec(first)
    else this.child(first).dec(by)
  }

  protected sample({ value }: GaugeSeries, labels: Sample['labels'], samples: Sample[]): void {
    samples.push({ labels, value })
  }

  /** A sum of what several things are at the moment says nothing of any of them. */
  protected sampleOther(): void {}
}

export class HistogramSeries {
  readonly #bounds: readonly number[]
  /** Observations by bucket, each counted once; the last: above all bounds. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number, times = 1): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    this.counts[bucket]! += times
    this.sum += value * times
  }
}

/** prom-client's own default: for requests between machines, in seconds. */
const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export class Histogram<Label extends string = string> extends Family<Label, HistogramSeries> {
  readonly type = 'histogram'
  readonly #bounds: readonly number[]

  constructor({
    buckets = DEFAULT_BUCKETS,
    ...config
  }: FamilyConfig<Label> & { readonly buckets?: readonly number[] }) {
    // A line for each bound, for all above, for sum and count.
    super(config, () => new HistogramSeries(buckets), buckets.length + 3, true)
    this.#bounds = buckets
  }

  observe(value: number): void
  observe(labels: LabelValues<Label>, value: number): void
  observe(first: LabelValues<Label> | number, value = 0): void {
    if (typeof first === 'number') this.child(noLabels).observe(first)
    else this.child(first).observe(value)
  }

  protected sample({ counts, sum }: HistogramSeries, labels: Sample['labels'], samples: Sample[]): void {
    let count = 0
    for (const [index, bound] of this.#bounds.entries()) {
      count += counts[index]!
      samples.push({ metricName: `${this.name}_bucket`, labels: { le: bound, ...labels }, value: count })
    }
    count += counts.at(-1)!
    samples.push({ metricName: `${this.name}_bucket`, labels: { le: '+Inf', ...labels }, value: count })
    samples.push({ metricName: `${this.name}_sum`, labels, value: sum })
    samples.push({ metricName: `${this.name}_count`, labels, value: count })
  }

  protected sampleOther(series: HistogramSeries, labels: Sample['labels'], samples: Sample[]): void {
    if (series.counts.some(count => count > 0)) this.sample(series, labels, samples)
  }
}

/** The package as a whole brings eighty files more, the API of OpenTelemetry among them, that nobody here asks for. */
const PromRegistry: typeof Registry = createRequire(import.meta.url)('prom-client/lib/registry')

/** prom-client's registry, told when it is read. */
class ToldRegistry extends PromRegistry {
  readonly readers: (() => void)[] = []

  override async metrics(): Promise<string> {
    for (const bringUpToDate of this.readers) bringUpToDate()
    return super.metrics()
  }
}

/** Has `task` bring counters to the moment before all of them are read. */
export const beforeReading = (registry: Registry, task: () => void): void => {
  if (registry instanceof ToldRegistry) registry.readers.push(task)
}

/** `maxSeries`: the most lines that /metrics may have; none: as many as there are. */
export const createRegistry = ({ maxSeries = Number.POSITIVE_INFINITY } = {}): Registry => {
  const registry = new ToldRegistry()
  if (maxSeries === Number.POSITIVE_INFINITY) return registry
  const overflow = new Counter({
    name: 'seamark_metrics_overflow_total',
    help: 'Times that a metric found no room for a new label set, by metric; it was counted with all labels `other`.',
    labelNames: ['metric'],
    registers: [registry],
  })
  const budget = new SeriesBudget(maxSeries, metric => overflow.inc({ metric }))
  budgets.set(registry, budget)
  return registry
}

/**
 * Bucket bounds that grow by `factor`: `count` of them from `start`. (CoreDNS: requests 0.00025 s × 2, 16 buckets.)
 */
export const exponentialBuckets = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => start * factor ** index)

/**
 * Metrics of plugins, as tables of data. A reload sets plugins up anew, and several blocks have the same plugin, so a
 * metric that the registry knows already is the same metric: counters never start over.
 */
import { Counter, Gauge, Histogram, type Registry } from '#lib/metrics.ts'

interface MetricBase {
  readonly name: string
  /** One line, for HELP and the docs. */
  readonly help: string
  readonly labels: readonly string[]
}

interface CounterDefinition extends MetricBase {
  readonly kind: 'counter'
}

interface GaugeDefinition extends MetricBase {
  readonly kind: 'gauge'
}

interface HistogramDefinition extends MetricBase {
  readonly kind: 'histogram'
  readonly buckets: readonly number[]
}

export type MetricDefinition = CounterDefinition | GaugeDefinition | HistogramDefinition
export type MetricTable = Readonly<Record<string, MetricDefinition>>

type MetricOf<Definition extends MetricDefinition> = Definition extends CounterDefinition
  ? Counter
  : Definition extends GaugeDefinition
    ? Gauge
    : Histogram

export type Metrics<Table extends MetricTable> = { readonly [Name in keyof Table]: MetricOf<Table[Name]> }

export const registerMetrics = <const Table extends MetricTable>(registry: Registry, table: Table): Metrics<Table> => {
  const metrics: Record<string, unknown> = {}
  for (const [key, definition] of Object.entries(table))
    metrics[key] = registry.getSingleMetric(definition.name) ?? register(registry, definition)
  return metrics as Metrics<Table>
}

const register = (registry: Registry, definition: MetricDefinition): Counter | Gauge | Histogram => {
  const { name, help, labels } = definition
  const base = { name, help, labelNames: [...labels], registers: [registry] }
  switch (definition.kind) {
    case 'counter':
      return new Counter(base)
    case 'gauge':
      return new Gauge(base)
    case 'histogram':
      return new Histogram({ ...base, buckets: [...definition.buckets] })
  }
}

/** Of the room itself; no plugin keeps it. */
export const panicMetrics = {
  panics: {
    kind: 'counter',
    name: 'coredns_panics_total',
    help: 'Queries whose handling failed by a bug; each was answered SERVFAIL.',
    labels: [],
  },
} as const satisfies MetricTable

export const reloadMetrics = {
  failed: {
    kind: 'counter',
    name: 'coredns_reload_failed_total',
    help: 'Corefiles that were not taken over because something is wrong with them.',
    labels: [],
  },
  version: {
    kind: 'gauge',
    name: 'coredns_reload_version_info',
    help: 'Always 1; `value` is the hash of the Corefile that is served, imports included.',
    labels: ['hash', 'value'],
  },
} as const satisfies MetricTable

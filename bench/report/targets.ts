/** What was promised for each workload, and where a run's figures say whether it was reached. */
import { FIGURES } from '../figures.ts'
import { type Cell, type Results, ratioOf, summaryOf } from './results.ts'
import type { Summary } from './statistics.ts'

/** `atMost` 0.95: reached by 0.95. `below` 1: not reached by 1. */
type Limit = { readonly atMost: number } | { readonly atLeast: number } | { readonly below: number }

export interface Target {
  /** The file of its note in docs/performance/notes/, for when it is missed. */
  readonly id: string
  readonly workload: string
  /** In words, without the number. */
  readonly wanted: string
  readonly limit: Limit
  /** `×` for a ratio. */
  readonly unit: '×' | 'ms' | 'MB' | 'kB' | 'a second'
  measure(results: Results): Summary | undefined
}

export type Verdict = 'reached' | 'missed' | 'not measured'

export const verdictOf = ({ limit }: Pick<Target, 'limit'>, reached: Summary | undefined): Verdict => {
  if (!reached) return 'not measured'
  const { median } = reached
  if ('atMost' in limit) return median <= limit.atMost ? 'reached' : 'missed'
  if ('atLeast' in limit) return median >= limit.atLeast ? 'reached' : 'missed'
  return median < limit.below ? 'reached' : 'missed'
}

/** Of one case: Seamark's figure against another server's. */
const against = (name: string, other: string, figure: string = FIGURES.processor, own = 'seamark') => {
  const cell = (subject: string): Cell => ({ case: name, subject, figure })
  return (results: Results) => ratioOf(results, cell(own), cell(other))
}

/** The processor time of a query of one case against that of our own hit. */
const againstHit = (name: string) => {
  const cell = (which: string): Cell => ({ case: which, subject: 'seamark', figure: FIGURES.processor })
  return (results: Results) => ratioOf(results, cell(name), cell('hits'))
}

const figureOf = (name: string, figure: string, subject?: string) => {
  const cell: Cell = { case: name, figure, ...(subject !== undefined && { subject }) }
  return (results: Results) => summaryOf(results, cell)
}

const ratioOfFigures = (name: string, subject: string, figure: string, to: string) => {
  const cell = (which: string): Cell => ({ case: name, subject, figure: which })
  return (results: Results) => ratioOf(results, cell(figure), cell(to))
}

const HITS = 'cluster hits, UDP, in batches'
const LARGE = '10,000 services, 100,000 endpoints'
const DENIALS = 'NXDOMAIN and empty answers'
const CHANGES = 'changes'
const API = 'API, 64 clients over TLS'
const WATCHERS = 'API, 1,000 watchers over TLS'

export const targets: readonly Target[] = [
  {
    id: 'hits-knot',
    workload: HITS,
    wanted: "processor time a query against Knot's",
    limit: { atMost: 0.95 },
    unit: '×',
    measure: against('hits', 'knot'),
  },
  {
    id: 'hits-floor',
    workload: HITS,
    wanted: "processor time a query against the C floor's",
    limit: { atMost: 1.3 },
    unit: '×',
    measure: against('hits', 'floor (C)'),
  },
  {
    id: 'hits-coredns',
    workload: HITS,
    wanted: "processor time a query against CoreDNS's",
    limit: { atMost: 0.2 },
    unit: '×',
    measure: against('hits', 'coredns'),
  },
  {
    id: 'hits-throughput',
    workload: HITS,
    wanted: "queries a second against Knot's",
    limit: { atLeast: 1.05 },
    unit: '×',
    measure: against('hits', 'knot', FIGURES.throughput),
  },
  {
    id: 'nxdomain',
    workload: DENIALS,
    wanted: 'processor time of a search candidate that was seen against our own hit',
    limit: { atMost: 1.1 },
    unit: '×',
    measure: againstHit('nxdomain'),
  },
  {
    id: 'nxdomain-new',
    workload: DENIALS,
    wanted: 'processor time of a search candidate that was never seen against our own hit',
    limit: { atMost: 1.1 },
    unit: '×',
    measure: againstHit('nxdomain-new'),
  },
  {
    id: 'empty-aaaa',
    workload: DENIALS,
    wanted: 'processor time of an empty AAAA against our own hit',
    limit: { atMost: 1.1 },
    unit: '×',
    measure: againstHit('empty-aaaa'),
  },
  {
    id: 'external-unbound',
    workload: 'cached external names',
    wanted: "processor time a query against unbound's",
    limit: { below: 1 },
    unit: '×',
    measure: against('external', 'unbound'),
  },
  {
    id: 'external-dnsmasq',
    workload: 'cached external names',
    wanted: "processor time a query against dnsmasq's",
    limit: { below: 1 },
    unit: '×',
    measure: against('external', 'dnsmasq'),
  },
  {
    id: 'dgram',
    workload: 'cluster hits, UDP, by node:dgram',
    wanted: 'processor time a query against a bare echo by node:dgram',
    limit: { atMost: 1.15 },
    unit: '×',
    measure: against('dgram', 'node:dgram echo', FIGURES.processor, 'seamark, dgram'),
  },
  {
    id: 'data-size',
    workload: 'cluster hits, size of the data',
    wanted: 'processor time a query with 10,000 services against 100',
    limit: { atMost: 1.15 },
    unit: '×',
    measure: against('data-size', '100 services', FIGURES.processor, '10000 services'),
  },
  {
    id: 'change',
    workload: CHANGES,
    wanted: "p99 from the API's answer to the first right DNS answer at 100 changes/s",
    limit: { below: 20 },
    unit: 'ms',
    measure: figureOf('change', 'p99, ms'),
  },
  {
    id: 'large-memory',
    workload: LARGE,
    wanted: 'memory that no file backs (RssAnon)',
    limit: { below: 120 },
    unit: 'MB',
    measure: figureOf('scale', 'RssAnon, MB', 'seamark'),
  },
  {
    id: 'large-memory-coredns',
    workload: LARGE,
    wanted: "resident memory against CoreDNS's",
    limit: { below: 0.6 },
    unit: '×',
    measure: against('scale', 'coredns', 'RSS, MB'),
  },
  {
    id: 'relist',
    workload: LARGE,
    wanted: 'peak of resident memory during a relist against steady',
    limit: { atMost: 1.3 },
    unit: '×',
    measure: ratioOfFigures('scale', 'seamark', 'peak of a relist, MB', 'RSS, MB'),
  },
  {
    id: 'large-start',
    workload: LARGE,
    wanted: 'from start to the first right answer',
    limit: { below: 1500 },
    unit: 'ms',
    measure: figureOf('scale', 'first right answer, ms', 'seamark'),
  },
  {
    id: 'saturation-latency',
    workload: 'external misses at 3 × capacity beside 10,000 hits/s',
    wanted: "the hits' p99 against unloaded",
    limit: { below: 2 },
    unit: '×',
    measure: ratioOfFigures('saturation', 'seamark', 'p99 beside µs', 'p99 alone µs'),
  },
  {
    id: 'saturation-memory',
    workload: 'external misses at 3 × capacity beside 10,000 hits/s',
    wanted: 'resident memory against unloaded',
    limit: { atMost: 1.1 },
    unit: '×',
    measure: ratioOfFigures('saturation', 'seamark', 'RSS beside MiB', 'RSS MiB'),
  },
  {
    id: 'store-etcd',
    workload: 'store, 64 clients',
    wanted: "durable puts a second against etcd's",
    limit: { atLeast: 2 },
    unit: '×',
    measure: against('store', 'etcd', 'puts/s, 64 clients'),
  },
  {
    id: 'creates',
    workload: API,
    wanted: 'creates of Pods',
    limit: { atLeast: 2_000 },
    unit: 'a second',
    measure: figureOf('apiserver', 'creates/s, HTTP/1.1'),
  },
  {
    id: 'list',
    workload: 'API, 10,000 Pods',
    wanted: 'a list of all as JSON, to its last byte',
    limit: { below: 150 },
    unit: 'ms',
    measure: figureOf('apiserver-lists', 'ms', 'JSON'),
  },
  {
    id: 'watchers-change',
    workload: WATCHERS,
    wanted: 'from a change to the last watcher',
    limit: { below: 100 },
    unit: 'ms',
    measure: figureOf('apiserver-watches', 'to the last watcher, ms'),
  },
  {
    id: 'watchers-memory',
    workload: WATCHERS,
    wanted: 'memory of an idle watcher',
    limit: { atMost: 150 },
    unit: 'kB',
    measure: figureOf('apiserver-watches', 'memory of an idle watcher, kB'),
  },
]

/** The plots of docs/performance.md: which figures of which cases stand side by side. */
import { FIGURES } from '../figures.ts'
import type { BarChart } from './bar-chart.ts'
import { type Results, summaryOf } from './results.ts'

interface Chart {
  /** Of its file in docs/performance/. */
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly figures: readonly { readonly figure: string; readonly label?: string }[]
  readonly cases: readonly { readonly name: string; readonly label: string }[]
}

const UDP = [
  { name: 'hits', label: 'names of services, A' },
  { name: 'nxdomain', label: 'search candidates, seen before' },
  { name: 'nxdomain-new', label: 'search candidates, never seen' },
  { name: 'empty-aaaa', label: 'names of services, AAAA (empty)' },
  { name: 'external', label: 'external names, cached' },
  { name: 'search-list', label: 'the questions of pods with ndots:5' },
]

const STREAMS = [
  { name: 'tcp', label: 'DNS over TCP' },
  { name: 'tls', label: 'DNS over TLS' },
  { name: 'https', label: 'DNS over HTTPS' },
]

const processor = [{ figure: FIGURES.processor }]

export const charts: readonly Chart[] = [
  {
    name: 'processor-time',
    title: 'Processor time a query, over UDP',
    unit: 'µs, less is better',
    figures: processor,
    cases: UDP,
  },
  {
    name: 'throughput',
    title: 'Queries a second, over UDP, one worker',
    unit: 'more is better',
    figures: [{ figure: FIGURES.throughput }],
    cases: UDP,
  },
  {
    name: 'latency',
    title: 'p99 at 10,000 questions a second, over UDP',
    unit: 'µs, less is better',
    figures: [{ figure: FIGURES.p99 }],
    cases: UDP,
  },
  {
    name: 'misses',
    title: 'Processor time a query: external names that nobody has asked for before',
    unit: 'µs, less is better',
    figures: processor,
    cases: [{ name: 'misses', label: 'each goes to an upstream on loopback' }],
  },
  {
    name: 'streams',
    title: 'Processor time a query, over connections: names of services, A',
    unit: 'µs, less is better',
    figures: processor,
    cases: STREAMS,
  },
  {
    name: 'data-size',
    title: 'Processor time a query, by the size of the cluster',
    unit: 'µs, less is better',
    figures: processor,
    cases: [{ name: 'data-size', label: 'names of services, A' }],
  },
  {
    name: 'memory',
    title: 'Memory by the size of the cluster, ten endpoints to a service',
    unit: 'MB, less is better',
    figures: [
      { figure: 'RSS, MB', label: 'resident' },
      { figure: 'RssAnon, MB', label: 'without files' },
    ],
    cases: [{ name: 'memory', label: 'Seamark, steady' }],
  },
]

/** Bars are subjects; where a chart has several figures, each subject is a group of them. */
export const drawn = (results: Results, { title, unit, figures, cases }: Chart): BarChart => {
  const groups = cases.flatMap(({ name, label }) => {
    const bars = Object.keys(results.cases[name] ?? {}).flatMap(subject =>
      figures.flatMap(({ figure, label: part }) => {
        const summary = summaryOf(results, { case: name, subject, figure })
        return summary ? [{ label: part ? `${subject}, ${part}` : subject, summary }] : []
      }),
    )
    return bars.length > 0 ? [{ label, bars }] : []
  })
  return { title, unit, groups }
}

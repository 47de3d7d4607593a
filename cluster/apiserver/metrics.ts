/** The apiserver's own counters, by the names that Kubernetes gives them. */
import { LRUCache } from 'lru-cache'
import { Counter, type CounterSeries, Gauge, Histogram, type HistogramSeries, type Registry } from '#lib/metrics.ts'

const REQUEST = ['verb', 'group', 'version', 'resource', 'subresource', 'scope'] as const
const RESOURCE = ['group', 'version', 'resource'] as const

/** Seconds, as kube-apiserver's. */
const DURATIONS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
/** Bytes, as kube-apiserver's. */
const SIZES = Array.from({ length: 8 }, (_, index) => 1024 * 2 ** index)

const createFamilies = (registry: Registry) => {
  const registers = [registry]
  return {
    requests: new Counter({
      name: 'apiserver_request_total',
      help: 'Requests by verb, resource and the code of their answer.',
      labelNames: [...REQUEST, 'dry_run', 'component', 'code'],
      registers,
    }),
    durations: new Histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time from a request to its answer, watches aside.',
      labelNames: [...REQUEST, 'dry_run', 'component'],
      buckets: DURATIONS,
      registers,
    }),
    longRunning: new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches that are open, and connections to extension servers.',
      labelNames: [...REQUEST, 'component'],
      registers,
    }),
    inFlight: new Gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests that are being answered, those aside that may take as long as they like.',
      labelNames: ['request_kind'],
      registers,
    }),
    terminations: new Counter({
      name: 'apiserver_request_terminations_total',
      help: 'Requests that were turned away because too many waited.',
      labelNames: [...REQUEST, 'component', 'code'],
      registers,
    }),
    watchEvents: new Counter({
      name: 'apiserver_watch_events_total',
      help: 'Events sent to watchers.',
      labelNames: RESOURCE,
      registers,
    }),
    watchEventSizes: new Histogram({
      name: 'apiserver_watch_events_sizes',
      help: 'Bytes of the events sent to watchers.',
      labelNames: RESOURCE,
      buckets: SIZES,
      registers,
    }),
  }
}

type Families = ReturnType<typeof createFamilies>
type RequestLabels = Readonly<Record<(typeof REQUEST)[number] | 'dry_run' | 'component', string>>

interface RequestSeries {
  /** Made with the first that is measured: watches are not. */
  duration: HistogramSeries | undefined
  readonly byCode: Map<number, CounterSeries>
}

/** Some ten verbs on each of a hundred resources, in a few scopes. */
const REMEMBERED = 4096

/** Counts answers without a look at each label of each: their series are held. */
class AnswerCounts {
  readonly #families: Pick<Families, 'requests' | 'durations'>
  readonly #series = new LRUCache<string, RequestSeries>({ max: REMEMBERED })

  constructor(families: Pick<Families, 'requests' | 'durations'>) {
    this.#families = families
  }

  /** `seconds`: undefined for a watch, whose length says nothing. */
  add(labels: RequestLabels, code: number, seconds: number | undefined): void {
    const series = this.#seriesOf(labels)
    const counter = series.byCode.get(code) ?? this.#families.requests.child({ ...labels, code })
    series.byCode.set(code, counter)
    counter.inc()
    if (seconds === undefined) return
    series.duration ??= this.#families.durations.child(labels)
    series.duration.observe(seconds)
  }

  #seriesOf(labels: RequestLabels): RequestSeries {
    const { verb, group, version, resource, subresource, scope, dry_run } = labels
    const key = `${verb}\0${group}\0${version}\0${resource}\0${subresource}\0${scope}\0${dry_run}`
    const known = this.#series.get(key)
    if (known) return known
    const made: RequestSeries = { duration: undefined, byCode: new Map() }
    this.#series.set(key, made)
    return made
  }
}

export type ApiserverMetrics = ReturnType<typeof createApiserverMetrics>

export const createApiserverMetrics = (registry: Registry) => {
  const families = createFamilies(registry)
  const { inFlight } = families
  return {
    ...families,
    answers: new AnswerCounts(families),
    inFlight: {
      readOnly: inFlight.child({ request_kind: 'readOnly' }),
      mutating: inFlight.child({ request_kind: 'mutating' }),
    },
  }
}

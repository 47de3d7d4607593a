/** The apiserver's own counters, by the names that Kubernetes gives them. */
import { Counter, Gauge, Histogram, type Registry } from '#lib/metrics.ts'

const REQUEST = ['verb', 'group', 'version', 'resource', 'subresource', 'scope'] as const
const RESOURCE = ['group', 'version', 'resource'] as const

/** Seconds, as kube-apiserver's. */
const DURATIONS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60]
/** Bytes, as kube-apiserver's. */
const SIZES = Array.from({ length: 8 }, (_, index) => 1024 * 2 ** index)

export type ApiserverMetrics = ReturnType<typeof createApiserverMetrics>

export const createApiserverMetrics = (registry: Registry) => {
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
      help: 'Watches that are open.',
      labelNames: [...REQUEST, 'component'],
      registers,
    }),
    inFlight: new Gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests that are being answered, watches aside.',
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

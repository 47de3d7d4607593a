import { Counter, type CounterSeries, Gauge, type GaugeSeries, type Registry } from '#lib/metrics.ts'
import type { Resource } from './resource.ts'

export interface InformerMetrics {
  change(type: 'added' | 'modified' | 'deleted', size: number): void
  list(way: 'stream' | 'pages'): void
  failure(): void
  listenerError(): void
}

/** The metrics of one informer; all informers of a registry share them, told apart by `resource`. */
export const informerMetrics = (registry: Registry, { resource }: Resource): InformerMetrics => {
  const { objects, changes, lists, failures, errors } = families(registry)
  // Held: a start tells of 20,000 objects. Made when they come, so that what never does has no line.
  let held: GaugeSeries | undefined
  const counted = new Map<string, CounterSeries>()
  return {
    change(type, size) {
      held ??= objects.child({ resource })
      held.set(size)
      let count = counted.get(type)
      if (!count) counted.set(type, (count = changes.child({ resource, type })))
      count.inc()
    },
    list: way => lists.inc({ resource, way }),
    failure: () => failures.inc({ resource }),
    listenerError: () => errors.inc({ resource }),
  }
}

interface Families {
  readonly objects: Gauge<'resource'>
  readonly changes: Counter<'resource' | 'type'>
  readonly lists: Counter<'resource' | 'way'>
  readonly failures: Counter<'resource'>
  readonly errors: Counter<'resource'>
}

const made = new WeakMap<Registry, Families>()

const families = (registry: Registry): Families => {
  const known = made.get(registry)
  if (known) return known
  const registers = [registry]
  const fresh: Families = {
    objects: new Gauge({
      name: 'seamark_watcher_objects',
      help: 'Objects held in memory, by resource.',
      labelNames: ['resource'],
      registers,
    }),
    changes: new Counter({
      name: 'seamark_watcher_changes_total',
      help: 'Changes told to listeners, by resource and type (added, modified, deleted).',
      labelNames: ['resource', 'type'],
      registers,
    }),
    lists: new Counter({
      name: 'seamark_watcher_lists_total',
      help: 'Whole lists, by resource and way (stream, pages). More than one a resource: the watch could not resume.',
      labelNames: ['resource', 'way'],
      registers,
    }),
    failures: new Counter({
      name: 'seamark_watcher_failures_total',
      help: 'Lists and watches that failed and were tried again after a wait, by resource.',
      labelNames: ['resource'],
      registers,
    }),
    errors: new Counter({
      name: 'seamark_watcher_listener_errors_total',
      help: 'Errors thrown by views and listeners, by resource.',
      labelNames: ['resource'],
      registers,
    }),
  }
  made.set(registry, fresh)
  return fresh
}

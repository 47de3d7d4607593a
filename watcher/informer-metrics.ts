import { Counter, Gauge, type Registry } from '#lib/metrics.ts'
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
  return {
    change(type, size) {
      objects.set({ resource }, size)
      changes.inc({ resource, type })
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

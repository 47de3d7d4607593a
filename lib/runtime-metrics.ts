/**
 * What a program tells of Node itself when it is asked to: collections of garbage, the spaces of the heap, how busy the
 * event loop is, what keeps it alive. By the names that Prometheus's client for Node uses; of the main thread.
 */
import { constants, type PerformanceEntry, PerformanceObserver, performance } from 'node:perf_hooks'
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import { Gauge, Histogram, type Registry } from './metrics.ts'

const COLLECTIONS = 'nodejs_gc_duration_seconds'

/** Seconds; prom-client's, and one below: most collections of young objects take less than a millisecond. */
const collectionBuckets = [0.0001, 0.001, 0.01, 0.1, 1, 2, 5]

const kinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/** Once for a registry, however often it is called; there is no way back. */
export const collectRuntimeMetrics = (registry: Registry): void => {
  if (registry.getSingleMetric(COLLECTIONS)) return
  const registers = [registry]
  observeCollections(registers)
  const total: Gauge = new Gauge({
    name: 'nodejs_heap_size_total_bytes',
    help: 'Memory that the heap has taken, in use or not (`runtime_metrics`).',
    registers,
    collect: () => total.set(getHeapStatistics().total_heap_size),
  })
  const spaceUsed: Gauge = new Gauge({
    name: 'nodejs_heap_space_size_used_bytes',
    help: 'Objects in a space of the heap (`runtime_metrics`).',
    labelNames: ['space'],
    registers,
    collect() {
      for (const { space_name: name, space_used_size: size } of getHeapSpaceStatistics())
        spaceUsed.set({ space: spaceOf(name) }, size)
    },
  })
  const spaceTotal: Gauge = new Gauge({
    name: 'nodejs_heap_space_size_total_bytes',
    help: 'Memory that a space of the heap has taken (`runtime_metrics`).',
    labelNames: ['space'],
    registers,
    collect() {
      for (const { space_name: name, space_size: size } of getHeapSpaceStatistics())
        spaceTotal.set({ space: spaceOf(name) }, size)
    },
  })
  let before = performance.eventLoopUtilization()
  const utilization: Gauge = new Gauge({
    name: 'nodejs_eventloop_utilization',
    help: 'Share of the time since the last look in which the event loop was busy (`runtime_metrics`).',
    registers,
    collect() {
      const now = performance.eventLoopUtilization()
      utilization.set(performance.eventLoopUtilization(now, before).utilization)
      before = now
    },
  })
  countResources(registers)
}

/** An entry of type `gc`. */
interface GarbageCollection extends PerformanceEntry {
  readonly detail: { readonly kind: number }
}

const observeCollections = (registers: readonly Registry[]): void => {
  const collections = new Histogram({
    name: COLLECTIONS,
    help: 'Pauses of garbage collection by kind: major, minor, incremental, weakcb (`runtime_metrics`).',
    labelNames: ['kind'],
    buckets: collectionBuckets,
    registers,
  })
  const observer = new PerformanceObserver(list => {
    for (const { duration, detail } of list.getEntries() as GarbageCollection[]) {
      collections.observe({ kind: kinds[detail.kind] ?? 'other' }, duration / 1000)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
}

const countResources = (registers: readonly Registry[]): void => {
  const resources: Gauge = new Gauge({
    name: 'nodejs_active_resources',
    help: 'What keeps the event loop alive, by type (`runtime_metrics`).',
    labelNames: ['type'],
    registers,
    collect() {
      resources.reset()
      for (const type of process.getActiveResourcesInfo()) resources.inc({ type })
    },
  })
}

/** `new_large_object_space` → `new_large_object`. */
const spaceOf = (name: string): string => name.replace(/_space$/, '')

/** What every backend counts about itself. */
import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from '#lib/metrics.ts'

export interface StoreMetrics {
  readonly commitDuration: Histogram
  readonly groupSize: Histogram
  readonly revision: Gauge
  readonly failures: Counter
}

export const createStoreMetrics = (registry: Registry): StoreMetrics => {
  const registers = [registry]
  return {
    commitDuration: new Histogram({
      name: 'seamark_store_commit_duration_seconds',
      help: 'Time to make one group of writes durable.',
      // 0.1 ms (a device with a protected cache) to 1.6 s (a disk in trouble).
      buckets: exponentialBuckets(0.000_1, 2, 15),
      registers,
    }),
    groupSize: new Histogram({
      name: 'seamark_store_group_size',
      help: 'Writes that shared one commit.',
      buckets: exponentialBuckets(1, 2, 10),
      registers,
    }),
    revision: new Gauge({ name: 'seamark_store_revision', help: 'The last revision.', registers }),
    failures: new Counter({
      name: 'seamark_store_failures_total',
      help: 'Requests and upkeep that failed because of the disk or the file.',
      registers,
    }),
  }
}

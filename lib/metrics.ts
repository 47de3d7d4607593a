/**
 * The one way to count. Metrics live beside the code that they measure and are registered in the registry that is
 * passed in (one per program, so that tests do not share counters). `docs/metrics.md` lists every one; a test holds
 * the two together.
 */
import { Registry } from 'prom-client'

export { Counter, Gauge, Histogram, Registry } from 'prom-client'

export const createRegistry = (): Registry => new Registry()

/**
 * Bucket bounds that grow by `factor`: `count` of them from `start`. (CoreDNS: requests 0.00025 s × 2, 16 buckets.)
 */
export const exponentialBuckets = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => start * factor ** index)

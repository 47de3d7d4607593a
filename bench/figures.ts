/** Names of the figures that cases write and the page reads. */
export const FIGURES = {
  /** By the system's account of the whole process tree. */
  processor: 'CPU µs/query',
  throughput: 'queries/s',
  p50: 'p50 µs',
  p99: 'p99 µs',
  p999: 'p99.9 µs',
  /** Questions a second at which the latencies were measured. */
  rate: 'asked/s for latency',
  resident: 'RSS MiB',
  anonymous: 'RssAnon MiB',
} as const

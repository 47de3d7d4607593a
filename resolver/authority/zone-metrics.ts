/** Metrics of the plugins that hold zones; the same ones, whatever the zones come from. */
import type { Metrics, MetricTable } from '../metrics.ts'

export const zoneMetrics = {
  serial: {
    kind: 'gauge',
    name: 'seamark_zone_serial',
    help: 'SOA serial of a zone that is served from a file or a transfer.',
    labels: ['zone'],
  },
  failures: {
    kind: 'counter',
    name: 'seamark_zone_failures_total',
    help: 'Zone files and transfers that could not be taken over; the data from before is kept.',
    labels: ['zone'],
  },
} as const satisfies MetricTable

export type ZoneMetrics = Metrics<typeof zoneMetrics>

/** `seamark_data_age_seconds`: how old the clusters may be that answers are made from. */
import type { Milliseconds } from '#lib/clock.ts'
import { Gauge, type Registry } from '#lib/metrics.ts'

export const dataAgeMetric = {
  kind: 'gauge',
  name: 'seamark_data_age_seconds',
  help: 'How long ago the cluster is known to have been as answers say; +Inf before anything is known of it.',
  labels: [],
} as const

interface Aging {
  /** Undefined: there is nothing yet. */
  dataAge(): Milliseconds | undefined
}

const listed = new WeakMap<Registry, Set<Aging>>()

/**
 * Has the metric tell of it, too, until the returned function is called. One metric a registry: the oldest counts. It is
 * brought to the moment when it is read, so it must be here before a table registers it.
 */
export const listForAge = (registry: Registry, aging: Aging): (() => void) => {
  const all = listed.get(registry) ?? register(registry)
  all.add(aging)
  return () => void all.delete(aging)
}

const register = (registry: Registry): Set<Aging> => {
  const all = new Set<Aging>()
  listed.set(registry, all)
  new Gauge({
    name: dataAgeMetric.name,
    help: dataAgeMetric.help,
    registers: [registry],
    collect(this: Gauge) {
      const ages = [...all].map(aging => aging.dataAge() ?? Number.POSITIVE_INFINITY)
      this.set(Math.max(0, ...ages) / 1000)
    },
  })
  return all
}

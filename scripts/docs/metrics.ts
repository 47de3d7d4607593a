/** The page of all metrics, made from the registries that the programs fill. */
import { AdmissionMetrics } from '#cluster/apiserver/admission-metrics.ts'
import { createApiserverMetrics } from '#cluster/apiserver/metrics.ts'
import { createStoreMetrics } from '#cluster/store/metrics.ts'
import { systemClock } from '#lib/clock.ts'
import { LineWriter } from '#lib/line-writer.ts'
import { MemoryKeeper } from '#lib/memory-keeper.ts'
import { createRegistry, type Registry } from '#lib/metrics.ts'
import { collectProcessMetrics } from '#lib/process-metrics.ts'
import { collectRuntimeMetrics } from '#lib/runtime-metrics.ts'
import { observerMetrics } from '#resolver/insight/observer.ts'
import { panicMetrics, registerMetrics } from '#resolver/metrics.ts'
import { loadPlugins, pluginNames } from '#resolver/plugins/index.ts'
import { unroutedMetrics } from '#resolver/unrouted.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { informerMetrics } from '#watcher/informer-metrics.ts'
import { requestMetrics } from '#watcher/request-observer.ts'

const plugins = await loadPlugins(pluginNames)

const registryOf = (fill: (registry: Registry) => unknown, limits: { maxSeries?: number } = {}): Registry => {
  const registry = createRegistry(limits)
  fill(registry)
  return registry
}

/** `seamark dns`: what its /metrics shows. */
export const dnsRegistry = (): Registry =>
  registryOf(
    registry => {
      collectProcessMetrics(registry)
      collectRuntimeMetrics(registry)
      new LineWriter({ descriptor: 1, clock: systemClock, registry })
      const memory = { resident: () => 0, collect() {} }
      new MemoryKeeper({ clock: systemClock, registry, memory, limit: undefined })
      registerMetrics(registry, observerMetrics)
      registerMetrics(registry, panicMetrics)
      registerMetrics(registry, unroutedMetrics)
      for (const { metrics } of plugins.values()) if (metrics) registerMetrics(registry, metrics)
      new ServerMetrics(registry)
      informerMetrics(registry, { group: '', version: 'v1', resource: 'services' })
      requestMetrics(registry, 'coredns_kubernetes_rest_client')
      // The budget brings a metric of its own.
    },
    { maxSeries: 1e6 },
  )

const controlPlaneRegistry = (): Registry =>
  registryOf(registry => {
    createApiserverMetrics(registry)
    new AdmissionMetrics(registry)
    createStoreMetrics(registry)
    informerMetrics(registry, { group: '', version: 'v1', resource: 'namespaces' })
  })

interface Described {
  readonly name: string
  readonly help: string
  readonly labelNames?: readonly string[]
}

const table = (registry: Registry): string =>
  (registry.getMetricsAsArray() as unknown as Described[])
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(
      ({ name, help, labelNames = [] }) =>
        `| \`${name}\` | ${labelNames.map(label => `\`${label}\``).join(' ')} | ${help} |`,
    )
    .join('\n')

export const metricsPage = (): string => `# Metrics

Names that begin with \`coredns_\` are CoreDNS's, with its labels and buckets, so that its dashboards and alerts work as they
are. What CoreDNS does not have is \`seamark_*\`.

## The DNS server (\`:9153/metrics\`)

| metric | labels | what it counts |
|---|---|---|
${table(dnsRegistry())}

## The control plane (\`/metrics\` of the apiserver; needs a client certificate)

| metric | labels | what it counts |
|---|---|---|
${table(controlPlaneRegistry())}
`

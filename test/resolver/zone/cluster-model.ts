/** Random small clusters, and which names they have, worked out the slow and obvious way. */
import fc from 'fast-check'
import { unpackEndpoints } from '#watcher/packed-endpoints.ts'
import type { ServiceView } from '#watcher/views/service.ts'
import type { Manifest, StaticCluster } from '../../support/static-cluster.ts'

const NAMESPACES = ['red', 'blue'] as const
const SERVICES = ['alpha', 'beta', 'gamma'] as const
const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.1.1', '10.9.0.1', 'fd00::1', 'fd00::2:0:0:1', 'fd00:9::'] as const

const metadata = (name: string, namespace?: string, labels?: Record<string, string>) => ({
  name,
  ...(namespace !== undefined && { namespace }),
  ...(labels && { labels }),
})

const portName = fc.constantFrom('', 'http', 'dns')
const protocol = fc.constantFrom('TCP', 'UDP')
const ports = fc.array(fc.record({ name: portName, protocol, port: fc.integer({ min: 1, max: 4 }) }), {
  minLength: 1,
  maxLength: 3,
})

const spec = fc.oneof(
  fc.record({
    type: fc.constantFrom('ClusterIP', 'NodePort'),
    clusterIPs: fc.uniqueArray(fc.constantFrom(...ADDRESSES), { minLength: 1, maxLength: 2 }),
    ports,
  }),
  fc.record({ clusterIPs: fc.constant(['None']), ports }),
  fc.record({ type: fc.constant('ExternalName'), externalName: fc.constantFrom('x.example', '192.0.2.1') }),
)

const endpoint = fc.record({
  addresses: fc.uniqueArray(fc.constantFrom(...ADDRESSES), { minLength: 1, maxLength: 2 }),
  hostname: fc.constantFrom('', 'h-0', 'h-1'),
  conditions: fc.record({ ready: fc.constantFrom(true, true, true, false) }),
})

const namespaceManifest = fc.constantFrom(...NAMESPACES).map(name => ({ kind: 'Namespace', metadata: metadata(name) }))

const serviceManifest = fc
  .record({ namespace: fc.constantFrom(...NAMESPACES), name: fc.constantFrom(...SERVICES), spec })
  .map(service => ({ kind: 'Service', metadata: metadata(service.name, service.namespace), spec: service.spec }))

const sliceManifest = fc
  .record({
    namespace: fc.constantFrom(...NAMESPACES),
    name: fc.constantFrom('slice-1', 'slice-2', 'slice-3'),
    service: fc.constantFrom('', ...SERVICES),
    endpoints: fc.array(endpoint, { minLength: 1, maxLength: 3 }),
    ports,
  })
  .map(slice => ({
    kind: 'EndpointSlice',
    metadata: metadata(slice.name, slice.namespace, { 'kubernetes.io/service-name': slice.service }),
    addressType: 'IPv4',
    endpoints: slice.endpoints,
    ports: slice.ports,
  }))

const podManifest = fc
  .record({
    namespace: fc.constantFrom(...NAMESPACES),
    name: fc.constantFrom('p', 'q'),
    ip: fc.constantFrom(...ADDRESSES),
  })
  .map(pod => ({
    kind: 'Pod',
    metadata: metadata(pod.name, pod.namespace),
    status: { phase: 'Running', podIP: pod.ip },
  }))

const manifest = fc.oneof(
  namespaceManifest,
  serviceManifest,
  serviceManifest,
  sliceManifest,
  sliceManifest,
  podManifest,
)

const change = fc.record({ remove: fc.integer({ min: 0, max: 5 }).map(number => number === 0), manifest })

/** Changes to a cluster: `remove` takes the object of that kind and name away, if it is there. */
export const changes = fc
  .record({
    first: fc.subarray(
      NAMESPACES.map(name => ({ remove: false, manifest: { kind: 'Namespace', metadata: metadata(name) } })),
      { minLength: 1 },
    ),
    others: fc.array(change, { minLength: 12, maxLength: 30 }),
  })
  .map(({ first, others }) => [...first, ...others])

export interface ClusterChange {
  readonly remove: boolean
  readonly manifest: Manifest
}

export const applyChange = (cluster: StaticCluster, { remove, manifest: object }: ClusterChange): void => {
  if (remove) cluster.remove(object)
  else cluster.apply(object)
}

const dashed = (address: string): string => {
  const label = address.replaceAll(/[.:]/g, '-')
  return label.endsWith('-') ? `${label}0` : label
}

const expand = (address: string): string => {
  const [left = '', right] = address.split('::')
  const head = left.split(':').filter(group => group !== '')
  const tail = (right ?? '').split(':').filter(group => group !== '')
  const zeros = right === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return [...head, ...zeros, ...tail].map(group => group.padStart(4, '0')).join('')
}

export const reverseName = (address: string): string =>
  address.includes(':')
    ? `${[...expand(address)].reverse().join('.')}.ip6.arpa.`
    : `${address.split('.').reverse().join('.')}.in-addr.arpa.`

interface NamedEndpoint {
  readonly name: string
  readonly address: string
  readonly ports: readonly { readonly name: string; readonly protocol: string }[]
}

const readyEndpoints = (cluster: StaticCluster, namespace: string, service: string): NamedEndpoint[] =>
  [...cluster.endpointSlices.entries()]
    .map(([, slice]) => slice)
    .filter(slice => slice.namespace === namespace && slice.serviceName === service)
    .flatMap(slice =>
      [...unpackEndpoints(slice.endpoints)]
        .filter(({ ready }) => ready)
        .flatMap(({ addresses, hostname }) =>
          addresses.map(address => ({ name: hostname || dashed(address), address, ports: slice.ports })),
        ),
    )

const ZONE = 'cluster.local.'
const APEXES = [ZONE, 'in-addr.arpa.', 'ip6.arpa.'] as const

const podNames = (cluster: StaticCluster, namespace: string): string[] =>
  [...cluster.pods.snapshot()]
    .filter(([podNamespace]) => podNamespace === namespace)
    .flatMap(([, , addresses]) => addresses.map(address => `${dashed(address)}.${namespace}.pod.${ZONE}`))

const serviceNames = (cluster: StaticCluster, service: ServiceView): string[] => {
  const own = `${service.name}.${service.namespace}.svc.${ZONE}`
  if (service.type === 'ExternalName') return service.externalName === 'x.example' ? [own] : []
  const endpoints = readyEndpoints(cluster, service.namespace, service.name)
  if (service.headless && endpoints.length === 0) return []
  const ports = service.headless ? endpoints.flatMap(endpoint => endpoint.ports) : service.ports
  return [
    own,
    ...service.clusterIPs.map(reverseName),
    ...endpoints.flatMap(({ name, address }) => [`${name}.${own}`, reverseName(address)]),
    ...ports.filter(({ name }) => name !== '').map(({ name, protocol }) => `_${name}._${protocol}.${own}`),
  ]
}

/** Every name that owns records, and the fixed ones that do not, in the zones of `ZONES`. */
const owners = (cluster: StaticCluster): string[] => [
  ...APEXES,
  ...APEXES.map(apex => `ns.dns.${apex}`),
  ...[`dns-version.${ZONE}`, `svc.${ZONE}`, `pod.${ZONE}`],
  ...[...cluster.namespaces.entries()].flatMap(([namespace]) => [
    `${namespace}.svc.${ZONE}`,
    `${namespace}.pod.${ZONE}`,
    ...podNames(cluster, namespace),
  ]),
  ...[...cluster.services.entries()]
    .filter(([, service]) => cluster.namespaces.get(service.namespace))
    .flatMap(([, service]) => serviceNames(cluster, service)),
]

/** The owners and all names between them and their zone's apex (RFC 8020). */
export const existing = (cluster: StaticCluster): Set<string> => {
  const names = new Set<string>()
  for (const owner of owners(cluster)) {
    for (let name = owner; name.length >= 'ip6.arpa.'.length; name = name.slice(name.indexOf('.') + 1)) {
      names.add(name)
      if (APEXES.some(apex => apex === name)) break
    }
  }
  return names
}

/** Names near those that exist: they themselves, one label more, one label changed. */
export const probes = (names: ReadonlySet<string>): Set<string> => {
  const all = new Set(names)
  for (const name of names) {
    for (const label of ['x', '_tcp', '_http', '0', 'h-1']) all.add(`${label}.${name}`)
    const rest = name.slice(name.indexOf('.') + 1)
    if (rest !== 'local.' && rest !== 'arpa.') all.add(`x.${rest}`).add(`1.${rest}`).add(`_zone.${rest}`)
  }
  for (const service of SERVICES)
    for (const namespace of NAMESPACES) all.add(`${service}.${namespace}.svc.cluster.local.`)
  for (const address of ADDRESSES) all.add(reverseName(address))
  return all
}

/**
 * The zone with 10,000 services and 100,000 endpoints: microseconds for an answer (found, chosen and made into records,
 * without the wire), and what the cluster costs in memory: the informers' views, and the index over them.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { recordTypes } from '#resolver/wire/codes.ts'
import { packEndpoints, unpackEndpoints } from '#watcher/packed-endpoints.ts'
import { type Manifest, StaticCluster } from '../../test/support/static-cluster.ts'
import { TestZone, zoneQuery } from '../../test/support/zone.ts'

const NAMESPACES = 100
const SERVICES_EACH = 100
const ENDPOINTS_EACH = 10
const MEBIBYTE = 1024 * 1024
const Z = 'cluster.local.'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const heap = (): number => {
  collect()
  return process.memoryUsage().heapUsed / MEBIBYTE
}

const address = (network: number, index: number): string =>
  `10.${network + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`

const ports = [{ name: 'http', port: 8080, protocol: 'TCP' }]

/** Every tenth service is headless. As an apiserver's JSON gives them: no strings shared between objects. */
function* manifests(): Generator<Manifest> {
  for (let namespace = 0; namespace < NAMESPACES; namespace++) {
    yield { kind: 'Namespace', metadata: { name: `team-${namespace}` } }
    for (let index = 0; index < SERVICES_EACH; index++) {
      const number = namespace * SERVICES_EACH + index
      const metadata = { namespace: `team-${namespace}`, name: `service-${index}`, resourceVersion: String(number) }
      const clusterIPs = [index % 10 === 0 ? 'None' : address(96, number)]
      yield parsed({ kind: 'Service', metadata, spec: { type: 'ClusterIP', clusterIPs, ports } })
      const endpoints = Array.from({ length: ENDPOINTS_EACH }, (_, endpoint) => ({
        addresses: [address(128, number * ENDPOINTS_EACH + endpoint)],
        conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: 'Pod', name: `service-${index}-${endpoint}` },
        zone: `zone-${endpoint % 3}`,
      }))
      const labels = { 'kubernetes.io/service-name': metadata.name }
      const slice = { ...metadata, name: `${metadata.name}-x7k2p`, labels }
      yield parsed({ kind: 'EndpointSlice', metadata: slice, addressType: 'IPv4', endpoints, ports })
    }
  }
}

const parsed = (manifest: Manifest): Manifest => JSON.parse(JSON.stringify(manifest)) as Manifest

const microseconds = (count: number, act: (turn: number) => void): number => {
  for (let turn = 0; turn < count / 10; turn++) act(turn)
  const start = performance.now()
  for (let turn = 0; turn < count; turn++) act(turn)
  return ((performance.now() - start) * 1000) / count
}

/** Questions of clients without EDNS, as libc asks them; made before the clock runs. */
const answering = (zone: TestZone, type: keyof typeof recordTypes, nameOf: (turn: number) => string): number => {
  const queries = Array.from({ length: 1000 }, (_, turn) => ({
    ...zoneQuery(nameOf(turn), recordTypes[type]),
    edns: undefined,
  }))
  return microseconds(20_000, turn => zone.answerQuery(queries[turn % 1000]!))
}

const team = (turn: number): string => `team-${turn % NAMESPACES}.svc.${Z}`
const plain = (turn: number): string => `service-${1 + (turn % 9)}`

/** Before the first round: later ones find the rest of the one before, until the collector comes to it. */
const empty = heap()

const run = async (): Promise<Record<string, number>> => {
  const cluster = new StaticCluster()
  for (const manifest of manifests()) cluster.apply(manifest)
  const views = heap()
  const started = performance.now()
  const zone = new TestZone(cluster)
  const indexing = performance.now() - started
  const index = heap()
  return {
    'views, MiB': views - empty,
    'index, MiB': index - views,
    'indexing all, ms': indexing,
    'A of a service, µs': answering(zone, 'A', turn => `${plain(turn)}.${team(turn)}`),
    'A of a headless service, µs': answering(zone, 'A', turn => `service-10.${team(turn)}`),
    'SRV of a headless service, µs': answering(zone, 'SRV', turn => `_http._tcp.service-10.${team(turn)}`),
    'NXDOMAIN, µs': answering(zone, 'A', turn => `www.example.com.${team(turn)}`),
    'PTR of an endpoint, µs': answering(zone, 'PTR', turn => `${turn & 255}.0.128.10.in-addr.arpa.`),
    'a slice changes, µs': microseconds(5000, turn => {
      const key = `team-${turn % NAMESPACES}/service-1-x7k2p`
      const slice = cluster.endpointSlices.get(key)!
      const [first, ...others] = unpackEndpoints(slice.endpoints)
      const endpoints = packEndpoints([{ ...first!, ready: !first!.ready }, ...others])
      cluster.endpointSlices.put(key, { ...slice, endpoints })
    }),
  }
}

export default { name: 'zone', run }

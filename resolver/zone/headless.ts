/** Names of endpoints below their service, and those of a topology zone's endpoints. */
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { recordTypes } from '../wire/codes.ts'
import { joinName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import type { Endpoint } from './endpoints.ts'
import type { FoundService } from './found-service.ts'
import type { ServiceRequest } from './names.ts'
import { EMPTY_NODE, type Lookup, missing, type Node, noForm } from './node.ts'
import {
  addressRecords,
  isTooLong,
  matchPorts,
  type PortFilter,
  type SrvTuple,
  serviceName,
  srvRecords,
} from './service-records.ts'
import type { Zone } from './settings.ts'

type EndpointRequest = Extract<ServiceRequest, { at: 'endpoint' | 'cluster-endpoint' }>
type TopologyRequest = Extract<ServiceRequest, { at: 'topology' | 'topology-zone' }>

export const findEndpoint = (lookup: Lookup, found: FoundService, request: EndpointRequest): Node => {
  const { index, zone } = lookup
  const { namespace, name } = found.entry
  const none = missing(() => `service "${namespace}/${name}" has no ready endpoint of this name`)
  if (zone.kind === 'clusterset') return findClusterEndpoint(lookup, found, request) ?? none
  if (request.at === 'cluster-endpoint') return none
  const named = index.endpoints(found.entry).named(request.endpoint)
  return named.length > 0 ? endpointNode(lookup, found, named) : none
}

/**
 * KEP-1645: endpoints of a headless import carry their cluster's name, since two clusters may use one hostname; imports
 * with an address of their own have no names per cluster.
 */
const findClusterEndpoint = (lookup: Lookup, found: FoundService, request: EndpointRequest): Node | undefined => {
  if (found.form !== 'headless') return undefined
  if (request.at === 'endpoint') {
    const isCluster = found.endpoints().some(({ slice }) => slice.sourceCluster === request.endpoint)
    return isCluster ? EMPTY_NODE : undefined
  }
  const named = lookup.index.endpoints(found.entry).named(request.endpoint)
  const ofCluster = named.filter(({ slice }) => slice.sourceCluster === request.cluster)
  return ofCluster.length > 0 ? endpointNode(lookup, found, ofCluster) : undefined
}

export const endpointNode = (lookup: Lookup, found: FoundService, endpoints: readonly Endpoint[]): Node => ({
  kind: 'present',
  growing: true,
  records: type => {
    if (type === recordTypes.SRV) return srvRecords(lookup, endpointTuples(lookup, found, endpoints))
    if (type !== recordTypes.A && type !== recordTypes.AAAA) return undefined
    return addressRecords(lookup, lookup.owner, type, keysOf(endpoints))
  },
  reason: () => {
    const { namespace, name } = found.entry
    return endpoints.length > 0
      ? `the endpoint of service "${namespace}/${name}" has no record of this type`
      : `service "${namespace}/${name}" has no ready endpoint in this topology zone`
  },
})

function* keysOf(endpoints: readonly Endpoint[]): Generator<string> {
  for (const { key } of endpoints) yield key
}

/** The port stands in the endpoint's slice: slices of one service may differ (a named targetPort). */
export const endpointTuples = (
  lookup: Lookup,
  { entry }: FoundService,
  endpoints: readonly Endpoint[],
  filter?: PortFilter,
): SrvTuple[] => {
  const parent = serviceName(entry, lookup.zoneText)
  return endpoints.flatMap(({ name, key, slice }) => {
    const labels = endpointLabels(lookup.zone, name, slice)
    const target = labels && joinName(labels, parent)
    if (target === undefined || isTooLong(target)) return []
    return matchPorts(slice.ports, filter).map(({ port }) => ({ target, port, key }))
  })
}

/** Below the service's name; undefined: it has no name, since nobody says in which cluster of the set it is. */
export const endpointLabels = (
  zone: Pick<Zone, 'kind'>,
  name: string,
  { sourceCluster }: EndpointSliceView,
): readonly string[] | undefined => {
  if (zone.kind !== 'clusterset') return [name]
  return sourceCluster === '' ? undefined : [name, sourceCluster]
}

/** The whole name of an endpoint, in its service's zone. */
export const endpointFullName = (name: string, service: { namespace: string; name: string }, zone: DnsName): DnsName =>
  joinName([name], serviceName(service, zone))

/** The same of an endpoint that a cluster of the cluster set exports (KEP-1645 §2.4); undefined: it has none. */
export const importedEndpointName = (name: string, slice: EndpointSliceView, zone: Zone): DnsName | undefined => {
  const { namespace, importedService } = slice
  const labels = endpointLabels(zone, name, slice)
  return labels && joinName(labels, serviceName({ namespace, name: importedService }, zone.name))
}

/** The `zonal` option: any topology zone has a name below a headless service; `prefer` takes all where it has none. */
export const findTopologyZone = (lookup: Lookup, found: FoundService, request: TopologyRequest): Node => {
  if (!lookup.settings.zonal || found.form !== 'headless' || lookup.zone.kind !== 'cluster') return missing(noForm)
  if (request.at === 'topology') return EMPTY_NODE
  const inZone = found.endpoints().filter(({ topologyZone }) => topologyZone === request.zone)
  return endpointNode(lookup, found, inZone.length === 0 && request.policy === 'prefer' ? found.endpoints() : inZone)
}

/** Services: their own name and those of their ports (Kubernetes DNS specification 1.1 §2.3, §2.4; KEP-1645). */
import type { ServicePortView } from '#watcher/service-port.ts'
import type { ServiceView } from '#watcher/views/service.ts'
import { recordTypes } from '../wire/codes.ts'
import { type AddressKey, addressKeys } from './address.ts'
import { hasReadyAddress } from './endpoints.ts'
import type { FoundService } from './found-service.ts'
import { endpointTuples, findEndpoint, findTopologyZone } from './headless.ts'
import type { ServiceRequest } from './names.ts'
import { EMPTY_NODE, type Lookup, missing, type Node, noForm, type Reason } from './node.ts'
import { externalTarget, type ServiceEntry } from './service-entry.ts'
import {
  addressRecords,
  hasProtocol,
  matchPorts,
  type PortFilter,
  type SrvTuple,
  serviceName,
  srvRecords,
} from './service-records.ts'

export const findService = (lookup: Lookup, request: ServiceRequest): Node => {
  const node = findExisting(lookup, request)
  return node.kind === 'missing' && isImpossible(lookup, request) ? { ...node, impossible: true } : node
}

/** Most of what search lists make of names with three labels and more. */
const isImpossible = ({ settings, zone }: Lookup, { at }: ServiceRequest): boolean =>
  at === 'deeper' ||
  (at === 'cluster-endpoint' && zone.kind !== 'clusterset') ||
  ((at === 'topology' || at === 'topology-zone') && !(settings.zonal && zone.kind === 'cluster'))

const findExisting = (lookup: Lookup, request: ServiceRequest): Node => {
  const { index, settings, zone } = lookup
  const { namespace, service: name } = request
  if (!index.hasNamespace(namespace)) return missing(() => `namespace "${namespace}" does not exist, or is not served`)
  const isImport = zone.kind === 'clusterset'
  const entry = isImport ? index.importedService(namespace, name) : index.service(namespace, name)
  const service = entry?.service
  if (!entry || !service) return missing(() => `namespace "${namespace}" has no service of this name`)
  const form = entry.form(settings.ignoreEmptyService)
  if (form === 'absent') return missing(absenceReason(service))
  if (form === 'external-name') {
    const target = externalTarget(service)
    return request.at === 'service' && target !== undefined ? { kind: 'alias', target } : missing(noneBelow)
  }
  return findBelow(lookup, request, { entry, service, form, endpoints: () => index.endpoints(entry).all })
}

const noneBelow = () => 'the service is an ExternalName: it has no names below it'

const absenceReason =
  ({ namespace, name, type, headless, clusterIPs, externalName }: ServiceView): Reason =>
  () => {
    const who = `service "${namespace}/${name}" exists`
    if (type === 'ExternalName') return `${who}, but its externalName "${externalName}" is no domain name`
    return headless || clusterIPs.length > 0
      ? `${who}, but none of its endpoints is ready`
      : `${who}, but has no cluster IP yet`
  }

const findBelow = (lookup: Lookup, request: ServiceRequest, found: FoundService): Node => {
  switch (request.at) {
    case 'service':
      return serviceNode(lookup, found)
    case 'protocol':
      return portsOf(found).some(ports => hasProtocol(ports, request.protocol))
        ? EMPTY_NODE
        : missing(() => `the service has no port for ${request.protocol}`)
    case 'port':
      return portNode(lookup, found, request)
    case 'endpoint':
    case 'cluster-endpoint':
      return findEndpoint(lookup, found, request)
    case 'deeper':
      return missing(noForm)
    case 'topology':
    case 'topology-zone':
      return findTopologyZone(lookup, found, request)
  }
}

/** The ports that names below the service are made of: the service's own, or those of each slice. */
export const portsOf = ({ entry, service, form }: FoundService): (readonly ServicePortView[])[] =>
  form === 'headless' ? readySlicePorts(entry) : [service.ports]

const readySlicePorts = ({ slices }: ServiceEntry): (readonly ServicePortView[])[] =>
  slices.filter(hasReadyAddress).map(({ ports }) => ports)

const ownAddresses = ({ service, form, endpoints }: FoundService): readonly AddressKey[] =>
  form === 'headless' ? endpoints().map(({ key }) => key) : addressKeys(service.clusterIPs)

export const serviceNode = (lookup: Lookup, found: FoundService): Node => ({
  kind: 'present',
  ...(found.form === 'headless' && { growing: true }),
  records: type => {
    if (type === recordTypes.SRV) return srvRecords(lookup, srvTuples(lookup, found))
    if (type !== recordTypes.A && type !== recordTypes.AAAA) return undefined
    return addressRecords(lookup, lookup.owner, type, ownAddresses(found))
  },
  reason: () => `service "${found.entry.namespace}/${found.entry.name}" exists, but has no record of this type`,
})

const portReason: Reason = () => 'names of ports have SRV records alone'

export const portNode = (lookup: Lookup, found: FoundService, request: PortFilter): Node => {
  if (!portsOf(found).some(ports => matchPorts(ports, request).length > 0)) {
    const { namespace, name } = found.entry
    return missing(() => `service "${namespace}/${name}" has no port named "${request.port}" for ${request.protocol}`)
  }
  return {
    kind: 'present',
    records: type => (type === recordTypes.SRV ? srvRecords(lookup, srvTuples(lookup, found, request)) : undefined),
    reason: portReason,
  }
}

const srvTuples = (lookup: Lookup, found: FoundService, filter?: PortFilter): SrvTuple[] => {
  if (found.form === 'headless') return endpointTuples(lookup, found, found.endpoints(), filter)
  const target = serviceName(found.entry, lookup.zoneText)
  const keys = ownAddresses(found)
  return matchPorts(found.service.ports, filter).flatMap(({ port }) => keys.map(key => ({ target, port, key })))
}

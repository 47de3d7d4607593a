/** From a name of an external zone to its node: `<service>.<namespace>.<zone>`, without a `svc` in between. */
import { recordTypes } from '../wire/codes.ts'
import { joinName, ROOT, splitLabels } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { type AddressKey, addressKeys } from './address.ts'
import { makeSoa, ownServices } from './apex.ts'
import type { ClusterIndex } from './cluster-index.ts'
import { type ExternalService, externalService } from './external-service.ts'
import { parseReverse, parseService, type ServiceRequest } from './names.ts'
import { EMPTY_NODE, makeRecord, missing, type Node, noForm, type Owner } from './node.ts'
import {
  addressRecords,
  hasProtocol,
  isTooLong,
  matchPorts,
  type PortFilter,
  type SrvTuple,
  srvRecords,
} from './service-records.ts'
import { isReverseName } from './settings.ts'

export interface ExternalSettings {
  readonly zones: readonly DnsName[]
  /** The first zone that is not a reverse one: where PTR records point to. */
  readonly primaryZone: DnsName
  /** The label of the zone's own names. */
  readonly apex: string
  /** Seconds. */
  readonly ttl: number
  /** Whether endpoints of headless services are external. */
  readonly headless: boolean
}

export interface ExternalLookup extends Owner {
  readonly index: ClusterIndex
  readonly settings: ExternalSettings
  /** Canonical. */
  readonly zone: DnsName
  /** As it was spelled. */
  readonly zoneText: DnsName
  readonly localAddresses: () => readonly string[]
}

export const externalSoa = ({ index, settings, zoneText }: ExternalLookup): ResourceRecord =>
  makeSoa(zoneText, {
    mname: joinName(['ns1', settings.apex], zoneText),
    rname: joinName(['hostmaster', settings.apex], zoneText),
    serial: index.serial,
    ttl: settings.ttl,
  })

export const findExternal = (lookup: ExternalLookup, canonicalName: DnsName): Node => {
  const { zone, settings, index } = lookup
  if (canonicalName === zone) return externalApexNode(lookup)
  const labels = splitLabels(zone === ROOT ? canonicalName : canonicalName.slice(0, -zone.length))
  if (labels.at(-1) === settings.apex) return findServerName(lookup, labels)
  if (isReverseName(canonicalName)) return findReverse(lookup, canonicalName)
  const request = parseService(labels)
  if (request.at === 'namespace') {
    const { namespace } = request
    return index.hasNamespace(namespace) ? EMPTY_NODE : missing(() => `namespace "${namespace}" does not exist`)
  }
  return 'service' in request ? findBelow(lookup, request) : missing(noForm)
}

export const externalApexNode = (lookup: ExternalLookup): Node => ({
  kind: 'present',
  records: type => {
    if (type === recordTypes.SOA) return { answers: [externalSoa(lookup)] }
    if (type !== recordTypes.NS) return undefined
    const { zoneText, settings } = lookup
    const name = joinName(['ns1', settings.apex], zoneText)
    const glue = [recordTypes.A, recordTypes.AAAA].flatMap(
      family => addressRecords(lookup, name, family, serverKeys(lookup))?.answers ?? [],
    )
    return { answers: [makeRecord(zoneText, type, settings.ttl, nameData.encode(name))], additional: glue }
  },
})

/** `dns.<zone>`, and below it the name server alone. */
const findServerName = (lookup: ExternalLookup, labels: readonly string[]): Node => {
  if (labels.length === 1) return EMPTY_NODE
  if (labels.length > 2 || labels[0] !== 'ns1') return missing(noForm)
  return {
    kind: 'present',
    records: type =>
      type === recordTypes.A || type === recordTypes.AAAA
        ? addressRecords(lookup, lookup.owner, type, serverKeys(lookup))
        : undefined,
  }
}

/** Addresses that this DNS service itself has outside of the cluster; where it is no service's, the machine's own. */
const serverKeys = (lookup: ExternalLookup): readonly AddressKey[] => {
  const { index, settings, localAddresses } = lookup
  const own = ownServices(lookup)
  if (own.length > 0) return own.flatMap(entry => externalService(index, entry, settings.headless)?.keys ?? [])
  return addressKeys(localAddresses())
}

const findBelow = (lookup: ExternalLookup, request: ServiceRequest): Node => {
  const { index, settings } = lookup
  const { namespace, service } = request
  const found = externalService(index, index.service(namespace, service), settings.headless)
  if (!found) return missing(() => `namespace "${namespace}" has no service "${service}" with an external address`)
  switch (request.at) {
    case 'service':
      return externalServiceNode(lookup, found)
    case 'protocol':
      return hasProtocol(externalPorts(found), request.protocol)
        ? EMPTY_NODE
        : missing(() => `the service has no port for ${request.protocol}`)
    case 'port':
      return externalPortNode(lookup, found, request)
    case 'endpoint':
      return externalEndpointNode(lookup, found, request.endpoint)
    default:
      return missing(noForm)
  }
}

export const externalName = ({ zoneText }: ExternalLookup, { entry }: ExternalService): DnsName =>
  joinName([entry.name, entry.namespace], zoneText)

/**
 * RFC 2181 §10.1: a name with a CNAME has nothing else. So a load balancer's name is an alias only where the service has
 * no address, and of several names the first is it; SRV records of its ports have them all.
 */
export const externalServiceNode = (lookup: ExternalLookup, found: ExternalService): Node => {
  const [target] = found.hostnames
  if (target !== undefined && found.keys.length === 0) return { kind: 'alias', target }
  return {
    kind: 'present',
    ...(found.endpoints.length > 0 && { growing: true }),
    records: type => {
      if (type === recordTypes.SRV) return srvRecords(lookup, srvTuples(lookup, found))
      return type === recordTypes.A || type === recordTypes.AAAA
        ? addressRecords(lookup, lookup.owner, type, found.keys)
        : undefined
    },
    reason: () => `${externalName(lookup, found)} exists, but has no record of this type`,
  }
}

export const externalPortNode = (lookup: ExternalLookup, found: ExternalService, filter: PortFilter): Node => {
  const tuples = srvTuples(lookup, found, filter)
  if (tuples.length === 0) {
    const { namespace, name } = found.entry
    return missing(() => `service "${namespace}/${name}" has no port named "${filter.port}" for ${filter.protocol}`)
  }
  return { kind: 'present', records: type => (type === recordTypes.SRV ? srvRecords(lookup, tuples) : undefined) }
}

export const externalEndpointNode = (lookup: ExternalLookup, found: ExternalService, name: string): Node => {
  const named = found.endpoints.filter(endpoint => endpoint.name === name)
  if (named.length === 0) return missing(() => 'no ready endpoint of a headless service has this name')
  const keys = named.map(({ key }) => key)
  const tuples = srvTuples(lookup, { ...found, endpoints: named })
  return {
    kind: 'present',
    growing: true,
    records: type => {
      if (type === recordTypes.SRV) return srvRecords(lookup, tuples)
      return type === recordTypes.A || type === recordTypes.AAAA
        ? addressRecords(lookup, lookup.owner, type, keys)
        : undefined
    },
  }
}

export const externalPorts = ({ entry, endpoints }: ExternalService) =>
  endpoints.length > 0 ? endpoints.flatMap(({ slice }) => slice.ports) : (entry.service?.ports ?? [])

const srvTuples = (lookup: ExternalLookup, found: ExternalService, filter?: PortFilter): SrvTuple[] => {
  const { endpoints, keys, hostnames, entry } = found
  const name = externalName(lookup, found)
  if (endpoints.length > 0) {
    return endpoints.flatMap(({ name: label, key, slice }) => {
      const target = joinName([label], name)
      if (isTooLong(target)) return []
      return matchPorts(slice.ports, filter).map(({ port }) => ({ target, port, key }))
    })
  }
  return matchPorts(entry.service?.ports ?? [], filter).flatMap(({ port }) => [
    ...keys.map(key => ({ target: name, port, key })),
    ...hostnames.map(target => ({ target, port, key: undefined })),
  ])
}

const findReverse = (lookup: ExternalLookup, canonicalName: DnsName): Node => {
  const { index, owner, settings } = lookup
  const request = parseReverse(canonicalName)
  if (request.at === 'addresses') {
    const below = index.externals.hasBelow(request.prefix)
    return below || (settings.headless && index.reverse.hasBelow(request.prefix)) ? EMPTY_NODE : missing()
  }
  const targets = request.at === 'address' ? externalReverseTargets(lookup, request.key) : []
  if (targets.length === 0) return missing(() => 'no service has this address outside of the cluster')
  return {
    kind: 'present',
    records: type =>
      type === recordTypes.PTR
        ? { answers: targets.map(target => makeRecord(owner, type, settings.ttl, nameData.encode(target))) }
        : undefined,
  }
}

/** A service's own address first; with `headless` the endpoints that have it. */
export const externalReverseTargets = ({ index, settings }: ExternalLookup, key: AddressKey): readonly DnsName[] => {
  const { primaryZone, headless } = settings
  const services = index.externals
    .services(key)
    .filter(entry => externalService(index, entry, headless)?.keys.includes(key))
  if (services.length > 0 || !headless)
    return services.map(entry => joinName([entry.name, entry.namespace], primaryZone))
  const names = index.servicesAt(key).flatMap(entry => {
    if (!index.hasNamespace(entry.namespace)) return []
    const endpoints = externalService(index, entry, headless)?.endpoints ?? []
    const own = endpoints.filter(endpoint => endpoint.key === key)
    return own.map(({ name }) => joinName([name, entry.name, entry.namespace], primaryZone))
  })
  return [...new Set(names)].filter(name => !isTooLong(name))
}

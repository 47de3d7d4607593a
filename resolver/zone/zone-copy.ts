/**
 * A whole zone, for a secondary (RFC 5936): what it holds of services, as questions get it.
 *
 * Promised: records are made by what answers questions, so that a secondary says the same; all of one moment, however
 * long the client takes, since what they are made of is set aside at once and made one after the other.
 * Left out, as in CoreDNS: pods, topology zones, endpoints of services that have a cluster IP, `dns-version`.
 */
import type { ZoneCopy } from '../plugin.ts'
import { recordTypes } from '../wire/codes.ts'
import { isSubdomain, joinName, parentName } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { type AddressKey, reverseName } from './address.ts'
import { apexNode, soaRecord } from './apex.ts'
import type { ClusterZones } from './cluster-zones.ts'
import { type Endpoint, EndpointSet } from './endpoints.ts'
import type { FoundService } from './found-service.ts'
import { endpointLabels, endpointNode } from './headless.ts'
import { type Lookup, makeRecord, type Node } from './node.ts'
import { type AddressOwners, ownersOf, reverseTargets } from './reverse.ts'
import { portNode, portsOf, serviceNode } from './service.ts'
import { externalTarget, type ServiceEntry } from './service-entry.ts'
import { isTooLong, serviceName } from './service-records.ts'

/** `name` is a zone's own, canonical; undefined: there is no such zone here. */
export const copyZone = (zones: ClusterZones, name: DnsName): ZoneCopy | undefined => {
  const zone = zones.findZone(name)
  if (zone?.name !== name) return undefined
  const lookup = zones.lookup(name, zone)
  if (!lookup.index.synced) return { soa: undefined, records: [] }
  const soa = soaRecord(lookup)
  return { soa, records: zone.kind === 'reverse' ? reverseRecords(lookup) : forwardRecords(lookup) }
}

export const FAMILIES = [recordTypes.A, recordTypes.AAAA]

export const recordsOf = (node: Node, types: readonly number[]): readonly ResourceRecord[] =>
  node.kind === 'present' ? types.flatMap(type => node.records?.(type)?.answers ?? []) : []

/** NS, and the glue that nothing else in the zone holds. */
const apexRecords = (lookup: Lookup, isHeld: (owner: DnsName) => boolean): readonly ResourceRecord[] => {
  const node = apexNode(lookup)
  const set = node.kind === 'present' ? node.records?.(recordTypes.NS) : undefined
  const glue = (set?.additional ?? []).filter(({ name }) => isSubdomain(name, lookup.zone.name) && !isHeld(name))
  return [...(set?.answers ?? []), ...glue]
}

const forwardRecords = (lookup: Lookup): Iterable<ResourceRecord> => {
  const { index, zone } = lookup
  const entries = index.snapshot(zone.kind === 'clusterset' ? 'imports' : 'services')
  const owners = new Set(entries.map(entry => serviceName(entry, zone.name)))
  const isHeld = (owner: DnsName) => owners.has(owner) || owners.has(parentName(owner) ?? '')
  const apex = apexRecords(lookup, isHeld)
  return (function* () {
    yield* apex
    for (const entry of entries) yield* serviceRecords({ ...lookup, owner: serviceName(entry, zone.name) }, entry)
  })()
}

function* serviceRecords(lookup: Lookup, entry: ServiceEntry): Generator<ResourceRecord, void> {
  const { settings, owner } = lookup
  const form = entry.form(settings.ignoreEmptyService)
  const { service } = entry
  if (form === 'absent' || !service) return
  if (form === 'external-name') {
    yield makeRecord(owner, recordTypes.CNAME, settings.ttl, nameData.encode(externalTarget(service)!))
    return
  }
  const { all } = new EndpointSet(entry.slices, settings.endpointPodNames)
  const found: FoundService = { entry, service, form, endpoints: () => all }
  yield* recordsOf(serviceNode(lookup, found), [...FAMILIES, recordTypes.SRV])
  yield* portRecords(lookup, found)
  if (form === 'headless') yield* endpointRecords(lookup, found, all)
}

function* portRecords(lookup: Lookup, found: FoundService): Generator<ResourceRecord, void> {
  const seen = new Set<DnsName>()
  for (const { name: port, protocol } of portsOf(found).flat()) {
    const owner = joinName([`_${port}`, `_${protocol}`], lookup.owner)
    if (port === '' || isTooLong(owner) || seen.has(owner)) continue
    seen.add(owner)
    yield* recordsOf(portNode({ ...lookup, owner }, found, { port, protocol }), [recordTypes.SRV])
  }
}

function* endpointRecords(
  lookup: Lookup,
  found: FoundService,
  endpoints: readonly Endpoint[],
): Generator<ResourceRecord, void> {
  const named = Map.groupBy(endpoints, ({ name, slice }) => {
    const labels = endpointLabels(lookup.zone, name, slice)
    return labels && joinName(labels, lookup.owner)
  })
  for (const [owner, members] of named) {
    if (owner !== undefined && !isTooLong(owner))
      yield* recordsOf(endpointNode({ ...lookup, owner }, found, members), [...FAMILIES, recordTypes.SRV])
  }
}

const reverseRecords = (lookup: Lookup): Iterable<ResourceRecord> => {
  const { index, settings, zone } = lookup
  const keys = new Set([...index.reverse.keys(), ...index.importedReverse.keys()])
  const held: (readonly [DnsName, AddressKey, AddressOwners])[] = []
  for (const key of keys) {
    const owner = reverseName(key)
    if (!isSubdomain(owner, zone.name)) continue
    const { services, slices, imports, importedSlices } = ownersOf(lookup, key)
    held.push([owner, key, { services: [...services], slices, imports: [...imports], importedSlices }])
  }
  const apex = apexRecords(lookup, () => false)
  return (function* () {
    yield* apex
    for (const [owner, key, owners] of held) {
      for (const target of reverseTargets(settings, key, owners))
        yield makeRecord(owner, recordTypes.PTR, settings.ttl, nameData.encode(target))
    }
  })()
}

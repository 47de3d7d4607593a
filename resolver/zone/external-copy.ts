/**
 * A whole zone of `k8s_external`, for a secondary (RFC 5936): what questions get, all of one moment, as `zone-copy.ts` has
 * it for the cluster's own zones. A load balancer that is known by name alone is its CNAME.
 */
import type { ZoneCopy } from '../plugin.ts'
import { recordTypes } from '../wire/codes.ts'
import { isSubdomain, joinName } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { reverseName } from './address.ts'
import type { ClusterZones } from './cluster-zones.ts'
import { EndpointSet } from './endpoints.ts'
import {
  type ExternalLookup,
  type ExternalSettings,
  externalApexNode,
  externalEndpointNode,
  externalName,
  externalPortNode,
  externalPorts,
  externalReverseTargets,
  externalServiceNode,
  externalSoa,
} from './external-node.ts'
import { type ExternalService, externalService } from './external-service.ts'
import { makeRecord } from './node.ts'
import { isTooLong } from './service-records.ts'
import { isReverseName } from './settings.ts'
import { FAMILIES, recordsOf } from './zone-copy.ts'

/** `zone` is one of the directive's, canonical. */
export const copyExternalZone = (cluster: ClusterZones, settings: ExternalSettings, zone: DnsName): ZoneCopy => {
  const { index, localAddresses } = cluster.options
  if (!index.synced) return { soa: undefined, records: [] }
  const lookup: ExternalLookup = { index, localAddresses, settings, zone, zoneText: zone, owner: zone }
  const apex = apexRecords(lookup)
  const records = isReverseName(zone)
    ? reverseRecords(lookup)
    : forwardRecords(lookup, cluster.options.settings.endpointPodNames)
  return { soa: externalSoa(lookup), records: concatenated(apex, records) }
}

function* concatenated(...lists: readonly Iterable<ResourceRecord>[]): Generator<ResourceRecord, void> {
  for (const list of lists) yield* list
}

const apexRecords = (lookup: ExternalLookup): readonly ResourceRecord[] => {
  const node = externalApexNode(lookup)
  const set = node.kind === 'present' ? node.records?.(recordTypes.NS) : undefined
  return [...(set?.answers ?? []), ...(set?.additional ?? [])]
}

const forwardRecords = (lookup: ExternalLookup, podNames: boolean): Iterable<ResourceRecord> => {
  const { headless, apex } = lookup.settings
  // A namespace of the name of the zone's own label is hidden by it.
  const entries = lookup.index.snapshot('services').filter(({ namespace }) => namespace !== apex)
  return (function* () {
    for (const entry of entries) {
      const found = externalService({ endpoints: each => new EndpointSet(each.slices, podNames) }, entry, headless)
      if (found) yield* serviceRecords({ ...lookup, owner: externalName(lookup, found) }, found)
    }
  })()
}

function* serviceRecords(lookup: ExternalLookup, found: ExternalService): Generator<ResourceRecord, void> {
  const { owner, settings } = lookup
  const node = externalServiceNode(lookup, found)
  if (node.kind === 'alias') yield makeRecord(owner, recordTypes.CNAME, settings.ttl, nameData.encode(node.target))
  else yield* recordsOf(node, [...FAMILIES, recordTypes.SRV])
  const seen = new Set<DnsName>()
  for (const { name: port, protocol } of externalPorts(found)) {
    const portOwner = joinName([`_${port}`, `_${protocol}`], owner)
    if (port === '' || isTooLong(portOwner) || seen.has(portOwner)) continue
    seen.add(portOwner)
    yield* recordsOf(externalPortNode({ ...lookup, owner: portOwner }, found, { port, protocol }), [recordTypes.SRV])
  }
  for (const name of new Set(found.endpoints.map(endpoint => endpoint.name))) {
    const endpointOwner = joinName([name], owner)
    if (isTooLong(endpointOwner)) continue
    yield* recordsOf(externalEndpointNode({ ...lookup, owner: endpointOwner }, found, name), [
      ...FAMILIES,
      recordTypes.SRV,
    ])
  }
}

const reverseRecords = (lookup: ExternalLookup): readonly ResourceRecord[] => {
  const { index, settings, zone } = lookup
  const keys = new Set([...index.externals.keys(), ...(settings.headless ? index.reverse.keys() : [])])
  return [...keys].flatMap(key => {
    const owner = reverseName(key)
    if (!isSubdomain(owner, zone)) return []
    const targets = externalReverseTargets(lookup, key)
    return targets.map(target => makeRecord(owner, recordTypes.PTR, settings.ttl, nameData.encode(target)))
  })
}

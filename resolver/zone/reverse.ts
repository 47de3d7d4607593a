/** PTR: from addresses back to names (Kubernetes DNS specification 1.1 §2.3.3, §2.4.3; KEP-1645's §2.3.3, §2.4.3). */
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { recordTypes } from '../wire/codes.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'
import type { AddressKey } from './address.ts'
import { endpointName, visitReady } from './endpoints.ts'
import { endpointFullName, importedEndpointName } from './headless.ts'
import { EMPTY_NODE, type Lookup, makeRecord, missing, type Node } from './node.ts'
import type { ServiceEntry } from './service-entry.ts'
import { isTooLong, serviceName } from './service-records.ts'
import type { ZoneSettings } from './settings.ts'

export const findAddress = (lookup: Lookup, key: AddressKey): Node => {
  const targets = reverseTargets(lookup.settings, key, ownersOf(lookup, key))
  if (targets.size === 0) return missing(() => 'no service and no ready endpoint has this address')
  return {
    kind: 'present',
    records: type => {
      if (type !== recordTypes.PTR) return undefined
      const { owner, settings } = lookup
      const answers = [...targets].map(target => makeRecord(owner, type, settings.ttl, nameData.encode(target)))
      return { answers }
    },
  }
}

/** A first part of addresses exists while an address with a name lies below it (RFC 8020). */
export const findAddresses = ({ index }: Lookup, prefix: string): Node =>
  index.reverse.hasBelow(prefix) || index.importedReverse.hasBelow(prefix)
    ? EMPTY_NODE
    : missing(() => 'no service has an address that begins so')

/** Who has an address. */
export interface AddressOwners {
  readonly services: readonly ServiceEntry[]
  readonly slices: readonly EndpointSliceView[]
  readonly imports: readonly ServiceEntry[]
  readonly importedSlices: readonly EndpointSliceView[]
}

export const ownersOf = ({ index }: Pick<Lookup, 'index'>, key: AddressKey): AddressOwners => ({
  services: index.reverse.services(key),
  slices: index.reverse.endpointOwners(key).flatMap(entry => entry.slicesWith(key)),
  imports: index.importedReverse.services(key),
  importedSlices: index.importedReverse.endpointOwners(key).flatMap(entry => entry.slicesWith(key)),
})

/** A cluster IP has its service's name; any other address those of all endpoints that have it. */
export const reverseTargets = (
  settings: ZoneSettings,
  key: AddressKey,
  owners: AddressOwners,
): ReadonlySet<DnsName> => {
  const { services, slices } = owners
  const { primaryZone, endpointPodNames } = settings
  if (services.length > 0) return new Set(services.map(service => serviceName(service, primaryZone)))
  const targets = endpointTargets(slices, key, endpointPodNames, (name, { namespace, serviceName }) =>
    endpointFullName(name, { namespace, name: serviceName }, primaryZone),
  )
  return targets.size > 0 ? targets : importedTargets(settings, key, owners)
}

const endpointTargets = (
  slices: readonly EndpointSliceView[],
  key: AddressKey,
  podNames: boolean,
  fullName: (endpoint: string, slice: EndpointSliceView) => DnsName | undefined,
): ReadonlySet<DnsName> => {
  const targets = new Set<DnsName>()
  for (const slice of slices) {
    visitReady(slice, (endpoint, address) => {
      if (address !== key) return
      const target = fullName(endpointName(endpoint, key, podNames), slice)
      if (target !== undefined && !isTooLong(target)) targets.add(target)
    })
  }
  return targets
}

/** KEP-1645: an imported address has a name in reverse only if no local service has it. */
const importedTargets = (
  { zones, endpointPodNames }: ZoneSettings,
  key: AddressKey,
  { imports, importedSlices }: AddressOwners,
): ReadonlySet<DnsName> => {
  const zone = zones.find(({ kind }) => kind === 'clusterset')
  if (zone === undefined) return new Set()
  if (imports.length > 0) return new Set(imports.map(service => serviceName(service, zone.name)))
  return endpointTargets(importedSlices, key, endpointPodNames, (name, slice) =>
    importedEndpointName(name, slice, zone),
  )
}

/** PTR: from addresses back to names (Kubernetes DNS specification 1.1 §2.3.3, §2.4.3). */
import { recordTypes } from '../wire/codes.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'
import type { AddressKey } from './address.ts'
import { endpointName, visitReady } from './endpoints.ts'
import { endpointFullName } from './headless.ts'
import { EMPTY_NODE, type Lookup, makeRecord, missing, type Node } from './node.ts'
import { isTooLong, serviceName } from './service-records.ts'

export const findAddress = (lookup: Lookup, key: AddressKey): Node => {
  const targets = reverseTargets(lookup, key)
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
  index.reverse.hasBelow(prefix) || index.importedReverse.hasBelow(prefix) ? EMPTY_NODE : missing()

/** A cluster IP has its service's name; any other address those of all endpoints that have it. */
const reverseTargets = (lookup: Lookup, key: AddressKey): ReadonlySet<DnsName> => {
  const { index, settings } = lookup
  const { primaryZone } = settings
  const services = index.reverse.services(key)
  if (services.length > 0) return new Set(services.map(service => serviceName(service, primaryZone)))
  const targets = new Set<DnsName>()
  for (const slice of index.reverse.slices(key)) {
    const service = { namespace: slice.namespace, name: slice.serviceName }
    visitReady(slice, (endpoint, address) => {
      if (address !== key) return
      const name = endpointName(endpoint, key, settings.endpointPodNames)
      const target = endpointFullName(name, service, primaryZone)
      if (!isTooLong(target)) targets.add(target)
    })
  }
  return targets.size > 0 ? targets : importedTargets(lookup, key)
}

/** KEP-1645: an imported address has a name in reverse only if no local service has it. */
const importedTargets = ({ index, settings }: Lookup, key: AddressKey): ReadonlySet<DnsName> => {
  const zone = settings.zones.find(({ kind }) => kind === 'clusterset')?.name
  const services = zone === undefined ? [] : index.importedReverse.services(key)
  return new Set(services.map(service => serviceName(service, zone!)))
}

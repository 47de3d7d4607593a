/** The ready endpoints of a service, named (Kubernetes DNS specification §2.4.1). */
import { type EndpointView, mayHoldAddress, unpackEndpoints } from '#watcher/packed-endpoints.ts'
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { type AddressKey, addressKey, dashedAddress } from './address.ts'
import type { ServiceEntry } from './service-entry.ts'

/** One address of one endpoint. */
export interface Endpoint {
  /** One label, below the service. */
  readonly name: string
  readonly key: AddressKey
  /** Its slice: ports and source cluster. */
  readonly slice: EndpointSliceView
  /** Topology zone, lower case; `''`: none. */
  readonly topologyZone: string
}

/** RFC 1035 §2.3.4. */
const MAXIMUM_LABEL = 63

/** Hostname, else the pod's name where wanted and where it is one label, else the address in dashes. */
export const endpointName = (endpoint: EndpointView, key: AddressKey, podNames: boolean): string => {
  if (endpoint.hostname !== '') return endpoint.hostname
  const { podName } = endpoint
  const usable = podNames && podName !== '' && podName.length <= MAXIMUM_LABEL && !podName.includes('.')
  return usable ? podName : dashedAddress(key)
}

/** Whether a slice has an address to give. */
export const hasReadyAddress = ({ addressType, endpoints }: EndpointSliceView): boolean => {
  if (addressType === 'FQDN') return false
  for (const { ready, addresses } of unpackEndpoints(endpoints)) {
    if (ready && addresses.some(address => addressKey(address) !== undefined)) return true
  }
  return false
}

/** Calls `visit` for each usable address of each ready endpoint of a slice. */
export const visitReady = (
  slice: EndpointSliceView,
  visit: (endpoint: EndpointView, key: AddressKey) => void,
): void => {
  if (slice.addressType === 'FQDN') return
  for (const endpoint of unpackEndpoints(slice.endpoints)) {
    if (!endpoint.ready) continue
    for (const address of endpoint.addresses) {
      const key = addressKey(address)
      if (key !== undefined) visit(endpoint, key)
    }
  }
}

export const readyKeys = (slice: EndpointSliceView | undefined): ReadonlySet<AddressKey> => {
  const keys = new Set<AddressKey>()
  if (slice) visitReady(slice, (_, key) => keys.add(key))
  return keys
}

/** Whether a slice has this address as a ready endpoint. */
export const hasReadyKey = (slice: EndpointSliceView, key: AddressKey): boolean => {
  // Most slices are told by a search of their text; IPv6 may be spelled in several ways.
  if (slice.addressType === 'IPv4' && key.includes('.') && !mayHoldAddress(slice.endpoints, key)) return false
  return readyKeys(slice).has(key)
}

/** A service's ready endpoints as of one moment. */
export class EndpointSet {
  readonly all: readonly Endpoint[]
  #byName: Map<string, Endpoint[]> | undefined

  constructor(entry: ServiceEntry, podNames: boolean) {
    const all: Endpoint[] = []
    for (const slice of entry.slices) {
      visitReady(slice, (endpoint, key) => {
        const name = endpointName(endpoint, key, podNames)
        all.push({ name, key, slice, topologyZone: endpoint.zone.toLowerCase() })
      })
    }
    this.all = all
  }

  /** Several endpoints may share a hostname. */
  named(name: string): readonly Endpoint[] {
    this.#byName ??= Map.groupBy(this.all, endpoint => endpoint.name)
    return this.#byName.get(name) ?? []
  }
}

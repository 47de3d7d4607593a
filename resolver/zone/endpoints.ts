/** The ready endpoints of a service, named (Kubernetes DNS specification §2.4.1). */
import { type EndpointView, findReadyAddress, mayHoldAddress, unpackEndpoints } from '#watcher/packed-endpoints.ts'
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { type AddressKey, addressKey, dashedAddress, type IndexedAddress, indexedAddress } from './address.ts'

/** One address of one endpoint. */
export interface Endpoint {
  /** One label, below the service. */
  readonly name: string
  readonly key: AddressKey
  /** Its slice: ports and source cluster. */
  readonly slice: EndpointSliceView
  /** Topology zone, lower case; `''`: none. */
  readonly topologyZone: string
  /** Zones (lower case) and nodes whose clients it is meant for, blanks between; `''`: it has no such hint. */
  readonly zoneHints: string
  readonly nodeHints: string
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
export const hasReadyAddress = (slice: EndpointSliceView): boolean => {
  let found = false
  findReady(slice, () => (found = true))
  return found
}

/** Calls `isIt` for each usable address of the ready endpoints of a slice until it returns true. */
const findReady = ({ addressType, endpoints }: EndpointSliceView, isIt: (address: IndexedAddress) => boolean): void => {
  if (addressType === 'FQDN') return
  findReadyAddress(endpoints, address => {
    if (typeof address === 'number') return isIt(address)
    const key = addressKey(address)
    return key !== undefined && isIt(indexedAddress(key))
  })
}

/** An address may come several times. */
export const visitReadyAddresses = (slice: EndpointSliceView, visit: (address: IndexedAddress) => void): void =>
  findReady(slice, address => {
    visit(address)
    return false
  })

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

/** Whether a slice has this address as that of a ready endpoint. */
export const isReadyAt = (slice: EndpointSliceView, address: IndexedAddress): boolean => {
  // Most slices are told by a search of their text; IPv6 may be spelled in several ways.
  if (typeof address === 'number' && !mayHoldAddress(slice.endpoints, address)) return false
  let found = false
  findReady(slice, other => (found = other === address))
  return found
}

/** A service's ready endpoints as of one moment. */
export class EndpointSet {
  readonly all: readonly Endpoint[]
  #byName: Map<string, Endpoint[]> | undefined

  constructor(slices: readonly EndpointSliceView[], podNames: boolean) {
    const all: Endpoint[] = []
    for (const slice of slices) {
      visitReady(slice, (endpoint, key) => {
        const name = endpointName(endpoint, key, podNames)
        const { zone, zoneHints, nodeHints } = endpoint
        const topologyZone = zone.toLowerCase()
        all.push({ name, key, slice, topologyZone, zoneHints: zoneHints.toLowerCase(), nodeHints })
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

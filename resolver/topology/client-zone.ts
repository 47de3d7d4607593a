/** In which topology zone a client is. */
import type { NetworkList } from '../network-list.ts'
import { addressKey } from '../zone/address.ts'
import type { ClusterIndex } from '../zone/cluster-index.ts'

export interface ClientZones {
  /** Networks of each zone (its nodes, their pods), in the order of the file. */
  readonly networks: readonly { readonly zone: string; readonly list: NetworkList }[]
  /** Of all others; undefined: not known. */
  readonly otherwise: string | undefined
}

/**
 * What the cluster says of the client's own address, where it is a ready endpoint of some service; else what the networks
 * say. Lower case; undefined: nobody knows.
 */
export const clientZone = (
  { networks, otherwise }: ClientZones,
  index: ClusterIndex,
  address: string,
): string | undefined => ownZone(index, address) ?? networks.find(({ list }) => list.has(address))?.zone ?? otherwise

const ownZone = (index: ClusterIndex, address: string): string | undefined => {
  const key = addressKey(address)
  if (key === undefined) return undefined
  for (const service of index.servicesAt(key)) {
    const own = index.endpoints(service).all.find(endpoint => endpoint.key === key)
    if (own && own.topologyZone !== '') return own.topologyZone
  }
  return undefined
}

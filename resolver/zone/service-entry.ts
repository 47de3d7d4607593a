/** A service with the slices of its endpoints, whichever of them came first. */
import { isIP } from 'node:net'
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import type { ServiceView } from '#watcher/views/service.ts'
import { parseName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import { type AddressKey, type IndexedAddress, indexedAddress } from './address.ts'
import { hasReadyAddress, isReadyAt } from './endpoints.ts'
import type { ReverseIndex } from './reverse-index.ts'

/** How a service answers. `absent`: its name does not exist. */
export type ServiceForm = 'cluster-ip' | 'headless' | 'external-name' | 'absent'

export class ServiceEntry {
  readonly namespace: string
  readonly name: string
  /** Undefined while only slices are known: then the service does not exist. */
  service: ServiceView | undefined
  /** By name, so that answers come out the same whatever order the slices came in. */
  slices: readonly EndpointSliceView[] = []
  /** Cluster IPs of the service that the reverse index holds. */
  publishedAddresses: readonly string[] = []
  /** Addresses outside of the cluster that the external index holds. */
  publishedExternals: readonly string[] = []
  /** The index that holds the endpoints of `slices`; undefined: none does. */
  publishedEndpoints: ReverseIndex<ServiceEntry> | undefined

  constructor(namespace: string, name: string) {
    this.namespace = namespace
    this.name = name
  }

  get hasReadyEndpoint(): boolean {
    return this.slices.some(hasReadyAddress)
  }

  isReadyAt(address: IndexedAddress): boolean {
    return this.slices.some(slice => isReadyAt(slice, address))
  }

  /** Slices that have the address as a ready endpoint. */
  slicesWith(key: AddressKey): readonly EndpointSliceView[] {
    const address = indexedAddress(key)
    return this.slices.filter(slice => isReadyAt(slice, address))
  }

  form(ignoreEmptyService: boolean): ServiceForm {
    const { service } = this
    if (service === undefined) return 'absent'
    if (service.type === 'ExternalName') return externalTarget(service) === undefined ? 'absent' : 'external-name'
    // Kubernetes DNS specification §2.4.1: without a ready endpoint a headless service answers NXDOMAIN.
    if (service.headless) return this.hasReadyEndpoint ? 'headless' : 'absent'
    if (service.clusterIPs.length === 0 || (ignoreEmptyService && !this.hasReadyEndpoint)) return 'absent'
    return 'cluster-ip'
  }

  /** The service as it is now, out of the reach of later changes. */
  snapshot(): ServiceEntry {
    const copy = new ServiceEntry(this.namespace, this.name)
    copy.service = this.service
    copy.slices = this.slices
    return copy
  }

  /** Puts `slice` in the place of the one of its name; undefined takes that one away. */
  replaceSlice(name: string, slice: EndpointSliceView | undefined): void {
    const others = this.slices.filter(other => other.name !== name)
    if (slice) {
      const at = others.findIndex(other => other.name > name)
      others.splice(at < 0 ? others.length : at, 0, slice)
    }
    this.slices = others
  }
}

/** The CNAME's target; undefined where `externalName` is an address (the specification wants a name) or no name. */
export const externalTarget = ({ externalName }: ServiceView): DnsName | undefined => {
  if (isIP(externalName.replace(/\.$/, '')) !== 0) return undefined
  const name = parseName(externalName)
  return name.ok ? name.value : undefined
}

/**
 * Services and their slices by namespace and name, kept in step with the reverse index: an address has a name in reverse
 * exactly while the name has the address.
 */

import type { ServicePortView } from '#watcher/service-port.ts'
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import type { ServiceView } from '#watcher/views/service.ts'
import { addressKey, type IndexedAddress, indexedAddress } from './address.ts'
import { visitReadyAddresses } from './endpoints.ts'
import type { ReverseIndex } from './reverse-index.ts'
import { ServiceEntry, type ServiceForm } from './service-entry.ts'

export interface ServiceTreeOptions {
  readonly reverse: ReverseIndex<ServiceEntry>
  /** Addresses that services have outside of the cluster. */
  readonly externals: ReverseIndex<ServiceEntry>
  /** Endpoints of services in namespaces that exist and are not served. */
  readonly withheld: ReverseIndex<ServiceEntry>
  readonly ignoreEmptyService: boolean
  /** Which services have names for their endpoints. */
  readonly namesEndpoints: (form: ServiceForm) => boolean
  readonly isVisible: (namespace: string) => boolean
  readonly isWithheld: (namespace: string) => boolean
  /** Something that a client can see has changed below this service. */
  readonly changed: (entry: ServiceEntry) => void
  /** There is such a service from now on, whether it has a name or not; there is none any more. */
  readonly appeared: (entry: ServiceEntry) => void
  readonly vanished: (entry: ServiceEntry) => void
}

export class ServiceTree {
  readonly #options: ServiceTreeOptions
  readonly #namespaces = new Map<string, Map<string, ServiceEntry>>()

  constructor(options: ServiceTreeOptions) {
    this.#options = options
  }

  find(namespace: string, name: string): ServiceEntry | undefined {
    return this.#namespaces.get(namespace)?.get(name)
  }

  *entries(): Generator<ServiceEntry, void> {
    for (const entries of this.#namespaces.values()) yield* entries.values()
  }

  setService(namespace: string, name: string, service: ServiceView | undefined): void {
    const entry = this.#entry(namespace, name)
    const changed = !sameService(entry.service, service)
    if (!entry.service && service) this.#options.appeared(entry)
    if (entry.service && !service) this.#options.vanished(entry)
    entry.service = service
    this.#settle(entry, changed)
  }

  /** `previous` and `next` are the same slice before and after; undefined: not there. */
  setSlice(previous: EndpointSliceView | undefined, next: EndpointSliceView | undefined, nameOf: SliceOwner): void {
    const before = previous === undefined ? '' : nameOf(previous)
    const after = next === undefined ? '' : nameOf(next)
    if (previous && before !== '' && before !== after) {
      this.#replaceSlice(this.#entry(previous.namespace, before), previous.name, undefined)
    }
    if (next && after !== '') this.#replaceSlice(this.#entry(next.namespace, after), next.name, next)
  }

  /** The namespace has appeared or gone. */
  refresh(namespace: string): void {
    for (const entry of this.#namespaces.get(namespace)?.values() ?? []) this.#settle(entry, true)
  }

  #entry(namespace: string, name: string): ServiceEntry {
    let entries = this.#namespaces.get(namespace)
    if (!entries) this.#namespaces.set(namespace, (entries = new Map()))
    let entry = entries.get(name)
    if (!entry) entries.set(name, (entry = new ServiceEntry(namespace, name)))
    return entry
  }

  /** Puts `next` in the place of the slice of its name; undefined takes that one away. */
  #replaceSlice(entry: ServiceEntry, name: string, next: EndpointSliceView | undefined): void {
    const previous = entry.slices.find(slice => slice.name === name)
    entry.replaceSlice(name, next)
    // What an annotation or a label changes, clients do not see.
    if (sameSlice(previous, next)) return
    const { publishedEndpoints } = entry
    if (publishedEndpoints) {
      if (next) visitReadyAddresses(next, address => publishedEndpoints.addEndpoint(address, entry))
      if (previous) {
        const kept = new Set<IndexedAddress>()
        if (next) visitReadyAddresses(next, address => kept.add(address))
        visitReadyAddresses(previous, address => {
          if (!kept.has(address) && !entry.isReadyAt(address)) publishedEndpoints.deleteEndpoint(address, entry)
        })
      }
    }
    this.#settle(entry, entry.service !== undefined)
  }

  /** Brings the reverse index in step with the entry, tells of the change, forgets an entry that holds nothing. */
  #settle(entry: ServiceEntry, changed: boolean): void {
    const { isVisible, isWithheld, namesEndpoints, ignoreEmptyService, reverse, externals, withheld } = this.#options
    const { service, slices } = entry
    const visible = isVisible(entry.namespace)
    const home = visible ? reverse : isWithheld(entry.namespace) ? withheld : undefined
    const form = home ? entry.form(ignoreEmptyService) : 'absent'
    const addresses = visible && form === 'cluster-ip' && service ? service.clusterIPs : NONE
    moveAddresses(reverse, entry, entry.publishedAddresses, addresses)
    entry.publishedAddresses = addresses
    const outside = visible && service ? externalAddresses(service) : NONE
    moveAddresses(externals, entry, entry.publishedExternals, outside)
    entry.publishedExternals = outside
    this.#publishEndpoints(entry, namesEndpoints(form) ? home : undefined)
    if (changed && home) this.#options.changed(entry)
    if (service || slices.length > 0) return
    const entries = this.#namespaces.get(entry.namespace)
    entries?.delete(entry.name)
    if (entries?.size === 0) this.#namespaces.delete(entry.namespace)
  }

  #publishEndpoints(entry: ServiceEntry, index: ReverseIndex<ServiceEntry> | undefined): void {
    const before = entry.publishedEndpoints
    if (before === index) return
    entry.publishedEndpoints = index
    for (const slice of entry.slices) {
      visitReadyAddresses(slice, address => {
        before?.deleteEndpoint(address, entry)
        index?.addEndpoint(address, entry)
      })
    }
  }
}

/** The service that a slice belongs to; `''`: none. */
export type SliceOwner = (slice: EndpointSliceView) => string

const moveAddresses = (
  index: ReverseIndex<ServiceEntry>,
  entry: ServiceEntry,
  before: readonly string[],
  after: readonly string[],
): void => {
  if (sameTexts(before, after)) return
  for (const address of indexedAddresses(before)) index.deleteService(address, entry)
  for (const address of indexedAddresses(after)) index.addService(address, entry)
}

const NONE: readonly string[] = []

/** `spec.externalIPs` and the addresses of load balancers. */
const externalAddresses = ({ type, externalIPs, ingress }: ServiceView): readonly string[] => {
  if (type === 'ExternalName' || (externalIPs.length === 0 && ingress.length === 0)) return NONE
  return [...externalIPs, ...ingress.map(({ ip }) => ip).filter(ip => ip !== '')]
}

const indexedAddresses = (addresses: readonly string[]): IndexedAddress[] =>
  addresses.flatMap(text => {
    const key = addressKey(text)
    return key === undefined ? [] : [indexedAddress(key)]
  })

const sameTexts = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((text, index) => text === other[index])

const sameIngress = (one: ServiceView['ingress'], other: ServiceView['ingress']): boolean =>
  one.length === other.length &&
  one.every(({ ip, hostname }, index) => ip === other[index]!.ip && hostname === other[index]!.hostname)

const samePorts = (one: readonly ServicePortView[], other: readonly ServicePortView[]): boolean =>
  one === other ||
  (one.length === other.length &&
    one.every(({ name, protocol, port }, index) => {
      const twin = other[index]!
      return name === twin.name && protocol === twin.protocol && port === twin.port
    }))

/** Whether both look the same to clients. */
const sameService = (one: ServiceView | undefined, other: ServiceView | undefined): boolean =>
  one === undefined || other === undefined
    ? one === other
    : one.type === other.type &&
      one.headless === other.headless &&
      one.externalName === other.externalName &&
      sameTexts(one.clusterIPs, other.clusterIPs) &&
      sameTexts(one.externalIPs, other.externalIPs) &&
      sameIngress(one.ingress, other.ingress) &&
      samePorts(one.ports, other.ports)

/** Whether both look the same to clients. */
const sameSlice = (one: EndpointSliceView | undefined, other: EndpointSliceView | undefined): boolean =>
  one === undefined || other === undefined
    ? one === other
    : one.endpoints === other.endpoints &&
      one.addressType === other.addressType &&
      one.sourceCluster === other.sourceCluster &&
      samePorts(one.ports, other.ports)

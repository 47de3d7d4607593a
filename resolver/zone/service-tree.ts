/**
 * Services and their slices by namespace and name, kept in step with the reverse index: an address has a name in reverse
 * exactly while the name has the address.
 */

import type { ServicePortView } from '#watcher/service-port.ts'
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import type { ServiceView } from '#watcher/views/service.ts'
import { addressKey } from './address.ts'
import { visitReady } from './endpoints.ts'
import type { ReverseIndex } from './reverse-index.ts'
import { ServiceEntry } from './service-entry.ts'

export interface ServiceTreeOptions {
  readonly reverse: ReverseIndex
  readonly ignoreEmptyService: boolean
  readonly endpointPodNames: boolean
  readonly isVisible: (namespace: string) => boolean
  /** Something that a client can see has changed below this service. */
  readonly changed: (entry: ServiceEntry) => void
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

  setService(namespace: string, name: string, service: ServiceView | undefined): void {
    const entry = this.#entry(namespace, name)
    const changed = !sameService(entry.service, service)
    entry.service = service
    this.#settle(entry, changed)
  }

  /** `previous` and `next` are the same slice before and after; undefined: not there. */
  setSlice(previous: EndpointSliceView | undefined, next: EndpointSliceView | undefined, nameOf: SliceOwner): void {
    const before = previous === undefined ? '' : nameOf(previous)
    const after = next === undefined ? '' : nameOf(next)
    if (previous && before !== '' && before !== after) {
      this.#replaceSlice(this.#entry(previous.namespace, before), previous, undefined)
    }
    if (next && after !== '') {
      this.#replaceSlice(this.#entry(next.namespace, after), before === after ? previous : undefined, next)
    }
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

  #replaceSlice(
    entry: ServiceEntry,
    previous: EndpointSliceView | undefined,
    next: EndpointSliceView | undefined,
  ): void {
    const { reverse, endpointPodNames } = this.#options
    const changed = entry.service !== undefined && !sameSlice(previous, next, endpointPodNames)
    if (entry.publishedEndpoints) {
      if (previous) withdrawSlice(reverse, previous)
      if (next) publishSlice(reverse, next)
    }
    entry.replaceSlice((next ?? previous)!.name, next)
    this.#settle(entry, changed)
  }

  /** Brings the reverse index in step with the entry, tells of the change, forgets an entry that holds nothing. */
  #settle(entry: ServiceEntry, changed: boolean): void {
    const { isVisible, ignoreEmptyService } = this.#options
    const { service, slices } = entry
    const form = isVisible(entry.namespace) ? entry.form(ignoreEmptyService) : 'absent'
    this.#publishAddresses(entry, form === 'cluster-ip' && service ? service.clusterIPs : [])
    this.#publishEndpoints(entry, form === 'cluster-ip' || form === 'headless')
    if (changed && isVisible(entry.namespace)) this.#options.changed(entry)
    if (service || slices.length > 0) return
    const entries = this.#namespaces.get(entry.namespace)
    entries?.delete(entry.name)
    if (entries?.size === 0) this.#namespaces.delete(entry.namespace)
  }

  #publishAddresses(entry: ServiceEntry, addresses: readonly string[]): void {
    const { reverse } = this.#options
    const before = entry.publishedAddresses
    if (before.length === 0 && addresses.length === 0) return
    entry.publishedAddresses = addresses
    if (sameTexts(before, addresses)) return
    for (const key of addressKeys(before)) reverse.deleteService(key, entry)
    for (const key of addressKeys(addresses)) reverse.addService(key, entry)
  }

  #publishEndpoints(entry: ServiceEntry, published: boolean): void {
    if (entry.publishedEndpoints === published) return
    entry.publishedEndpoints = published
    for (const slice of entry.slices) {
      if (published) publishSlice(this.#options.reverse, slice)
      else withdrawSlice(this.#options.reverse, slice)
    }
  }
}

/** The service that a slice belongs to; `''`: none. */
export type SliceOwner = (slice: EndpointSliceView) => string

const publishSlice = (reverse: ReverseIndex, slice: EndpointSliceView): void =>
  visitReady(slice, (_, key) => reverse.addSlice(key, slice))

const withdrawSlice = (reverse: ReverseIndex, slice: EndpointSliceView): void =>
  visitReady(slice, (_, key) => reverse.deleteSlice(key, slice))

const addressKeys = (addresses: readonly string[]): string[] =>
  addresses.map(addressKey).filter(key => key !== undefined)

const sameTexts = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((text, index) => text === other[index])

const samePorts = (one: readonly ServicePortView[], other: readonly ServicePortView[]): boolean =>
  one.length === other.length &&
  one.every(({ name, protocol, port }, index) => {
    const twin = other[index]!
    return name === twin.name && protocol === twin.protocol && port === twin.port
  })

/** Whether both look the same to clients. */
const sameService = (one: ServiceView | undefined, other: ServiceView | undefined): boolean =>
  one === undefined || other === undefined
    ? one === other
    : one.type === other.type &&
      one.headless === other.headless &&
      one.externalName === other.externalName &&
      sameTexts(one.clusterIPs, other.clusterIPs) &&
      samePorts(one.ports, other.ports)

const sameSlice = (
  one: EndpointSliceView | undefined,
  other: EndpointSliceView | undefined,
  podNames: boolean,
): boolean => {
  if (one === undefined || other === undefined) return one === other
  if (one.sourceCluster !== other.sourceCluster || one.endpoints.length !== other.endpoints.length) return false
  return (
    samePorts(one.ports, other.ports) &&
    one.endpoints.every((endpoint, index) => {
      const twin = other.endpoints[index]!
      return (
        endpoint.ready === twin.ready &&
        endpoint.hostname === twin.hostname &&
        endpoint.zone === twin.zone &&
        (!podNames || endpoint.podName === twin.podName) &&
        sameTexts(endpoint.addresses, twin.addresses)
      )
    })
  )
}

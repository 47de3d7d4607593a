/** Which services have an address, as their own or as that of a ready endpoint, and which prefixes have an address below. */
import { type AddressKey, type IndexedAddress, indexedAddress, ipv4Number, keyOfAddress } from './address.ts'
import { AddressOwners } from './address-owners.ts'

/** IPv6 prefixes longer than this (in digits) are not counted but tried: at most 16² addresses lie below one. */
const COUNTED_DIGITS = 29

/** The first octets of IPv4 behind a 1, which tells how many there are; the first digits of IPv6. */
type Prefix = number | string

const longestPrefix = (address: IndexedAddress): Prefix =>
  typeof address === 'string' ? address.slice(0, COUNTED_DIGITS) : (1 << 24) | (address >>> 8)

/** The prefix one label shorter; undefined at the top. */
const parentPrefix = (prefix: Prefix): Prefix | undefined => {
  if (typeof prefix === 'string') return prefix.length > 1 ? prefix.slice(0, -1) : undefined
  return prefix >>> 8 > 1 ? prefix >>> 8 : undefined
}

export class ReverseIndex<Service extends object> {
  readonly #services = new AddressOwners<Service>()
  readonly #endpoints = new AddressOwners<Service>()
  /** Prefix → how many addresses or longer prefixes stand directly below it: the empty non-terminals (RFC 8020). */
  readonly #prefixes = new Map<Prefix, number>()

  /** Each address once. */
  keys(): ReadonlySet<AddressKey> {
    const addresses = new Set([...this.#services.keys(), ...this.#endpoints.keys()])
    return new Set([...addresses].map(keyOfAddress))
  }

  services(key: AddressKey): readonly Service[] {
    return this.#services.get(indexedAddress(key))
  }

  /** Services that have the address as a ready endpoint. */
  endpointOwners(key: AddressKey): readonly Service[] {
    return this.#endpoints.get(indexedAddress(key))
  }

  addService(address: IndexedAddress, service: Service): void {
    if (!this.#has(address)) this.#count(address)
    this.#services.add(address, service)
  }

  addEndpoint(address: IndexedAddress, service: Service): void {
    if (!this.#has(address)) this.#count(address)
    this.#endpoints.add(address, service)
  }

  deleteService(address: IndexedAddress, service: Service): void {
    const before = this.#has(address)
    this.#services.delete(address, service)
    if (before && !this.#has(address)) this.#discount(address)
  }

  deleteEndpoint(address: IndexedAddress, service: Service): void {
    const before = this.#has(address)
    this.#endpoints.delete(address, service)
    if (before && !this.#has(address)) this.#discount(address)
  }

  /** Whether an address starts with `prefix` (see `NamedRequest`). */
  hasBelow(prefix: string): boolean {
    if (prefix === '') return this.#prefixes.size > 0
    if (prefix.includes('.')) return this.#prefixes.has(ipv4Number(`1.${prefix}`) / 256)
    if (prefix.length <= COUNTED_DIGITS) return this.#prefixes.has(prefix)
    const missing = 32 - prefix.length
    for (let rest = 0; rest < 16 ** missing; rest++) {
      if (this.#has(prefix + rest.toString(16).padStart(missing, '0'))) return true
    }
    return false
  }

  #has(address: IndexedAddress): boolean {
    return this.#services.has(address) || this.#endpoints.has(address)
  }

  #count(address: IndexedAddress): void {
    for (let prefix: Prefix | undefined = longestPrefix(address); prefix !== undefined; prefix = parentPrefix(prefix)) {
      const count = this.#prefixes.get(prefix) ?? 0
      this.#prefixes.set(prefix, count + 1)
      if (count > 0) return
    }
  }

  #discount(address: IndexedAddress): void {
    for (let prefix: Prefix | undefined = longestPrefix(address); prefix !== undefined; prefix = parentPrefix(prefix)) {
      const count = this.#prefixes.get(prefix) ?? 0
      if (count > 1) {
        this.#prefixes.set(prefix, count - 1)
        return
      }
      this.#prefixes.delete(prefix)
    }
  }
}

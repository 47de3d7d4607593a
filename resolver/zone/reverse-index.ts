/** Which services have an address, as their own or as that of a ready endpoint, and which prefixes have an address below. */
import type { AddressKey } from './address.ts'
import { AddressOwners } from './address-owners.ts'
import type { ServiceEntry } from './service-entry.ts'

/** IPv6 prefixes longer than this (in digits) are not counted but tried: at most 16² addresses lie below one. */
const COUNTED_DIGITS = 29

/** The prefix one label shorter; undefined at the top. */
const parentPrefix = (prefix: string): string | undefined => {
  if (!prefix.includes('.')) return prefix.length > 1 ? prefix.slice(0, -1) : undefined
  const dot = prefix.lastIndexOf('.', prefix.length - 2)
  return dot < 0 ? undefined : prefix.slice(0, dot + 1)
}

const longestPrefix = (key: AddressKey): string =>
  key.includes('.') ? key.slice(0, key.lastIndexOf('.') + 1) : key.slice(0, COUNTED_DIGITS)

export class ReverseIndex {
  readonly #services = new AddressOwners<ServiceEntry>()
  readonly #endpoints = new AddressOwners<ServiceEntry>()
  /** Prefix → how many addresses or longer prefixes stand directly below it: the empty non-terminals (RFC 8020). */
  readonly #prefixes = new Map<string, number>()

  has(key: AddressKey): boolean {
    return this.#services.has(key) || this.#endpoints.has(key)
  }

  /** Each address once. */
  keys(): ReadonlySet<AddressKey> {
    return new Set([...this.#services.keys(), ...this.#endpoints.keys()])
  }

  services(key: AddressKey): readonly ServiceEntry[] {
    return this.#services.get(key)
  }

  /** Services that have the address as a ready endpoint. */
  endpointOwners(key: AddressKey): readonly ServiceEntry[] {
    return this.#endpoints.get(key)
  }

  addService(key: AddressKey, service: ServiceEntry): void {
    if (!this.has(key)) this.#count(key)
    this.#services.add(key, service)
  }

  addEndpoint(key: AddressKey, service: ServiceEntry): void {
    if (!this.has(key)) this.#count(key)
    this.#endpoints.add(key, service)
  }

  deleteService(key: AddressKey, service: ServiceEntry): void {
    const before = this.has(key)
    this.#services.delete(key, service)
    if (before && !this.has(key)) this.#discount(key)
  }

  deleteEndpoint(key: AddressKey, service: ServiceEntry): void {
    const before = this.has(key)
    this.#endpoints.delete(key, service)
    if (before && !this.has(key)) this.#discount(key)
  }

  /** Whether an address starts with `prefix` (see `NamedRequest`). */
  hasBelow(prefix: string): boolean {
    if (prefix === '') return this.#prefixes.size > 0
    if (prefix.includes('.') || prefix.length <= COUNTED_DIGITS) return this.#prefixes.has(prefix)
    const missing = 32 - prefix.length
    for (let rest = 0; rest < 16 ** missing; rest++) {
      if (this.has(prefix + rest.toString(16).padStart(missing, '0'))) return true
    }
    return false
  }

  #count(key: AddressKey): void {
    for (let prefix: string | undefined = longestPrefix(key); prefix !== undefined; prefix = parentPrefix(prefix)) {
      const count = this.#prefixes.get(prefix) ?? 0
      this.#prefixes.set(prefix, count + 1)
      if (count > 0) return
    }
  }

  #discount(key: AddressKey): void {
    for (let prefix: string | undefined = longestPrefix(key); prefix !== undefined; prefix = parentPrefix(prefix)) {
      const count = this.#prefixes.get(prefix) ?? 0
      if (count > 1) {
        this.#prefixes.set(prefix, count - 1)
        return
      }
      this.#prefixes.delete(prefix)
    }
  }
}

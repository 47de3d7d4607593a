/** A hosts file's lines (hosts(5)) as names and addresses, both ways. `*.example.org` stands for every name below. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { canonicalName, joinName, parentName, parseName, ROOT, splitLabels } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

export interface HostAddresses {
  readonly v4: readonly string[]
  readonly v6: readonly string[]
}

interface Growing {
  readonly v4: string[]
  readonly v6: string[]
}

export class HostsTable {
  readonly #names = new Map<DnsName, Growing>()
  /** Names that have others below them. */
  readonly #above = new Set<DnsName>()
  /** Canonical reverse name → names as written. */
  readonly #reverse = new Map<DnsName, DnsName[]>()
  #entries = 0

  /** Number of (name, address) pairs. */
  get entries(): number {
    return this.#entries
  }

  /** Adds `ADDRESS NAME…`; false: the address is none. Names that are none are passed over, as glibc does. */
  add(addressText: string, names: readonly string[]): boolean {
    const bare = addressText.replace(/%.*$/, '')
    // As glibc reads it, by inet_pton(3): `010.0.0.1` and `10.1` are no addresses.
    if (isIP(bare) === 0) return false
    const address = ipaddr.parse(bare)
    const family = address.kind() === 'ipv4' ? 'v4' : 'v6'
    const text = address.toString()
    for (const name of names) this.#addName(name, text, family, reverseName(address))
    return true
  }

  #addName(written: string, address: string, family: 'v4' | 'v6', reverse: DnsName): void {
    const parsed = parseName(written)
    if (!parsed.ok || parsed.value === ROOT) return
    const name = canonicalName(parsed.value)
    const addresses = this.#names.get(name) ?? { v4: [], v6: [] }
    this.#names.set(name, addresses)
    for (let zone = parentName(name); zone !== undefined && !this.#above.has(zone); zone = parentName(zone))
      this.#above.add(zone)
    if (addresses[family].includes(address)) return
    addresses[family].push(address)
    this.#entries++
    if (splitLabels(name)[0] === '*') return
    const owners = this.#reverse.get(reverse) ?? []
    this.#reverse.set(reverse, [...owners, parsed.value])
  }

  /** The lines of a file; `#` starts a comment. Lines that make no sense are passed over. */
  addText(text: string): void {
    for (const line of text.split('\n')) {
      const [address, ...names] = line.replace(/#.*$/, '').split(/\s+/).filter(Boolean)
      if (address !== undefined) this.add(address, names)
    }
  }

  /** Of the name itself, else of the nearest wildcard above it. */
  addressesOf(name: DnsName): HostAddresses | undefined {
    const own = this.#names.get(name)
    if (own) return own
    for (let zone = parentName(name); zone !== undefined; zone = parentName(zone)) {
      const wildcard = this.#names.get(joinName(['*'], zone))
      if (wildcard) return wildcard
    }
    return undefined
  }

  hasNamesBelow(name: DnsName): boolean {
    return this.#above.has(name)
  }

  namesOf(reverse: DnsName): readonly DnsName[] {
    return this.#reverse.get(reverse) ?? []
  }
}

/** RFC 1035 §3.5, RFC 3596 §2.5. */
const reverseName = (address: ipaddr.IPv4 | ipaddr.IPv6): DnsName => {
  const bytes = address.toByteArray()
  if (address.kind() === 'ipv4') return `${bytes.toReversed().join('.')}.in-addr.arpa.`
  const nibbles = bytes.flatMap(byte => [byte >> 4, byte & 15])
  return `${nibbles
    .toReversed()
    .map(nibble => nibble.toString(16))
    .join('.')}.ip6.arpa.`
}

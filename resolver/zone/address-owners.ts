/**
 * Who has an address, and which addresses have anybody: several owners an address, about 25 bytes each for IPv4 where a
 * map of texts takes 90, since a large cluster has 100,000 endpoints. IPv6 is kept in a map.
 */
import { SlotIndex } from '#watcher/slot-index.ts'
import type { AddressKey } from './address.ts'

export class AddressOwners<Owner extends object> {
  readonly #rows = new SlotIndex(row => hashOf(this.#addresses[row - 1]!))
  #addresses = new Uint32Array(16)
  /** By row; undefined: free. */
  readonly #owners: (Owner | undefined)[] = []
  readonly #free: number[] = []
  readonly #others = new Map<AddressKey, readonly Owner[]>()

  has(key: AddressKey): boolean {
    return key.includes('.') ? this.#rowsOf(ipv4Number(key)).length > 0 : this.#others.has(key)
  }

  /** One for each owner: an address may come several times. */
  *keys(): Generator<AddressKey, void> {
    for (const [row, owner] of this.#owners.entries()) {
      if (owner) yield ipv4Key(this.#addresses[row]!)
    }
    yield* this.#others.keys()
  }

  get(key: AddressKey): readonly Owner[] {
    if (!key.includes('.')) return this.#others.get(key) ?? []
    return this.#rowsOf(ipv4Number(key)).map(row => this.#owners[row]!)
  }

  /** Once, however often it is added. */
  add(key: AddressKey, owner: Owner): void {
    const owners = this.get(key)
    if (owners.includes(owner)) return
    if (key.includes('.')) this.#rows.insert(this.#newRow(ipv4Number(key), owner) + 1)
    else this.#others.set(key, [...owners, owner])
  }

  delete(key: AddressKey, owner: Owner): void {
    if (!key.includes('.')) {
      const rest = this.get(key).filter(other => other !== owner)
      if (rest.length === 0) this.#others.delete(key)
      else this.#others.set(key, rest)
      return
    }
    const row = this.#rowsOf(ipv4Number(key)).find(each => this.#owners[each] === owner)
    if (row === undefined) return
    this.#rows.delete(row + 1)
    this.#owners[row] = undefined
    this.#free.push(row)
  }

  #rowsOf(address: number): number[] {
    const found: number[] = []
    this.#rows.visit(hashOf(address), slot => {
      if (this.#addresses[slot - 1] === address) found.push(slot - 1)
      return false
    })
    return found
  }

  #newRow(address: number, owner: Owner): number {
    const row = this.#free.pop() ?? this.#owners.length
    if (row >= this.#addresses.length) {
      const before = this.#addresses
      this.#addresses = new Uint32Array(Math.ceil(before.length * 1.5))
      this.#addresses.set(before)
    }
    this.#addresses[row] = address
    this.#owners[row] = owner
    return row
  }
}

/** Neighbours lie far apart. */
const hashOf = (address: number): number => Math.imul(address, 0x9e3779b1) >>> 0

const ipv4Number = (key: AddressKey): number => {
  let number = 0
  let octet = 0
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at)
    if (code === 0x2e) {
      number = number * 256 + octet
      octet = 0
    } else {
      octet = octet * 10 + code - 0x30
    }
  }
  return number * 256 + octet
}

const ipv4Key = (number: number): AddressKey =>
  `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`

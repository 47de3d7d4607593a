/**
 * Who has an address, and which addresses have anybody: several owners an address, about 25 bytes each for IPv4 where a
 * map of texts takes 90, since a large cluster has 100,000 endpoints. IPv6 is kept in a map.
 */
import { SlotIndex } from '#watcher/slot-index.ts'
import type { AddressKey, IndexedAddress } from './address.ts'

export class AddressOwners<Owner extends object> {
  readonly #rows = new SlotIndex(row => hashOf(this.#addresses[row - 1]!))
  #addresses = new Uint32Array(16)
  /** By row; undefined: free. */
  readonly #owners: (Owner | undefined)[] = []
  readonly #free: number[] = []
  readonly #others = new Map<AddressKey, readonly Owner[]>()
  /** What `#isAsked` and `#isAskedPair` compare with: a large cluster is too much for a closure each time. */
  #address = 0
  #owner: Owner | undefined
  readonly #isAsked = (slot: number): boolean => this.#addresses[slot - 1] === this.#address
  readonly #isAskedPair = (slot: number): boolean => this.#isAsked(slot) && this.#owners[slot - 1] === this.#owner

  has(address: IndexedAddress): boolean {
    return typeof address === 'string' ? this.#others.has(address) : this.#find(address) !== 0
  }

  /** One for each owner: an address may come several times. */
  *keys(): Generator<IndexedAddress, void> {
    for (const [row, owner] of this.#owners.entries()) {
      if (owner) yield this.#addresses[row]!
    }
    yield* this.#others.keys()
  }

  get(address: IndexedAddress): readonly Owner[] {
    if (typeof address === 'string') return this.#others.get(address) ?? []
    const found: Owner[] = []
    this.#rows.visit(hashOf(address), slot => {
      if (this.#addresses[slot - 1] === address) found.push(this.#owners[slot - 1]!)
      return false
    })
    return found
  }

  /** Once, however often it is added. */
  add(address: IndexedAddress, owner: Owner): void {
    if (typeof address === 'number') {
      if (this.#findPair(address, owner) === 0) this.#rows.insert(this.#newRow(address, owner) + 1)
      return
    }
    const owners = this.get(address)
    if (!owners.includes(owner)) this.#others.set(address, [...owners, owner])
  }

  delete(address: IndexedAddress, owner: Owner): void {
    if (typeof address === 'string') {
      const rest = this.get(address).filter(other => other !== owner)
      if (rest.length === 0) this.#others.delete(address)
      else this.#others.set(address, rest)
      return
    }
    const slot = this.#findPair(address, owner)
    if (slot === 0) return
    this.#rows.delete(slot)
    this.#owners[slot - 1] = undefined
    this.#free.push(slot - 1)
  }

  /** 0: nobody has it. */
  #find(address: number): number {
    this.#address = address
    return this.#rows.visit(hashOf(address), this.#isAsked)
  }

  #findPair(address: number, owner: Owner): number {
    this.#address = address
    this.#owner = owner
    return this.#rows.visit(hashOf(address), this.#isAskedPair)
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

/**
 * Whose address is it: live pods by address and by name, in about 50 bytes a pod (`npm run bench -- pods`) where an
 * object of the API has kilobytes. A record is
 *
 *     length 2 | list 1 | flags 1 | namespace 3 | name length 1 | IPv4 4? | IPv6 16? | name | label length 1, label …
 *
 * and two hash tables point to it. Kubernetes gives a pod at most one address of each family.
 */
import { RECORD_HEADER, RecordArena, type RecordPosition } from './record-arena.ts'
import { SlotIndex } from './slot-index.ts'
import { TextPool } from './text-pool.ts'

export interface PodFacts {
  readonly namespace: string
  readonly name: string
  /** 4 bytes, if it has an address of this family. */
  readonly ipv4: Uint8Array | undefined
  /** 16 bytes. */
  readonly ipv6: Uint8Array | undefined
  readonly hostNetwork: boolean
  /** Values of the table's label keys, in their order; undefined: the pod does not have it. */
  readonly labels: readonly (string | undefined)[]
}

const LIST = RECORD_HEADER
const FLAGS = LIST + 1
const NAMESPACE = FLAGS + 1
const NAME_LENGTH = NAMESPACE + 3
const ADDRESSES = NAME_LENGTH + 1

const HOST_NETWORK = 1
const HAS_IPV4 = 2
const HAS_IPV6 = 4

/** Length of a label that the pod does not have; values have at most 63 characters. */
const NO_LABEL = 255
/** In the table of addresses, beside a position: the pod's address of IPv6. */
const IPV6 = 2 ** 31
/** A table's free slot is 0, and so is the first position. */
const slotOf = (position: RecordPosition): number => position + 1

const hashBytes = (bytes: Uint8Array, start: number, end: number, seed: number): number => {
  let hash = seed ^ 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  // FNV's upper bits hardly know of the last bytes, and the table goes by them.
  return Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> 0
}

export class PodTable {
  readonly labelKeys: readonly string[]
  readonly #namespaces = new TextPool()
  readonly #arena = new RecordArena((from, to) => this.#move(from, to))
  readonly #byName = new SlotIndex(slot => this.#nameHash(slot - 1))
  readonly #byAddress = new SlotIndex(slot => this.#addressHash(slot))
  /** The longest record: a name of 253, both addresses, and labels. */
  readonly #scratch: Buffer

  constructor(labelKeys: readonly string[] = []) {
    this.labelKeys = labelKeys
    this.#scratch = Buffer.alloc(ADDRESSES + 20 + 253 + labelKeys.length * (1 + 63 * 4))
  }

  get size(): number {
    return this.#byName.size
  }

  /** What it takes, without the names of the namespaces. */
  get byteLength(): number {
    return this.#arena.byteLength + this.#byName.byteLength + this.#byAddress.byteLength
  }

  /** `list` (0–255) marks it for `sweep`. Says whether anything but the mark is different. */
  put(pod: PodFacts, list: number): boolean {
    const namespace = this.#namespaces.take(pod.namespace)
    const length = this.#encode(pod, namespace, list)
    const before = this.#find(namespace, pod.name)
    if (before !== undefined) {
      const bytes = this.#arena.bytesOf(before)
      const offset = this.#arena.offsetOf(before)
      const isSame = this.#scratch.compare(bytes, offset + FLAGS, offset + length, FLAGS, length) === 0
      if (isSame) {
        bytes[offset + LIST] = list
        this.#namespaces.release(namespace)
        return false
      }
      this.#delete(before)
    }
    const position = this.#arena.add(this.#scratch, length)
    this.#byName.insert(slotOf(position))
    for (const slot of this.#addressSlots(position)) this.#byAddress.insert(slot)
    return true
  }

  /** Says whether it was there. */
  remove(namespace: string, name: string): boolean {
    const number = this.#namespaces.find(namespace)
    const position = number === undefined ? undefined : this.#find(number, name)
    if (position === undefined) return false
    this.#delete(position)
    return true
  }

  /** Removes pods that do not have the mark; says whether there were any. */
  sweep(list: number): boolean {
    const others = [...this.#arena.positions()].filter(
      position => this.#arena.bytesOf(position)[this.#arena.offsetOf(position) + LIST] !== list,
    )
    const names = others.map(position => this.#decode(position))
    for (const { namespace, name } of names) this.remove(namespace, name)
    return names.length > 0
  }

  /** Pods with this address of 4 or 16 bytes: several on a host's network. */
  find(address: Uint8Array): readonly PodFacts[] {
    const family = address.length === 4 ? 0 : IPV6
    const found: PodFacts[] = []
    this.#byAddress.visit(hashBytes(address, 0, address.length, family), slot => {
      if (slot >= IPV6 === (family === IPV6)) {
        const position = (slot % IPV6) - 1
        const bytes = this.#arena.bytesOf(position)
        const start = this.#addressOffset(slot)
        if (address.every((byte, index) => byte === bytes[start + index])) found.push(this.#decode(position))
      }
      return false
    })
    return found
  }

  named(namespace: string, name: string): PodFacts | undefined {
    const number = this.#namespaces.find(namespace)
    const position = number === undefined ? undefined : this.#find(number, name)
    return position === undefined ? undefined : this.#decode(position)
  }

  *entries(): Generator<PodFacts, void> {
    for (const position of this.#arena.positions()) yield this.#decode(position)
  }

  #find(namespace: number, name: string): RecordPosition | undefined {
    const bytes = Buffer.from(name, 'latin1')
    let found: RecordPosition | undefined
    this.#byName.visit(hashBytes(bytes, 0, bytes.length, namespace), slot => {
      if (this.#isNamed(slot - 1, namespace, bytes)) found = slot - 1
      return found !== undefined
    })
    return found
  }

  #isNamed(position: RecordPosition, namespace: number, name: Buffer): boolean {
    const bytes = this.#arena.bytesOf(position)
    const offset = this.#arena.offsetOf(position)
    if (bytes.readUIntLE(offset + NAMESPACE, 3) !== namespace || bytes[offset + NAME_LENGTH] !== name.length)
      return false
    const start = nameOffset(bytes, offset)
    return name.compare(bytes, start, start + name.length) === 0
  }

  #encode(pod: PodFacts, namespace: number, list: number): number {
    const { ipv4, ipv6, name, hostNetwork, labels } = pod
    const record = this.#scratch
    record[LIST] = list
    record[FLAGS] = (hostNetwork ? HOST_NETWORK : 0) | (ipv4 ? HAS_IPV4 : 0) | (ipv6 ? HAS_IPV6 : 0)
    record.writeUIntLE(namespace, NAMESPACE, 3)
    record[NAME_LENGTH] = name.length
    let at = ADDRESSES
    for (const address of [ipv4, ipv6]) {
      if (address) record.set(address, at)
      at += address?.length ?? 0
    }
    at += record.write(name, at, 'latin1')
    for (const label of labels) {
      const length = label === undefined ? 0 : record.write(label, at + 1, 'utf8')
      record[at] = label === undefined ? NO_LABEL : length
      at += 1 + length
    }
    return at
  }

  #decode(position: RecordPosition): PodFacts {
    const bytes = this.#arena.bytesOf(position)
    const offset = this.#arena.offsetOf(position)
    const flags = bytes[offset + FLAGS]!
    const slots = [...this.#addressSlots(position)].map(slot => this.#addressOffset(slot))
    const [ipv4, ipv6] = flags & HAS_IPV4 ? slots : [undefined, slots[0]]
    const start = nameOffset(bytes, offset)
    let at = start + bytes[offset + NAME_LENGTH]!
    const name = bytes.toString('latin1', start, at)
    const labels = this.labelKeys.map(() => {
      const length = bytes[at]!
      if (length === NO_LABEL) return void at++
      const label = bytes.toString('utf8', at + 1, at + 1 + length)
      at += 1 + length
      return label
    })
    return {
      namespace: this.#namespaces.text(bytes.readUIntLE(offset + NAMESPACE, 3)),
      name,
      ipv4: ipv4 === undefined ? undefined : bytes.subarray(ipv4, ipv4 + 4),
      ipv6: ipv6 === undefined ? undefined : bytes.subarray(ipv6, ipv6 + 16),
      hostNetwork: (flags & HOST_NETWORK) !== 0,
      labels,
    }
  }

  #delete(position: RecordPosition): void {
    this.#byName.delete(slotOf(position))
    for (const slot of this.#addressSlots(position)) this.#byAddress.delete(slot)
    const namespace = this.#arena.bytesOf(position).readUIntLE(this.#arena.offsetOf(position) + NAMESPACE, 3)
    this.#namespaces.release(namespace)
    this.#arena.free(position)
  }

  #move(from: RecordPosition, to: RecordPosition): void {
    this.#byName.replace(slotOf(from), slotOf(to))
    const targets = [...this.#addressSlots(to)]
    for (const [index, slot] of [...this.#addressSlots(from)].entries()) this.#byAddress.replace(slot, targets[index]!)
  }

  *#addressSlots(position: RecordPosition): Generator<number, void> {
    const flags = this.#arena.bytesOf(position)[this.#arena.offsetOf(position) + FLAGS]!
    if (flags & HAS_IPV4) yield slotOf(position)
    if (flags & HAS_IPV6) yield IPV6 + slotOf(position)
  }

  #addressOffset(slot: number): number {
    const position = (slot % IPV6) - 1
    const offset = this.#arena.offsetOf(position)
    const isSecond = slot >= IPV6 && (this.#arena.bytesOf(position)[offset + FLAGS]! & HAS_IPV4) !== 0
    return offset + ADDRESSES + (isSecond ? 4 : 0)
  }

  #nameHash(position: RecordPosition): number {
    const bytes = this.#arena.bytesOf(position)
    const offset = this.#arena.offsetOf(position)
    const start = nameOffset(bytes, offset)
    const namespace = bytes.readUIntLE(offset + NAMESPACE, 3)
    return hashBytes(bytes, start, start + bytes[offset + NAME_LENGTH]!, namespace)
  }

  #addressHash(slot: number): number {
    const start = this.#addressOffset(slot)
    const isIPv6 = slot >= IPV6
    return hashBytes(this.#arena.bytesOf((slot % IPV6) - 1), start, start + (isIPv6 ? 16 : 4), isIPv6 ? IPV6 : 0)
  }
}

const nameOffset = (bytes: Buffer, offset: number): number => {
  const flags = bytes[offset + FLAGS]!
  return offset + ADDRESSES + (flags & HAS_IPV4 ? 4 : 0) + (flags & HAS_IPV6 ? 16 : 0)
}

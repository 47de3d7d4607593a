/**
 * Tells questions for names that this server answers by itself from those that may wait for another server: under overload
 * the former are taken first, and dropped last. Looks at a packet's bytes alone, for some tenths of a microsecond; a packet
 * that is no question is nobody's.
 */

/** RFC 1035 §4.1.1. */
const HEADER = 12
/** RFC 1035 §3.1: longest name, in bytes. */
const MAX_NAME = 255
const MAX_LABELS = 128

/** Zones in wire form, lower case, a character a byte; whether their names are the server's own. To give to another thread. */
export type WireZones = readonly (readonly [zone: string, isOwn: boolean])[]

/** Quicker than `toString('latin1')`; Node's own, and not in its types. */
interface LatinBuffer extends Buffer {
  latin1Slice(start: number, end: number): string
}

export class OwnZones {
  readonly #zones: ReadonlyMap<string, boolean>
  /** Labels that the deepest zone has. */
  readonly #depth: number
  readonly #name = Buffer.alloc(MAX_NAME) as LatinBuffer
  readonly #labels = new Uint8Array(MAX_LABELS)

  constructor(zones: WireZones) {
    this.#zones = new Map(zones)
    this.#depth = Math.max(0, ...zones.map(([zone]) => labelsOf(zone)))
  }

  /** Whether the longest zone that the question's name lies in is an own one. The packet begins at `start`. */
  has(packet: Buffer, start = 0, length = packet.length - start): boolean {
    const name = this.#name
    const end = start + length
    let labels = 0
    let to = 0
    let at = start + HEADER
    while (at < end && packet[at] !== 0) {
      const next = at + 1 + packet[at]!
      if (packet[at]! > 63 || next >= end || to + next - at >= MAX_NAME) return false
      this.#labels[labels++] = to
      name[to++] = packet[at++]!
      // RFC 4343 §3: letters of ASCII alone.
      for (; at < next; at++) name[to++] = packet[at]! > 0x40 && packet[at]! < 0x5b ? packet[at]! | 0x20 : packet[at]!
    }
    if (at >= end) return false
    this.#labels[labels] = to
    name[to++] = 0
    for (let label = Math.max(0, labels - this.#depth); label <= labels; label++) {
      const isOwn = this.#zones.get(name.latin1Slice(this.#labels[label]!, to))
      if (isOwn !== undefined) return isOwn
    }
    return false
  }
}

/** Of a zone in wire form, the root's not counted. */
const labelsOf = (zone: string): number => {
  let labels = 0
  for (let at = 0; zone.charCodeAt(at) > 0; at += 1 + zone.charCodeAt(at)) labels++
  return labels
}

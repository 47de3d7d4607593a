/**
 * TTLs in the bytes of a message, for caches: where they stand, the least of them, and changing them in place. OPT is
 * left out (its TTL field is flags, RFC 6891 §6.1.3).
 */
import { recordTypes } from './codes.ts'
import { HEADER_LENGTH } from './header.ts'
import { skipName } from './name.ts'

/** Offset of each record's TTL, in the order of the message; `undefined`: the message is malformed. */
export const ttlOffsets = (packet: Buffer): number[] | undefined => {
  if (packet.length < HEADER_LENGTH) return undefined
  let at = HEADER_LENGTH
  for (let questions = packet.readUInt16BE(4); questions > 0; questions--) {
    const nameEnd = skipName(packet, at)
    if (nameEnd === undefined || nameEnd + 4 > packet.length) return undefined
    at = nameEnd + 4
  }
  const offsets: number[] = []
  const records = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10)
  for (let index = 0; index < records; index++) {
    const nameEnd = skipName(packet, at)
    if (nameEnd === undefined || nameEnd + 10 > packet.length) return undefined
    at = nameEnd + 10 + packet.readUInt16BE(nameEnd + 8)
    if (at > packet.length) return undefined
    if (packet.readUInt16BE(nameEnd) !== recordTypes.OPT) offsets.push(nameEnd + 4)
  }
  return offsets
}

/** The least TTL in seconds; `undefined` where there is no record. */
export const minimumTtl = (packet: Buffer, offsets: readonly number[]): number | undefined =>
  offsets.length === 0 ? undefined : Math.min(...offsets.map(offset => packet.readUInt32BE(offset)))

/** Replaces each TTL by what `change` makes of it. Seconds, 0 to 2^31 - 1 (RFC 2181 §8). */
export const mapTtls = (packet: Buffer, offsets: readonly number[], change: (ttl: number) => number): void => {
  for (const offset of offsets) packet.writeUInt32BE(change(packet.readUInt32BE(offset)), offset)
}

/** Takes `elapsed` whole seconds from each TTL; none falls below zero. */
export const ageTtls = (packet: Buffer, offsets: readonly number[], elapsed: number): void =>
  mapTtls(packet, offsets, ttl => Math.max(0, ttl - elapsed))

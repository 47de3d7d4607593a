/** NOTIFY (RFC 1996): one server tells another that a zone has changed. */
import { classes, opcodes, recordTypes } from './codes.ts'
import { flags, HEADER_LENGTH, headerReply, opcodeOf } from './header.ts'
import { MessageWriter } from './message-writer.ts'
import { canonicalName, encodeName, ROOT, readName } from './name.ts'
import type { DnsName, ResourceRecord } from './record.ts'

const NOTIFY = opcodes.NOTIFY << 11
const writer = new MessageWriter()

/** §3.7: the SOA's question, and the new SOA as a hint. */
export const encodeNotify = (id: number, soa: ResourceRecord): Buffer => {
  const name = encodeName(soa.name)
  const question = Buffer.concat([name, Buffer.alloc(4)])
  question.writeUInt16BE(recordTypes.SOA, name.length)
  question.writeUInt16BE(classes.IN, name.length + 2)
  // §3.3: AA is set in requests, too.
  const bits = NOTIFY | flags.authoritative
  writer.begin(id, bits)
  writer.question(question, 0, question.length, ROOT)
  writer.record(soa)
  return writer.finish(bits, [1, 1, 0, 0])
}

export interface ReadNotify {
  /** Canonical. */
  readonly zone: DnsName
  /** Where the question ends. */
  readonly questionEnd: number
}

/** A request of a zone's change; undefined: it is none. What it says of the new SOA is not looked at (§3.7: a hint). */
export const readNotify = (packet: Buffer): ReadNotify | undefined => {
  if (packet.length < HEADER_LENGTH || opcodeOf(packet) !== opcodes.NOTIFY) return undefined
  if (packet.readUInt16BE(2) & flags.response || packet.readUInt16BE(4) !== 1) return undefined
  const read = readName(packet, HEADER_LENGTH)
  if (!read || read.end + 4 > packet.length) return undefined
  const isSoa = packet.readUInt16BE(read.end) === recordTypes.SOA && packet.readUInt16BE(read.end + 2) === classes.IN
  return isSoa ? { zone: canonicalName(read.name), questionEnd: read.end + 4 } : undefined
}

/** §4.7: the request's id, opcode and question. */
export const notifyReply = (packet: Buffer, { questionEnd }: ReadNotify, rcode: number): Buffer => {
  const header = headerReply(packet, rcode)
  header.writeUInt16BE(header.readUInt16BE(2) | flags.authoritative, 2)
  header.writeUInt16BE(1, 4)
  return Buffer.concat([header, packet.subarray(HEADER_LENGTH, questionEnd)])
}

/** Whether `reply` is what was asked for by `sent`, a NOTIFY of ours. */
export const isNotifyReply = (sent: Buffer, reply: Buffer): boolean =>
  reply.length >= HEADER_LENGTH &&
  reply.readUInt16BE(0) === sent.readUInt16BE(0) &&
  opcodeOf(reply) === opcodes.NOTIFY &&
  (reply.readUInt16BE(2) & flags.response) !== 0

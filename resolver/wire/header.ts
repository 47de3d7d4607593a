/**
 * The strict gate that every packet passes before anything parses it: twelve bytes are looked at, in constant time.
 * What it refuses costs the server nothing (a header with counts of 0xFFFF must not start a loop).
 */
import { opcodes, rcodes } from './codes.ts'

/** RFC 1035 §4.1.1. */
export const HEADER_LENGTH = 12

/** Bits of the second 16-bit word. */
export const flags = {
  /** QR. */
  response: 0x8000,
  /** AA. */
  authoritative: 0x0400,
  /** TC. */
  truncated: 0x0200,
  /** RD. */
  recursionDesired: 0x0100,
  /** RA. */
  recursionAvailable: 0x0080,
  /** AD (RFC 4035 §3.2.3). */
  authenticData: 0x0020,
  /** CD (RFC 4035 §3.2.2). */
  checkingDisabled: 0x0010,
} as const

const OPCODE_MASK = 0x7800

export const opcodeOf = (packet: Buffer): number => (packet.readUInt16BE(2) & OPCODE_MASK) >> 11

export type GateVerdict =
  /** Well-formed as far as the header tells: parse it. */
  | 'parse'
  /** Too short for a header, or a response: an answer could start a loop between servers. */
  | 'ignore'
  /** An operation that this server does not do. */
  | 'not-implemented'
  /** Counts that no query has. */
  | 'malformed'

export const gateHeader = (packet: Buffer): GateVerdict => {
  if (packet.length < HEADER_LENGTH) return 'ignore'
  if (packet.readUInt16BE(2) & flags.response) return 'ignore'
  // RFC 1035 §4.1.1. NOTIFY (notify.ts) has been taken before, where somebody wants it.
  if (opcodeOf(packet) !== opcodes.QUERY) return 'not-implemented'
  // RFC 9619 §4: "QDCOUNT MUST be exactly one"
  if (packet.readUInt16BE(4) !== 1) return 'malformed'
  // IXFR carries one SOA in the authority section (RFC 1995 §3); OPT and TSIG are the two records of the additional one.
  if (packet.readUInt16BE(6) > 1 || packet.readUInt16BE(8) > 1 || packet.readUInt16BE(10) > 2) return 'malformed'
  return 'parse'
}

/**
 * A reply of a header alone: id, opcode, RD and CD as in the request, all sections empty. `rcode` < 16. The packet must
 * have a header.
 */
export const headerReply = (packet: Buffer, rcode: number): Buffer => {
  const reply = Buffer.alloc(HEADER_LENGTH)
  const request = packet.readUInt16BE(2)
  const kept = OPCODE_MASK | flags.recursionDesired | flags.checkingDisabled
  reply.writeUInt16BE(packet.readUInt16BE(0), 0)
  reply.writeUInt16BE(flags.response | (request & kept) | rcode, 2)
  return reply
}

/** What a server says when it could not think: SERVFAIL to anything that may be answered, else silence. */
export const failureReply = (packet: Buffer): Buffer | undefined =>
  gateHeader(packet) === 'ignore' ? undefined : headerReply(packet, rcodes.SERVFAIL)

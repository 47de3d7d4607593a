/**
 * A question to another server, hard to forge an answer to: a random id, and over UDP the letters of the name in random
 * case (draft-vixie-dnsext-dns0x20), which the reply must repeat. Sockets add the random port.
 */
import type { Random } from '#lib/random.ts'
import { ednsOptionCodes } from '../wire/codes.ts'
import type { EdnsOption } from '../wire/edns.ts'
import { OWN_UDP_SIZE } from '../wire/edns.ts'
import { encodeQuery } from '../wire/encode.ts'
import { flags, HEADER_LENGTH } from '../wire/header.ts'
import { skipName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

/** What is asked; equal questions that are under way at the same time are asked once. */
export interface UpstreamQuestion {
  /** Canonical. */
  readonly name: DnsName
  readonly type: number
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
  readonly authenticData: boolean
  readonly dnssecOk: boolean
  /** Whether only servers of this site may be asked. */
  readonly siteOnly?: boolean
  /** EDNS options to send, besides those between us and the server. */
  readonly options?: readonly EdnsOption[]
}

export interface MessageStyle {
  /** Whether the name's letters get random case. */
  readonly mixedCase: boolean
  /** Whether OPT is sent: some old servers choke on it. */
  readonly edns: boolean
  /** Whether the server is asked how long it keeps idle connections (RFC 7828 §3.2.1). */
  readonly keepalive: boolean
  /** Whether the length is hidden (RFC 7830 §6: over encrypted transports alone). */
  readonly padded: boolean
}

/** RFC 8467 §4.1: queries are padded to a multiple of this many bytes. */
const PADDED_BLOCK = 128

export const composeMessage = (question: UpstreamQuestion, style: MessageStyle, random: Random): Buffer => {
  const { options: asked = noOptions } = question
  const id = random.integer(0x10000)
  const options = style.keepalive ? [...asked, keepalive] : asked
  const unpadded = encodeWith(question, id, style.edns ? options : undefined)
  const isPadded = style.edns && style.padded
  const packet = isPadded ? encodeWith(question, id, [...options, paddingFor(unpadded.length)]) : unpadded
  if (style.mixedCase) mixCase(packet, random)
  return packet
}

const noOptions: readonly EdnsOption[] = []
const keepalive: EdnsOption = { code: ednsOptionCodes.KEEPALIVE, data: Buffer.alloc(0) }

/** `options`: of OPT; undefined: none is sent. */
const encodeWith = (question: UpstreamQuestion, id: number, options: readonly EdnsOption[] | undefined): Buffer => {
  const { name, type, recursionDesired, checkingDisabled, authenticData, dnssecOk } = question
  const edns = options && { udpSize: OWN_UDP_SIZE, dnssecOk, options }
  return encodeQuery({ id, name, type, recursionDesired, checkingDisabled, authenticData, edns })
}

const paddingFor = (length: number): EdnsOption => ({
  code: ednsOptionCodes.PADDING,
  data: Buffer.alloc((PADDED_BLOCK - ((length + 4) % PADDED_BLOCK)) % PADDED_BLOCK),
})

/** Of ASCII; length bytes are below 64, so they are no letters. */
const isLetter = (byte: number): boolean => (byte & 0xdf) >= 0x41 && (byte & 0xdf) <= 0x5a

/** Flips bit 0x20 of the name's letters at random. */
const mixCase = (packet: Buffer, random: Random): void => {
  const end = skipName(packet, HEADER_LENGTH)!
  let bits = 0
  let left = 0
  for (let at = HEADER_LENGTH; at < end; at++) {
    if (!isLetter(packet[at]!)) continue
    if (left === 0) {
      bits = random.integer(2 ** 32)
      left = 32
    }
    if (bits & 1) packet[at]! ^= 0x20
    bits >>>= 1
    left--
  }
}

export type ReplyCheck =
  | 'ours'
  /** Ours but for the case of the name: a server that does not keep it, or a forger. */
  | 'wrong-case'
  | 'foreign'

/** Whether `reply` answers `sent`: id, QR and the question's bytes. Error replies may leave the question out. */
export const checkReply = (sent: Buffer, reply: Buffer): ReplyCheck => {
  if (reply.length < HEADER_LENGTH || reply.readUInt16BE(0) !== sent.readUInt16BE(0)) return 'foreign'
  const bits = reply.readUInt16BE(2)
  if (!(bits & flags.response)) return 'foreign'
  const end = skipName(sent, HEADER_LENGTH)! + 4
  if (reply.readUInt16BE(4) === 0) {
    const isError = (bits & 0xf) !== 0
    return isError && reply.readUInt16BE(6) === 0 ? 'ours' : 'foreign'
  }
  if (reply.length < end) return 'foreign'
  let check: ReplyCheck = 'ours'
  for (let at = HEADER_LENGTH; at < end; at++) {
    if (sent[at] === reply[at]) continue
    const isCase = at < end - 4 && isLetter(sent[at]!) && (sent[at]! ^ reply[at]!) === 0x20
    if (!isCase) return 'foreign'
    check = 'wrong-case'
  }
  return check
}

/**
 * Puts the reply's question, which is ours in any case, into lower case, as replies are given on. Names that point to it
 * (nearly all do) lose the random case with it.
 */
export const unmixReply = (reply: Buffer): void => {
  if (reply.readUInt16BE(4) !== 1) return
  const end = skipName(reply, HEADER_LENGTH)!
  for (let at = HEADER_LENGTH; at < end; at++) if (isLetter(reply[at]!)) reply[at]! |= 0x20
}

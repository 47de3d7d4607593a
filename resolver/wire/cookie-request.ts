/** A query that asks for nothing but a server cookie (RFC 7873 §5.4): no question, and an OPT with a COOKIE. */
import { ednsOptionCodes, opcodes, rcodes } from './codes.ts'
import { CLIENT_COOKIE_LENGTH, isCookieLength, type ServerCookies } from './cookie.ts'
import { type Edns, encodeOpt, findOption, OWN_UDP_SIZE } from './edns.ts'
import { flags, HEADER_LENGTH, headerReply, opcodeOf } from './header.ts'
import { readQueryRecords } from './message.ts'

export interface CookieRequest {
  readonly edns: Edns
  /** The client's cookie, with the server's or without. */
  readonly cookie: Buffer
}

/** Undefined: it is none. */
export const readCookieRequest = (packet: Buffer): CookieRequest | undefined => {
  if (packet.length <= HEADER_LENGTH || packet.readUInt16BE(4) !== 0) return undefined
  if (packet.readUInt16BE(2) & flags.response || opcodeOf(packet) !== opcodes.QUERY) return undefined
  if (packet.readUInt32BE(6) !== 0 || packet.readUInt16BE(10) > 2) return undefined
  const records = readQueryRecords(packet, HEADER_LENGTH)
  if (records === 'malformed' || !records.edns || records.edns.version > 0) return undefined
  const cookie = findOption(records.edns, ednsOptionCodes.COOKIE)?.data
  return cookie && isCookieLength(cookie.length) ? { edns: records.edns, cookie } : undefined
}

/** Who sent a server cookie that is not good (any more) gets BADCOOKIE, and everybody a good one. */
export const cookieReply = (
  packet: Buffer,
  { edns, cookie }: CookieRequest,
  cookies: ServerCookies,
  address: Buffer,
): { readonly rcode: number; readonly reply: Buffer } => {
  const isGood = cookie.length === CLIENT_COOKIE_LENGTH || cookies.accepts(cookie, address)
  const rcode = isGood ? rcodes.NOERROR : rcodes.BADCOOKIE
  const header = headerReply(packet, rcode & 0xf)
  header.writeUInt16BE(1, 10)
  const options = [cookies.reply(cookie, address)]
  const opt = encodeOpt({ rcode, dnssecOk: edns.dnssecOk, udpSize: OWN_UDP_SIZE, options })
  return { rcode, reply: Buffer.concat([header, opt]) }
}

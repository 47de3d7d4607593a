/** The OPT pseudo-record (RFC 6891) between wire and values. Its owner and TYPE are written and checked here too. */
import type { Milliseconds } from '#lib/clock.ts'
import { ednsOptionCodes, recordTypes } from './codes.ts'

/**
 * What this server takes and sends over UDP, in bytes: no fragments on any link of 1280 bytes MTU
 * (DNS Flag Day 2020, RFC 9715 §3.1).
 */
export const OWN_UDP_SIZE = 1232
/** RFC 1035 §4.2.1: what a client without EDNS takes over UDP. */
export const PLAIN_UDP_SIZE = 512

export interface EdnsOption {
  readonly code: number
  readonly data: Buffer
}

/** The OPT pseudo-record of a query (RFC 6891). */
export interface Edns {
  readonly version: number
  /** What the client can take over UDP, as it said it. */
  readonly udpSize: number
  readonly dnssecOk: boolean
  readonly options: readonly EdnsOption[]
}

/** RFC 8914: why an answer is what it is. */
export interface ExtendedError {
  /** INFO-CODE. */
  readonly code: number
  /** EXTRA-TEXT for people. */
  readonly text: string
}

/** Root owner, TYPE, CLASS, TTL, RDLENGTH. */
const OPT_FIXED_LENGTH = 11
const DNSSEC_OK = 0x8000

/** Options of an OPT's RDATA (RFC 6891 §6.1.2); `undefined` if the lengths do not add up. */
const readOptions = (data: Buffer): EdnsOption[] | undefined => {
  const options: EdnsOption[] = []
  for (let at = 0; at < data.length; ) {
    if (at + 4 > data.length) return undefined
    const end = at + 4 + data.readUInt16BE(at + 2)
    if (end > data.length) return undefined
    options.push({ code: data.readUInt16BE(at), data: data.subarray(at + 4, end) })
    at = end
  }
  return options
}

export interface OptFields {
  /** CLASS: the sender's UDP payload size. */
  readonly udpSize: number
  /** TTL: the high 8 bits of the RCODE, version, DO, Z. */
  readonly ttl: number
  readonly data: Buffer
}

/** `undefined`: malformed options. Options of a version that is not known are not looked at. */
export const readEdns = ({ udpSize, ttl, data }: OptFields): Edns | undefined => {
  const version = (ttl >>> 16) & 0xff
  const options = version === 0 ? readOptions(data) : []
  return options && { version, udpSize, dnssecOk: (ttl & DNSSEC_OK) !== 0, options }
}

/** The first option with `code`; further ones do not count (RFC 7873 §5.2, RFC 5001 §2.1). */
export const findOption = ({ options }: Edns, code: number): EdnsOption | undefined =>
  options.find(option => option.code === code)

export interface OptRecord {
  /** The whole RCODE, 12 bits. */
  readonly rcode: number
  readonly dnssecOk: boolean
  readonly udpSize: number
  readonly options: readonly EdnsOption[]
}

/** Must not be written to: one without options is given to all who want one like it. */
export const encodeOpt = (opt: OptRecord): Buffer => {
  const { rcode, dnssecOk, udpSize, options } = opt
  if (options.length > 0 || udpSize !== OWN_UDP_SIZE || rcode > 0xf) return makeOpt(opt)
  return dnssecOk ? (bareDnssecOpt ??= makeOpt(opt)) : (bareOpt ??= makeOpt(opt))
}

let bareOpt: Buffer | undefined
let bareDnssecOpt: Buffer | undefined

const makeOpt = ({ rcode, dnssecOk, udpSize, options }: OptRecord): Buffer => {
  let length = 0
  for (const { data } of options) length += 4 + data.length
  // From Node's pool, unlike `alloc`: each byte is written here.
  const opt = Buffer.allocUnsafe(OPT_FIXED_LENGTH + length)
  opt[0] = 0
  opt.writeUInt16BE(recordTypes.OPT, 1)
  opt.writeUInt16BE(udpSize, 3)
  opt[5] = rcode >> 4
  opt[6] = 0
  opt.writeUInt16BE(dnssecOk ? DNSSEC_OK : 0, 7)
  opt.writeUInt16BE(length, 9)
  let at = OPT_FIXED_LENGTH
  for (const { code, data } of options) {
    at = opt.writeUInt16BE(code, at)
    at = opt.writeUInt16BE(data.length, at)
    at += data.copy(opt, at)
  }
  return opt
}

/** RFC 8467 §4.1: replies are padded to a multiple of this many bytes. */
const PADDED_BLOCK = 468

/**
 * An OPT with Padding (RFC 7830) as its last option. `length`: the message with `opt` as it is; `limit`: the most that it
 * may have; bytes.
 */
export const padOpt = (opt: Buffer, length: number, limit: number): Buffer => {
  const unpadded = length + 4
  if (unpadded > limit) return opt
  const padding = Math.min(limit - unpadded, (PADDED_BLOCK - (unpadded % PADDED_BLOCK)) % PADDED_BLOCK)
  // RFC 7830 §3: "SHOULD be 0x00".
  const padded = Buffer.alloc(opt.length + 4 + padding)
  opt.copy(padded)
  padded.writeUInt16BE(padded.length - OPT_FIXED_LENGTH, 9)
  padded.writeUInt16BE(ednsOptionCodes.PADDING, opt.length)
  padded.writeUInt16BE(padding, opt.length + 2)
  return padded
}

/** RFC 7828 §3.1: how long the connection stays open without a query, in units of 100 ms. */
export const encodeKeepalive = (idleTimeout: Milliseconds): EdnsOption => {
  const data = Buffer.alloc(2)
  data.writeUInt16BE(Math.min(Math.floor(idleTimeout / 100), 0xffff))
  return { code: ednsOptionCodes.KEEPALIVE, data }
}

/** RFC 8914 §2: INFO-CODE, then EXTRA-TEXT in UTF-8 without a final NUL. */
export const encodeExtendedError = ({ code, text }: ExtendedError): EdnsOption => {
  const data = Buffer.alloc(2 + Buffer.byteLength(text))
  data.writeUInt16BE(code, 0)
  data.write(text, 2)
  return { code: ednsOptionCodes.EDE, data }
}

/** The extended errors among options; one that is too short to hold a code is passed over. */
export const readExtendedErrors = (options: readonly EdnsOption[]): ExtendedError[] =>
  options
    .filter(({ code, data }) => code === ednsOptionCodes.EDE && data.length >= 2)
    .map(({ data }) => ({ code: data.readUInt16BE(0), text: data.toString('utf8', 2).replace(/\0$/, '') }))

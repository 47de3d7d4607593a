/** Where a finished reply holds what changes from one time that it is given to the next. */
import { ednsOptionCodes, recordTypes } from './codes.ts'
import { COOKIE_LENGTH } from './cookie.ts'
import { HEADER_LENGTH } from './header.ts'
import { skipName } from './name.ts'

export interface ReplyLayout {
  /** Offsets of the TTLs. */
  readonly ttls: readonly number[]
  /** Offset of the serial of the SOA (RFC 1035 §3.3.13); 0: there is none, or more than one. */
  readonly serialAt: number
  /** Offset of the DNS cookie (RFC 7873 §4) of the client and this server; 0: there is none, or more than one. */
  readonly cookieAt: number
  /** The first addresses of one type that stand one after the other in the answer, all of the same size. */
  readonly turns: { readonly at: number; readonly size: number; readonly count: number }
  /** Records of the answer that `loadbalance` would put in another order: addresses and mail servers. */
  readonly moved: number
  /**
   * Whether nothing in it depends on the spelling of the question but the question itself and the owners that point to
   * it: addresses of that very name, and an SOA, which is spelled as the question spelled the zone.
   */
  readonly anyCase: boolean
  /** Offsets of all pointers in an SOA that is the only record, of a reply of any length; none otherwise. */
  readonly pointers: readonly number[]
  readonly questionEnd: number
}

/** A pointer to the question's name (RFC 1035 §4.1.4). */
const QUESTION_POINTER = 0xc000 | HEADER_LENGTH
/** Offsets of pointers are 14 bits. */
const MAX_POINTER = 0x3fff
/** TYPE, CLASS, TTL, RDLENGTH. */
const FIXED = 10
/** Serial, refresh, retry, expire, minimum. */
const SOA_NUMBERS = 20

const isAddress = (type: number): boolean => type === recordTypes.A || type === recordTypes.AAAA
const isMoved = (type: number): boolean => isAddress(type) || type === recordTypes.MX

/** `reply` must be a reply that this server made, with one question. */
export const layOutReply = (reply: Buffer): ReplyLayout => {
  const answers = reply.readUInt16BE(6)
  const records = answers + reply.readUInt16BE(8) + reply.readUInt16BE(10)
  const ttls: number[] = []
  const serials: number[] = []
  let anyCase = true
  let moved = 0
  let options: OptionLayout = { cookieAt: 0, isPadded: false }
  let turns: Run = { at: 0, size: 0, count: 0, type: 0 }
  const questionEnd = skipName(reply, HEADER_LENGTH)! + 4
  let at = questionEnd
  for (let index = 0; index < records; index++) {
    const start = at
    const fields = skipName(reply, at)!
    const type = reply.readUInt16BE(fields)
    at = fields + FIXED + reply.readUInt16BE(fields + 8)
    if (type === recordTypes.OPT) {
      options = layOutOptions(reply, fields + FIXED, at)
      continue
    }
    ttls.push(fields + 4)
    if (type === recordTypes.SOA) serials.push(at - SOA_NUMBERS)
    anyCase &&= type === recordTypes.SOA ? isZoneAlone(reply, start, fields + FIXED) : isQuestion(reply, start, type)
    if (index >= answers || !isMoved(type)) continue
    moved++
    turns = withTurn(turns, start, at, type)
  }
  const { at: first, size, count } = turns
  return {
    ttls,
    serialAt: serials.length === 1 ? serials[0]! : 0,
    cookieAt: options.cookieAt,
    turns: count > 1 ? { at: first, size, count } : { at: 0, size: 0, count: 0 },
    moved,
    anyCase,
    // How much padding there is follows from the length of all the rest.
    pointers: ttls.length === 1 && serials.length === 1 && !options.isPadded ? soaPointers(reply, questionEnd) : [],
    questionEnd,
  }
}

interface OptionLayout {
  readonly cookieAt: number
  readonly isPadded: boolean
}

const layOutOptions = (reply: Buffer, start: number, end: number): OptionLayout => {
  const cookies: number[] = []
  let isPadded = false
  for (let at = start; at < end; ) {
    const code = reply.readUInt16BE(at)
    const length = reply.readUInt16BE(at + 2)
    at += 4
    if (code === ednsOptionCodes.COOKIE && length === COOKIE_LENGTH) cookies.push(at)
    if (code === ednsOptionCodes.PADDING) isPadded = true
    at += length
  }
  return { cookieAt: cookies.length === 1 ? cookies[0]! : 0, isPadded }
}

/** An address of the question's name. */
const isQuestion = (reply: Buffer, owner: number, type: number): boolean =>
  isAddress(type) && reply.readUInt16BE(owner) === QUESTION_POINTER

/**
 * Whether MNAME and RNAME share nothing with the question but the zone, which is the owner, in any spelling of it:
 * `ns.dns.<zone>` shares more with a question for `dns.<zone>`, if that is spelled in lower case.
 */
const isZoneAlone = (reply: Buffer, owner: number, data: number): boolean => {
  const zone = reply.readUInt16BE(owner)
  const beside = lastLabel(reply, HEADER_LENGTH, zone & MAX_POINTER)
  return [data, skipName(reply, data)!].every(name => {
    const end = skipName(reply, name)! - 2
    return reply.readUInt16BE(end) === zone && lastLabel(reply, name, end) !== beside
  })
}

/** Where the names of an SOA at `owner` end in a pointer. */
const soaPointers = (reply: Buffer, owner: number): number[] => {
  const data = skipName(reply, owner)! + FIXED
  const ends = [skipName(reply, owner)!, skipName(reply, data)!, skipName(reply, skipName(reply, data)!)!]
  return ends.map(end => end - 2).filter(at => reply.readUInt16BE(at) > 0xbfff)
}

/** The label that ends at `end`, of the name that begins at `start`, in lower case; `''`: there is none. */
const lastLabel = (reply: Buffer, start: number, end: number): string => {
  let label = ''
  for (let at = start; at < end; at += 1 + reply[at]!) label = reply.toString('latin1', at + 1, at + 1 + reply[at]!)
  return label.toLowerCase()
}

interface Run {
  readonly at: number
  readonly size: number
  readonly count: number
  readonly type: number
}

/** The run with the record from `start` to `end`, if that begins or continues it. */
const withTurn = (run: Run, start: number, end: number, type: number): Run => {
  if (run.count === 0) return isAddress(type) ? { at: start, size: end - start, count: 1, type } : run
  const isNext = type === run.type && start === run.at + run.count * run.size && end - start === run.size
  return isNext ? { ...run, count: run.count + 1 } : run
}

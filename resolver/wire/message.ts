/**
 * Messages from the wire: queries of clients (strict: what is not exactly a query gets the error that the RFCs name) and
 * responses of other servers. Names come out as they were spelled, RDATA with its names written out.
 */
import type { Milliseconds } from '#lib/clock.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { RequestContext } from '../listener.ts'
import type { Query, Question } from '../query.ts'
import type { Answer } from '../verdict.ts'
import { ednsOptionCodes, rcodes, recordTypes } from './codes.ts'
import { isCookieLength } from './cookie.ts'
import type { Edns } from './edns.ts'
import { encodeOpt, findOption, type OptFields, OWN_UDP_SIZE, readEdns, readExtendedErrors } from './edns.ts'
import { flags, gateHeader, HEADER_LENGTH, headerReply, opcodeOf } from './header.ts'
import { canonicalName, readName, skipName } from './name.ts'
import { soaData } from './rdata.ts'
import { readRdata } from './rdata-layout.ts'
import type { ResourceRecord } from './record.ts'

/** What became of a packet. */
export type DecodedQuery =
  | { readonly verdict: 'query'; readonly query: Query }
  /** No query that can be answered: send `reply`. `rcode` is for counting. */
  | { readonly verdict: 'refused'; readonly rcode: number; readonly reply: Buffer }
  /** Stay silent. */
  | { readonly verdict: 'ignored' }

/** A response of another server. `extendedErrors` come from its OPT; its other EDNS options are in `edns` only. */
export interface ResponseMessage extends Answer {
  readonly id: number
  readonly opcode: number
  /** Absent in some error replies. */
  readonly question: Question | undefined
  readonly edns: Edns | undefined
}

interface ReadQuestion {
  readonly question: Question
  readonly end: number
}

const readQuestion = (packet: Buffer): ReadQuestion | undefined => {
  const read = readName(packet, HEADER_LENGTH)
  if (!read || read.end + 4 > packet.length) return undefined
  const { name, end } = read
  const type = packet.readUInt16BE(end)
  const question = { name, canonicalName: canonicalName(name), type, class: packet.readUInt16BE(end + 2) }
  return { question, end: end + 4 }
}

/** Where a record's parts are. */
interface RecordFrame {
  readonly type: number
  readonly class: number
  readonly ttl: number
  readonly dataStart: number
  readonly end: number
}

const readFrame = (packet: Buffer, nameEnd: number): RecordFrame | undefined => {
  const dataStart = nameEnd + 10
  if (dataStart > packet.length) return undefined
  const end = dataStart + packet.readUInt16BE(nameEnd + 8)
  if (end > packet.length) return undefined
  return {
    type: packet.readUInt16BE(nameEnd),
    class: packet.readUInt16BE(nameEnd + 2),
    ttl: packet.readUInt32BE(nameEnd + 4),
    dataStart,
    end,
  }
}

const optFields = (packet: Buffer, frame: RecordFrame): OptFields => ({
  udpSize: frame.class,
  ttl: frame.ttl,
  data: packet.subarray(frame.dataStart, frame.end),
})

type QueryRecords = { readonly edns: Edns | undefined } | 'malformed'

/** Walks all records of a query; only OPT is of interest, the others must be whole. */
export const readQueryRecords = (packet: Buffer, start: number): QueryRecords => {
  const beforeAdditional = packet.readUInt16BE(6) + packet.readUInt16BE(8)
  const count = beforeAdditional + packet.readUInt16BE(10)
  let edns: Edns | undefined
  let at = start
  for (let index = 0; index < count; index++) {
    const nameEnd = skipName(packet, at)
    const frame = nameEnd === undefined ? undefined : readFrame(packet, nameEnd)
    if (!frame) return 'malformed'
    if (frame.type === recordTypes.OPT) {
      // RFC 6891 §6.1.1: in the additional section only, at most one ("FORMERR"); §6.1.2: "MUST be 0 (root domain)"
      if (edns || index < beforeAdditional || packet[at] !== 0) return 'malformed'
      edns = readEdns(optFields(packet, frame))
      if (!edns) return 'malformed'
    }
    at = frame.end
  }
  return at === packet.length ? { edns } : 'malformed'
}

const refuseQuery = (packet: Buffer, rcode: number): DecodedQuery => ({
  verdict: 'refused',
  rcode,
  reply: headerReply(packet, rcode),
})

/** RFC 6891 §6.1.3: BADVERS, with the highest version that is known here (0) and the question. */
const refuseVersion = (packet: Buffer, questionEnd: number, dnssecOk: boolean): DecodedQuery => {
  const rcode = rcodes.BADVERS
  const opt = encodeOpt({ rcode, dnssecOk, udpSize: OWN_UDP_SIZE, options: [] })
  const header = headerReply(packet, rcode & 0xf)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(1, 10)
  return { verdict: 'refused', rcode, reply: Buffer.concat([header, packet.subarray(HEADER_LENGTH, questionEnd), opt]) }
}

/**
 * Reads a client's packet, the header gate first. Any class and type pass: what is served is the resolver's to say.
 * `received` is on the clock's monotonic scale. The query keeps `packet`: it must not be written to afterwards.
 */
export const decodeQuery = (packet: Buffer, context: RequestContext, received: Milliseconds): DecodedQuery => {
  const gate = gateHeader(packet)
  if (gate === 'ignore') return { verdict: 'ignored' }
  if (gate === 'not-implemented') return refuseQuery(packet, rcodes.NOTIMP)
  if (gate === 'malformed') return refuseQuery(packet, rcodes.FORMERR)
  const read = readQuestion(packet)
  if (!read) return refuseQuery(packet, rcodes.FORMERR)
  const records = readQueryRecords(packet, read.end)
  if (records === 'malformed') return refuseQuery(packet, rcodes.FORMERR)
  const { edns } = records
  if (edns && edns.version > 0) return refuseVersion(packet, read.end, edns.dnssecOk)
  // RFC 7873 §5.2.2: "FORMERR" for a cookie of a length that no cookie has.
  const cookie = edns && findOption(edns, ednsOptionCodes.COOKIE)
  if (cookie && !isCookieLength(cookie.data.length)) return refuseQuery(packet, rcodes.FORMERR)
  const bits = packet.readUInt16BE(2)
  const query: Query = {
    id: packet.readUInt16BE(0),
    question: read.question,
    recursionDesired: (bits & flags.recursionDesired) !== 0,
    checkingDisabled: (bits & flags.checkingDisabled) !== 0,
    authenticData: (bits & flags.authenticData) !== 0,
    edns,
    transport: context.transport,
    client: context.client,
    local: context.local,
    server: context.server,
    idleTimeout: context.idleTimeout,
    packet,
    received,
    trace: undefined,
  }
  return { verdict: 'query', query }
}

/** RFC 2181 §8: a TTL is 31 bits; one with the high bit set counts as zero. */
const readTtl = (ttl: number): number => (ttl > 0x7fffffff ? 0 : ttl)

/** Reads records one after the other; OPT is kept apart. */
class RecordReader {
  readonly #packet: Buffer
  at: number
  opt: OptFields | undefined

  constructor(packet: Buffer, at: number) {
    this.#packet = packet
    this.at = at
  }

  /** `count` records, or the problem. Room for a count that the packet merely claims is never reserved. */
  section(count: number): ResourceRecord[] | string {
    const records: ResourceRecord[] = []
    for (let index = 0; index < count; index++) {
      const owner = readName(this.#packet, this.at)
      const frame = owner && readFrame(this.#packet, owner.end)
      if (!frame) return 'a record is cut off or its owner is malformed'
      if (frame.type === recordTypes.OPT) {
        if (this.opt || owner.name !== '.') return 'more than one OPT, or one that is not the root’s'
        this.opt = optFields(this.#packet, frame)
      } else {
        const data = readRdata(this.#packet, frame.type, frame.dataStart, frame.end - frame.dataStart)
        if (!data) return 'a record’s data is malformed'
        records.push({ name: owner.name, type: frame.type, class: frame.class, ttl: readTtl(frame.ttl), data })
      }
      this.at = frame.end
    }
    return records
  }
}

/**
 * Reads a server's response; a problem says what is wrong with it. Whether it answers the question that was asked (id,
 * question, address) is the asker's to check.
 */
export const decodeResponse = (packet: Buffer): Result<ResponseMessage, string> => {
  if (packet.length < HEADER_LENGTH) return refused('shorter than a header')
  const bits = packet.readUInt16BE(2)
  if (!(bits & flags.response)) return refused('not a response')
  const questions = packet.readUInt16BE(4)
  if (questions > 1) return refused('more than one question')
  const read = questions === 1 ? readQuestion(packet) : undefined
  if (questions === 1 && !read) return refused('the question is malformed')
  const reader = new RecordReader(packet, read?.end ?? HEADER_LENGTH)
  const answers = reader.section(packet.readUInt16BE(6))
  if (typeof answers === 'string') return refused(answers)
  const authority = reader.section(packet.readUInt16BE(8))
  if (typeof authority === 'string') return refused(authority)
  if (reader.opt) return refused('OPT outside the additional section')
  const additional = reader.section(packet.readUInt16BE(10))
  if (typeof additional === 'string') return refused(additional)
  if (reader.at !== packet.length) return refused('bytes after the last record')
  const { opt } = reader as { readonly opt: OptFields | undefined }
  const edns = opt && readEdns(opt)
  if (opt && !edns) return refused('the options of OPT are malformed')
  const extendedErrors = readExtendedErrors(edns?.options ?? [])
  return accepted({
    id: packet.readUInt16BE(0),
    opcode: opcodeOf(packet),
    question: read?.question,
    rcode: (bits & 0xf) | (opt ? (opt.ttl >>> 24) << 4 : 0),
    authoritative: (bits & flags.authoritative) !== 0,
    truncated: (bits & flags.truncated) !== 0,
    recursionAvailable: (bits & flags.recursionAvailable) !== 0,
    authenticData: (bits & flags.authenticData) !== 0,
    answers,
    authority,
    additional,
    edns,
    ...(extendedErrors.length > 0 && { extendedErrors }),
  })
}

/** RFC 1995 §3: the serial of the SOA in an IXFR query's authority section; undefined: it has none. */
export const ixfrSerial = ({ packet }: Query): number | undefined => {
  const read = readQuestion(packet)
  if (!read || packet.readUInt16BE(6) !== 0 || packet.readUInt16BE(8) !== 1) return undefined
  const records = new RecordReader(packet, read.end).section(1)
  if (typeof records === 'string' || records[0]?.type !== recordTypes.SOA) return undefined
  return soaData.decode(records[0].data).serial
}

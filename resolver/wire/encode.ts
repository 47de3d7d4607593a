/**
 * Messages to the wire: answers to clients and questions to other servers. Always compressed, never longer than the
 * asker can take.
 */
import type { Query } from '../query.ts'
import { type Answer, emptyAnswer } from '../verdict.ts'
import { classes, ednsOptionCodes, rcodes, recordTypes } from './codes.ts'
import type { Edns, EdnsOption } from './edns.ts'
import { encodeExtendedError, encodeOpt, findOption, OWN_UDP_SIZE, PLAIN_UDP_SIZE, padOpt } from './edns.ts'
import { flags, HEADER_LENGTH } from './header.ts'
import { MAX_MESSAGE, MessageWriter } from './message-writer.ts'
import { skipName } from './name.ts'
import type { DnsName, ResourceRecord } from './record.ts'

export interface EncodeOptions {
  /** Our own UDP size: advertised in OPT, and the most that is sent whatever the client can take. Default 1232 bytes. */
  readonly udpSize?: number
  /** EDNS options to send besides the answer's own, to a client that sent OPT. */
  readonly options?: readonly EdnsOption[]
}

/**
 * How long a reply to `query` may be. RFC 6891 §6.2.3: sizes below 512 count as 512; §6.2.5 leaves a server to send less
 * than the client can take.
 */
export const replyLimit = (query: Query, udpSize: number = OWN_UDP_SIZE): number => {
  if (query.transport !== 'udp') return MAX_MESSAGE
  if (!query.edns) return PLAIN_UDP_SIZE
  return Math.min(Math.max(query.edns.udpSize, PLAIN_UDP_SIZE), udpSize)
}

const writer = new MessageWriter()
const noOpt = Buffer.alloc(0)

/** The question of the request as it came. Its name has no pointers: `decodeQuery` refuses those that lead to the header. */
const writeQuestion = ({ packet, question }: Query): void =>
  writer.question(packet, HEADER_LENGTH, skipName(packet, HEADER_LENGTH)! + 4, question.name)

const encodeFlags = (query: Query, answer: Answer, rcode: number): number => {
  let bits = flags.response | (rcode & 0xf)
  if (answer.authoritative) bits |= flags.authoritative
  if (answer.truncated) bits |= flags.truncated
  if (answer.recursionAvailable) bits |= flags.recursionAvailable
  if (answer.recursionDesired ?? query.recursionDesired) bits |= flags.recursionDesired
  if (query.checkingDisabled) bits |= flags.checkingDisabled
  // RFC 6840 §5.8: AD only to those who asked for it, by AD or DO.
  if (answer.authenticData && (query.authenticData || query.edns?.dnssecOk)) bits |= flags.authenticData
  return bits
}

/** Writes records while they fit. How many did; fewer than given: the writer stands after the last one that did. */
const writeWhileFits = (records: readonly ResourceRecord[], limit: number): number => {
  for (const [index, record] of records.entries()) {
    const before = writer.end
    writer.record(record)
    if (writer.end > limit) {
      writer.truncate(before)
      return index
    }
  }
  return records.length
}

/**
 * Writes whole RRsets while they fit: half an RRset without TC would look like all of it (RFC 2181 §9). How many
 * records were written.
 */
const writeSetsWhileFit = (records: readonly ResourceRecord[], limit: number): number => {
  let setStart = 0
  let setEnd = writer.end
  for (const [index, record] of records.entries()) {
    const previous = records[index - 1]
    if (previous && (previous.type !== record.type || previous.name !== record.name)) {
      setStart = index
      setEnd = writer.end
    }
    writer.record(record)
    if (writer.end > limit) {
      writer.truncate(setEnd)
      return setStart
    }
  }
  return records.length
}

/** What makes an authority section part of the answer: a denial, or the proof that a wildcard had to stand for a name. */
const proving: ReadonlySet<number> = new Set([recordTypes.SOA, recordTypes.NSEC, recordTypes.NSEC3])

/** Whether the answer means something else without its authority section: negative answers, referrals and proofs. */
const needsAuthority = (answer: Answer): boolean =>
  answer.answers.length === 0 || answer.authority.some(record => proving.has(record.type))

interface Sections {
  readonly counts: readonly [number, number, number]
  /** Something that belongs to the answer did not fit: TC. */
  readonly truncated: boolean
}

/** RFC 2181 §9: what is additional is left out silently, what is required sets TC and ends the message. */
const writeSections = (answer: Answer, limit: number): Sections => {
  const answers = writeWhileFits(answer.answers, limit)
  if (answers < answer.answers.length) return { counts: [answers, 0, 0], truncated: true }
  const authority = writeSetsWhileFit(answer.authority, limit)
  if (authority < answer.authority.length) {
    return { counts: [answers, authority, 0], truncated: needsAuthority(answer) }
  }
  return { counts: [answers, authority, writeSetsWhileFit(answer.additional, limit)], truncated: false }
}

const encodeErrors = ({ extendedErrors = [] }: Answer, withText: boolean): EdnsOption[] =>
  extendedErrors.map(error => encodeExtendedError(withText ? error : { ...error, text: '' }))

interface OwnOpt {
  readonly rcode: number
  readonly udpSize: number
  readonly dnssecOk: boolean
}

const encodeOwnOpt = (own: OwnOpt, answer: Answer, { options: further = [] }: EncodeOptions, withText: boolean) =>
  encodeOpt({ ...own, options: [...encodeErrors(answer, withText), ...(answer.ednsOptions ?? []), ...further] })

/** RFC 7830 §6: over encrypted transports alone; §4: to a client that has padded its query. */
const wantsPadding = ({ edns, transport }: Query): boolean =>
  edns !== undefined &&
  (transport === 'tls' || transport === 'https') &&
  findOption(edns, ednsOptionCodes.PADDING) !== undefined

/**
 * The reply to `query`: the question as the client spelled it, RD and CD copied, OPT where the client sent one (RFC 6891
 * §7), cut to what the client can take. An RCODE above 15 becomes SERVFAIL for a client without EDNS.
 */
export const encodeAnswer = (query: Query, answer: Answer, options: EncodeOptions = {}): Buffer => {
  const { udpSize = OWN_UDP_SIZE } = options
  const rcode = answer.rcode > 0xf && !query.edns ? rcodes.SERVFAIL : answer.rcode
  const bits = encodeFlags(query, answer, rcode)
  const limit = replyLimit(query, udpSize)
  const isPadded = wantsPadding(query)
  for (let withText = true; ; withText = false) {
    const opt = query.edns
      ? encodeOwnOpt({ rcode, udpSize, dnssecOk: query.edns.dnssecOk }, answer, options, withText)
      : noOpt
    writer.begin(query.id, bits)
    writeQuestion(query)
    const { counts, truncated } = writeSections(answer, limit - opt.length)
    // The words of an extended error (RFC 8914 §3: "may be truncated") must not cost the answer its records.
    const isTooLong = truncated || writer.end + opt.length > limit
    if (isTooLong && withText && answer.extendedErrors?.some(error => error.text !== '')) continue
    if (opt.length > 0) writer.bytes(isPadded ? padOpt(opt, writer.end + opt.length, limit) : opt)
    const [answers, authority, additional] = counts
    const all = [1, answers, authority, additional + (opt.length > 0 ? 1 : 0)] as const
    return writer.finish(truncated ? bits | flags.truncated : bits, all)
  }
}

/** Compression reaches no further (RFC 1035 §4.1.4), and a message is made in one go: about a thousand records. */
const TRANSFER_MESSAGE = 0x4000

/**
 * The messages of a zone transfer. RFC 5936 §2.2: as many records in each as fit; the question in the first (§2.2.1),
 * and OPT there too (§2.2.5).
 */
export function* encodeTransfer(
  query: Query,
  records: Iterable<ResourceRecord>,
  options: EncodeOptions = {},
): Generator<Buffer, void> {
  const rcode = rcodes.NOERROR
  const bits = encodeFlags(query, emptyAnswer(rcode, { authoritative: true }), rcode)
  const iterator = records[Symbol.iterator]()
  let opt = transferOpt(query, options)
  // RFC 9103 §9.2: each message of a transfer over TLS has a padding of its own.
  const isPadded = wantsPadding(query)
  let questions = 1
  for (let next = iterator.next(); !next.done; ) {
    writer.begin(query.id, bits)
    if (questions === 1) writeQuestion(query)
    let count = 0
    while (!next.done) {
      const before = writer.end
      writer.record(next.value)
      // A record of its own may be longer than the rest of a message should be.
      if (writer.end + opt.length > (count === 0 ? MAX_MESSAGE : TRANSFER_MESSAGE)) {
        writer.truncate(before)
        break
      }
      count++
      next = iterator.next()
    }
    if (count === 0) throw new RangeError('a record is too long for a message')
    writer.bytes(isPadded ? padOpt(opt, writer.end + opt.length, MAX_MESSAGE) : opt)
    yield writer.finish(bits, [questions, count, 0, opt.length > 0 ? 1 : 0])
    if (!isPadded) opt = noOpt
    questions = 0
  }
}

/** A question to another server. */
export interface OutgoingQuery {
  readonly id: number
  readonly name: DnsName
  readonly type: number
  /** Default IN. */
  readonly class?: number
  readonly recursionDesired: boolean
  readonly checkingDisabled?: boolean
  readonly authenticData?: boolean
  /** OPT to send; `undefined`: none. */
  readonly edns: Omit<Edns, 'version'> | undefined
}

/** The bytes of a question to another server. */
export const encodeQuery = (query: OutgoingQuery): Buffer => {
  let bits = 0
  if (query.recursionDesired) bits |= flags.recursionDesired
  if (query.checkingDisabled) bits |= flags.checkingDisabled
  if (query.authenticData) bits |= flags.authenticData
  writer.begin(query.id, bits)
  writer.ask(query.name, query.type, query.class ?? classes.IN)
  if (query.edns) writer.bytes(encodeOpt({ rcode: 0, ...query.edns }))
  return writer.finish(bits, [1, 0, 0, query.edns ? 1 : 0])
}

const transferOpt = ({ edns }: Query, { udpSize = OWN_UDP_SIZE, options = [] }: EncodeOptions): Buffer =>
  edns ? encodeOpt({ rcode: rcodes.NOERROR, dnssecOk: edns.dnssecOk, udpSize, options }) : noOpt

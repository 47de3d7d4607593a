/**
 * Gets a zone from another server: its serial first; if that is newer, what has changed (RFC 1995), or all of it where the
 * server does not say or what it says does not fit (RFC 1034 §4.3.5, RFC 5936).
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { rcodeName, rcodes, recordTypes } from '../wire/codes.ts'
import { encodeQuery } from '../wire/encode.ts'
import { decodeResponse, type ResponseMessage } from '../wire/message.ts'
import { canonicalName, encodeName } from '../wire/name.ts'
import { soaData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { isNewerSerial } from '../wire/serial.ts'
import { MessageStream } from './message-stream.ts'
import type { AuthorityZone } from './zone.ts'
import { ZoneBuilder } from './zone-builder.ts'
import { IncomingDifferences } from './zone-differences.ts'

export interface ZoneSource {
  readonly address: string
  readonly port: number
}

export interface FetchOptions {
  /** Canonical. */
  readonly origin: DnsName
  readonly source: ZoneSource
  /** What is here already; undefined: nothing. */
  readonly zone: AuthorityZone | undefined
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

/** CoreDNS's and BIND's tools wait as long for a message. */
const TIMEOUT: Milliseconds = 10_000
/** Bytes of one transfer: a source gone wild must not fill the memory. */
const MOST_BYTES = 256 * 1024 * 1024

/** How a zone came. */
export type FetchedZone = { readonly zone: AuthorityZone; readonly by: 'AXFR' | 'IXFR' }

/** `current`: there is nothing newer. */
export const fetchZone = async (options: FetchOptions): Promise<Result<FetchedZone | 'current', string>> => {
  const fetched = await connected(options, stream => fetchNewer(stream, options))
  if (!fetched.ok) return fetched
  if (fetched.value !== 'unfit') return accepted(fetched.value)
  return connected(options, stream => fetchWhole(stream, options))
}

/** On a connection of its own. */
const connected = async <Value>(
  { source, clock, signal }: FetchOptions,
  exchange: (stream: MessageStream) => Promise<Result<Value, string>>,
): Promise<Result<Value, string>> => {
  const stream = new MessageStream({ ...source, timeout: TIMEOUT, clock, signal })
  try {
    return await exchange(stream)
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error))
  } finally {
    stream.close()
  }
}

/** `unfit`: the differences are none, or none of ours; RFC 1995 §4: the whole zone may still be right. */
const fetchNewer = async (
  stream: MessageStream,
  options: FetchOptions,
): Promise<Result<FetchedZone | 'current' | 'unfit', string>> => {
  const { zone } = options
  const serial = await readSerial(stream, options)
  if (!serial.ok) return serial
  if (!zone) return fetchWhole(stream, options)
  if (!isNewerSerial(serial.value, zone.serial)) return accepted('current')
  const changed = await fetchChanges(stream, options, zone).catch(() => undefined)
  return changed?.ok ? changed : accepted('unfit')
}

const fetchWhole = async (stream: MessageStream, options: FetchOptions): Promise<Result<FetchedZone, string>> => {
  const incoming = new IncomingZone(options.origin)
  const read = await readInto(incoming, ask(stream, options, recordTypes.AXFR))
  if (!read.ok) return read
  const zone = incoming.finish()
  return zone.ok ? accepted({ zone: zone.value, by: 'AXFR' }) : zone
}

const fetchChanges = async (
  stream: MessageStream,
  options: FetchOptions,
  zone: AuthorityZone,
): Promise<Result<FetchedZone | 'current', string>> => {
  const incoming = new IncomingChanges(options.origin, zone.serial)
  const read = await readInto(incoming, ask(stream, options, recordTypes.IXFR, zone.soa))
  if (!read.ok) return read
  const { content } = incoming
  // A server that is behind what it just said: another one of the same address.
  if (!content) return accepted('current')
  const made = content instanceof IncomingZone ? content.finish() : await content.apply(zone)
  if (!made.ok) return made
  return accepted({ zone: made.value, by: content instanceof IncomingZone ? 'AXFR' : 'IXFR' })
}

interface Incoming {
  readonly isWhole: boolean
  add(record: ResourceRecord): Result<void, string>
}

type NextMessage = ReturnType<typeof ask>

const readInto = async (incoming: Incoming, next: NextMessage): Promise<Result<void, string>> => {
  for (let bytes = 0; !incoming.isWhole; ) {
    const message = await next()
    if (!message.ok) return message
    const { answers, size } = message.value
    if ((bytes += size) > MOST_BYTES) return refused(`the zone is larger than ${MOST_BYTES} bytes`)
    if (answers.length === 0) return refused('a message without records')
    for (const record of answers) {
      const added = incoming.add(record)
      if (!added.ok) return added
    }
  }
  return accepted(undefined)
}

/** Sends a question; gives back what reads its replies. */
const ask = (stream: MessageStream, { origin, random }: FetchOptions, type: number, soa?: ResourceRecord) => {
  const id = random.integer(0x10000)
  const packet = encodeQuery({ id, name: origin, type, recursionDesired: false, edns: undefined })
  stream.send(soa ? withAuthority(packet, soa) : packet)
  return async (): Promise<Result<ResponseMessage & { readonly size: number }, string>> => {
    const packet = await stream.next()
    const message = decodeResponse(packet)
    if (!message.ok) return message
    const { rcode, question } = message.value
    // RFC 5936 §2.2: the question may be left out of all messages but the first.
    const isAnswer = message.value.id === id && (!question || canonicalName(question.name) === origin)
    if (!isAnswer) return refused('a reply to another question')
    if (rcode !== rcodes.NOERROR) return refused(`the server said ${rcodeName(rcode)}`)
    return accepted({ ...message.value, size: packet.length })
  }
}

const isSoa = ({ name, type }: ResourceRecord, origin: DnsName): boolean =>
  type === recordTypes.SOA && canonicalName(name) === origin

const readSerial = async (stream: MessageStream, options: FetchOptions): Promise<Result<number, string>> => {
  const reply = await ask(stream, options, recordTypes.SOA)()
  if (!reply.ok) return reply
  const soa = reply.value.answers.find(record => isSoa(record, options.origin))
  return soa ? accepted(soaData.decode(soa.data).serial) : refused('the server has no SOA of the zone')
}

/** RFC 1995 §3: the SOA of what is here, in the authority section. */
const withAuthority = (query: Buffer, { name, type, class: recordClass, ttl, data }: ResourceRecord): Buffer => {
  const owner = encodeName(name)
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(recordClass, 2)
  fixed.writeUInt32BE(ttl, 4)
  fixed.writeUInt16BE(data.length, 8)
  const packet = Buffer.concat([query, owner, fixed, data])
  packet.writeUInt16BE(1, 8)
  return packet
}

/** RFC 5936 §2.2: the SOA is the first record of a transfer and the last one. */
class IncomingZone {
  readonly #origin: DnsName
  readonly #builder: ZoneBuilder
  #soas = 0

  constructor(origin: DnsName) {
    this.#origin = origin
    this.#builder = new ZoneBuilder(origin)
  }

  get isWhole(): boolean {
    return this.#soas === 2
  }

  add(record: ResourceRecord): Result<void, string> {
    if (this.isWhole) return refused('records after the last SOA')
    if (isSoa(record, this.#origin)) this.#soas++
    else if (this.#soas === 0) return refused('the transfer does not begin with the SOA')
    return this.#builder.add(record)
  }

  finish(): Result<AuthorityZone, string> {
    return this.#builder.finish()
  }
}

/** RFC 1995 §4: differences, or a whole zone, or the SOA alone where there is nothing new. */
class IncomingChanges {
  readonly #origin: DnsName
  readonly #serial: number
  #first: ResourceRecord | undefined
  /** Undefined: nothing has changed, or too little has come to say. */
  content: IncomingZone | IncomingDifferences | undefined

  /** `serial`: of what is here. */
  constructor(origin: DnsName, serial: number) {
    this.#origin = origin
    this.#serial = serial
  }

  get isWhole(): boolean {
    if (this.content) return this.content.isWhole
    return this.#first !== undefined && !isNewerSerial(soaData.decode(this.#first.data).serial, this.#serial)
  }

  add(record: ResourceRecord): Result<void, string> {
    if (!this.#first) {
      if (!isSoa(record, this.#origin)) return refused('the transfer does not begin with the SOA')
      this.#first = record
      return accepted(undefined)
    }
    this.content ??= this.#begin(this.#first, record)
    return this.content.add(record)
  }

  /** The second record tells: the SOA of what differences start from, or one of the zone's. */
  #begin(soa: ResourceRecord, second: ResourceRecord): IncomingZone | IncomingDifferences {
    if (isSoa(second, this.#origin) && !second.data.equals(soa.data)) return new IncomingDifferences(this.#origin, soa)
    const zone = new IncomingZone(this.#origin)
    zone.add(soa)
    return zone
  }
}

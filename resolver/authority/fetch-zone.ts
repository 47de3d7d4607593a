/** Gets a zone from another server: its serial first, all of it if that is newer (RFC 1034 §4.3.5, RFC 5936). */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { rcodeName, rcodes, recordTypes } from '../wire/codes.ts'
import { encodeQuery } from '../wire/encode.ts'
import { decodeResponse, type ResponseMessage } from '../wire/message.ts'
import { canonicalName } from '../wire/name.ts'
import { soaData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { isNewerSerial } from '../wire/serial.ts'
import { MessageStream } from './message-stream.ts'
import type { AuthorityZone } from './zone.ts'
import { ZoneBuilder } from './zone-builder.ts'

export interface ZoneSource {
  readonly address: string
  readonly port: number
}

export interface FetchOptions {
  /** Canonical. */
  readonly origin: DnsName
  readonly source: ZoneSource
  /** The serial that is here already; undefined: none. */
  readonly serial: number | undefined
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
}

/** CoreDNS's and BIND's tools wait as long for a message. */
const TIMEOUT: Milliseconds = 10_000
/** Bytes of one transfer: a source gone wild must not fill the memory. */
const MOST_BYTES = 256 * 1024 * 1024

/** `current`: there is nothing newer. */
export const fetchZone = async (options: FetchOptions): Promise<Result<AuthorityZone | 'current', string>> => {
  const { source, clock, signal } = options
  const stream = new MessageStream({ ...source, timeout: TIMEOUT, clock, signal })
  try {
    const serial = await readSerial(stream, options)
    if (!serial.ok) return serial
    if (options.serial !== undefined && !isNewerSerial(serial.value, options.serial)) return accepted('current')
    return await transfer(stream, options)
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error))
  } finally {
    stream.close()
  }
}

/** Sends a question; gives back what reads its replies. */
const ask = (stream: MessageStream, { origin, random }: FetchOptions, type: number) => {
  const id = random.integer(0x10000)
  stream.send(encodeQuery({ id, name: origin, type, recursionDesired: false, edns: undefined }))
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

const transfer = async (stream: MessageStream, options: FetchOptions): Promise<Result<AuthorityZone, string>> => {
  const incoming = new IncomingZone(options.origin)
  const next = ask(stream, options, recordTypes.AXFR)
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
  return incoming.finish()
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

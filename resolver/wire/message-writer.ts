/**
 * Writes a message from front to back into one scratch buffer, compressing names (RFC 1035 §4.1.4). Names are only
 * shared where their spelling is the same to the byte, so that every name keeps its case (0x20, RFC 4343 §4).
 *
 * One message at a time: nothing may be awaited between `begin` and `finish`.
 */
import { HEADER_LENGTH } from './header.ts'
import { labelEnd, ROOT, readName, writeLabel, writeName } from './name.ts'
import { compressibleFields, type Field, fieldEnd } from './rdata-layout.ts'
import type { DnsName, ResourceRecord } from './record.ts'

/** RFC 1035 §4.2.2: the most that two length bytes can say. */
export const MAX_MESSAGE = 0xffff
/** RFC 1035 §4.1.4: offsets of pointers are 14 bits. */
const MAX_POINTER = 0x3fff
/** A record may be written past the limit before it is taken back: room for the longest. */
const SLACK = 255 + 10 + 0xffff

/** Of questions, answers, authority, additional records. */
export type Counts = readonly [number, number, number, number]

/** Quicker than `toString('latin1')`; Node's own, and not in its types. */
interface LatinBuffer extends Buffer {
  latin1Slice(start: number, end: number): string
}

export class MessageWriter {
  readonly #buffer = Buffer.allocUnsafe(MAX_MESSAGE + SLACK) as LatinBuffer
  /** Where each name written so far stands; made when first needed (most answers only repeat the question's name). */
  #offsets: Map<DnsName, number> | undefined
  #questionName: DnsName = ROOT
  #end = 0

  get end(): number {
    return this.#end
  }

  begin(id: number, flags: number): void {
    this.#offsets = undefined
    this.#questionName = ROOT
    this.#end = 0
    this.#uint16(id)
    this.#uint16(flags)
    this.#end = HEADER_LENGTH
  }

  ask(name: DnsName, type: number, questionClass: number): void {
    this.#end = writeName(name, this.#buffer, this.#end)
    this.#uint16(type)
    this.#uint16(questionClass)
    this.#questionName = name
  }

  /** Copies a question's bytes as they came, from `start` to `end`. `name` is the name in them, spelled the same. */
  question(packet: Buffer, start: number, end: number, name: DnsName): void {
    packet.copy(this.#buffer, this.#end, start, end)
    this.#end += end - start
    this.#questionName = name
  }

  record({ name, type, class: recordClass, ttl, data }: ResourceRecord): void {
    this.#name(name)
    this.#uint16(type)
    this.#uint16(recordClass)
    this.#uint16(ttl >>> 16)
    this.#uint16(ttl)
    const lengthAt = this.#end
    this.#end += 2
    const fields = compressibleFields(type)
    if (fields) this.#compressData(data, fields)
    else this.bytes(data)
    this.#buffer.writeUInt16BE(this.#end - lengthAt - 2, lengthAt)
  }

  bytes(data: Buffer): void {
    data.copy(this.#buffer, this.#end)
    this.#end += data.length
  }

  /** Takes back all that was written from `end` on. Only OPT or nothing may follow: names taken back are not forgotten. */
  truncate(end: number): void {
    this.#end = end
  }

  /** A copy of the message with its flags and counts set. */
  finish(flags: number, counts: Counts): Buffer {
    this.#head(flags, counts)
    const message = Buffer.allocUnsafe(this.#end)
    this.#buffer.copy(message, 0, 0, this.#end)
    return message
  }

  /** The same, a character for each byte. */
  finishText(flags: number, counts: Counts): string {
    this.#head(flags, counts)
    return this.#buffer.latin1Slice(0, this.#end)
  }

  #head(flags: number, counts: Counts): void {
    const buffer = this.#buffer
    buffer.writeUInt16BE(flags, 2)
    for (let index = 0; index < 4; index++) buffer.writeUInt16BE(counts[index]!, 4 + 2 * index)
  }

  #uint16(value: number): void {
    this.#buffer[this.#end++] = value >>> 8
    this.#buffer[this.#end++] = value
  }

  #pointer(offset: number): void {
    this.#uint16(0xc000 | offset)
  }

  #name(name: DnsName): void {
    if (name === ROOT) {
      this.#buffer[this.#end++] = 0
    } else if (name === this.#questionName) {
      this.#pointer(HEADER_LENGTH)
    } else {
      this.#compressName(name, (this.#offsets ??= this.#questionOffsets()))
    }
  }

  #compressName(name: DnsName, offsets: Map<DnsName, number>): void {
    for (let start = 0; start < name.length; start = labelEnd(name, start)) {
      const suffix = name.slice(start)
      const known = offsets.get(suffix)
      if (known !== undefined) {
        this.#pointer(known)
        return
      }
      if (this.#end <= MAX_POINTER) offsets.set(suffix, this.#end)
      this.#end = writeLabel(name, start, this.#buffer, this.#end)
    }
    this.#buffer[this.#end++] = 0
  }

  #questionOffsets(): Map<DnsName, number> {
    const offsets = new Map<DnsName, number>()
    const name = this.#questionName
    let at = HEADER_LENGTH
    if (name === ROOT) return offsets
    for (let start = 0; start < name.length; start = labelEnd(name, start)) {
      offsets.set(name.slice(start), at)
      at += 1 + this.#buffer[at]!
    }
    return offsets
  }

  /** RDATA of the types of RFC 1035. Data that is not what its type says goes out as it is (it came from a caller). */
  #compressData(data: Buffer, fields: readonly Field[]): void {
    const start = this.#end
    let at = 0
    for (const field of fields) {
      const name = field === 'name' ? readName(data, at) : undefined
      const next = field === 'name' ? name?.end : fieldEnd(data, field, at, data.length)
      if (next === undefined) {
        this.#end = start
        this.bytes(data)
        return
      }
      if (name) this.#name(name.name)
      else this.bytes(data.subarray(at, next))
      at = next
    }
  }
}

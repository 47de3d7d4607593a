/**
 * A batch as it lies in the log: all that one group of writes changed, under one checksum, so that a batch is there whole
 * or not at all. It begins on a page of its own and fills it up with zeros: what was acknowledged is never written to
 * again. All numbers are little-endian.
 *
 *     magic u32 | CRC-32 u32, of all that follows, begun with the log's seed | sequence f64 | bytes of entries u32 | entries
 */
import { crc32 } from 'node:zlib'
import type { LeaseId, Revision } from '../../kv.ts'
import type { Row } from './rows.ts'

/** What a group of writes changes, in order. */
export type Entry =
  /** A key was put, or deleted (version 0). */
  | { readonly type: 'row'; readonly row: Row }
  | { readonly type: 'compact'; readonly revision: Revision }
  | { readonly type: 'grant'; readonly lease: LeaseId; readonly ttl: number }
  | { readonly type: 'revoke'; readonly lease: LeaseId }

/** One more with each batch. */
export type Sequence = number

export interface Batch {
  readonly sequence: Sequence
  readonly entries: readonly Entry[]
  /** In the log, with the zeros that fill the last page. */
  readonly length: number
}

/** What the system writes at once; a disk that loses power harms no other page than the one that it writes. */
export const PAGE = 4_096

const MAGIC = 0x5345_4142
const HEAD = 20
/** Where the checked part begins. */
const CHECKED = 8
/** Type, four numbers, two lengths. */
const LARGEST_ENTRY_HEAD = 1 + 4 * 8 + 2 * 4
/** A buffer that one large batch needed is not kept. */
const KEPT = 4 << 20

const toPages = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE

const CODES = { row: 1, compact: 2, grant: 3, revoke: 4 } as const

/** Makes batches, all in one buffer: what it gives is valid until the next. */
export class BatchEncoder {
  readonly #seed: number
  #buffer = Buffer.allocUnsafe(64 * PAGE)
  #end = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  encode(sequence: Sequence, entries: readonly Entry[]): Uint8Array {
    this.#reserve(entries)
    this.#end = HEAD
    for (const entry of entries) this.#add(entry)
    const buffer = this.#buffer
    buffer.writeUInt32LE(MAGIC, 0)
    buffer.writeDoubleLE(sequence, CHECKED)
    buffer.writeUInt32LE(this.#end - HEAD, CHECKED + 8)
    buffer.writeUInt32LE(crc32(buffer.subarray(CHECKED, this.#end), this.#seed), 4)
    const length = toPages(this.#end)
    buffer.fill(0, this.#end, length)
    return buffer.subarray(0, length)
  }

  #reserve(entries: readonly Entry[]): void {
    let size = HEAD
    for (const entry of entries) {
      size += LARGEST_ENTRY_HEAD
      // UTF-8 has three bytes at most for a unit of UTF-16.
      if (entry.type === 'row') size += 3 * entry.row.key.length + entry.row.value.length
    }
    const needed = toPages(size)
    if (needed > this.#buffer.length || this.#buffer.length > KEPT) this.#buffer = Buffer.allocUnsafe(needed)
  }

  #add(entry: Entry): void {
    this.#buffer[this.#end++] = CODES[entry.type]
    switch (entry.type) {
      case 'row':
        this.#addRow(entry.row)
        return
      case 'compact':
        this.#number(entry.revision)
        return
      case 'grant':
        this.#number(entry.lease)
        this.#number(entry.ttl)
        return
      case 'revoke':
        this.#number(entry.lease)
        return
    }
  }

  #addRow({ id, key, created, version, lease, value }: Row): void {
    for (const number of [id, created, version, lease]) this.#number(number)
    const buffer = this.#buffer
    const lengths = this.#end
    const start = lengths + 8
    const keyLength = buffer.write(key, start)
    buffer.set(value, start + keyLength)
    buffer.writeUInt32LE(keyLength, lengths)
    buffer.writeUInt32LE(value.length, lengths + 4)
    this.#end = start + keyLength + value.length
  }

  #number(value: number): void {
    this.#end = this.#buffer.writeDoubleLE(value, this.#end)
  }
}

/** The batch that begins at `offset`; undefined: none that is whole. */
export const decodeBatch = (log: Buffer, offset: number, seed: number): Batch | undefined => {
  if (log.length - offset < HEAD || log.readUInt32LE(offset) !== MAGIC) return undefined
  const end = offset + HEAD + log.readUInt32LE(offset + CHECKED + 8)
  if (end > log.length) return undefined
  if (crc32(log.subarray(offset + CHECKED, end), seed) !== log.readUInt32LE(offset + 4)) return undefined
  return {
    sequence: log.readDoubleLE(offset + CHECKED),
    length: toPages(end - offset),
    // Most batches of a log are in the database already: nobody asks for what is in them.
    get entries() {
      const entries: Entry[] = []
      const cursor = new Cursor(log, offset + HEAD)
      while (cursor.offset < end) entries.push(cursor.entry())
      return entries
    },
  }
}

/** Reads what a checksum has vouched for. */
class Cursor {
  readonly #log: Buffer
  offset: number

  constructor(log: Buffer, offset: number) {
    this.#log = log
    this.offset = offset
  }

  entry(): Entry {
    const code = this.#log[this.offset++]
    switch (code) {
      case CODES.row:
        return this.#row()
      case CODES.compact:
        return { type: 'compact', revision: this.#number() }
      case CODES.grant:
        return { type: 'grant', lease: this.#number(), ttl: this.#number() }
      case CODES.revoke:
        return { type: 'revoke', lease: this.#number() }
      default:
        throw new TypeError(`an entry of type ${code}`)
    }
  }

  #row(): Entry {
    const id = this.#number()
    const created = this.#number()
    const version = this.#number()
    const lease = this.#number()
    const keyEnd = this.offset + 8 + this.#log.readUInt32LE(this.offset)
    const valueEnd = keyEnd + this.#log.readUInt32LE(this.offset + 4)
    const key = this.#log.toString('utf8', this.offset + 8, keyEnd)
    const value = this.#log.subarray(keyEnd, valueEnd)
    this.offset = valueEnd
    return { type: 'row', row: { id, key, created, version, lease, value } }
  }

  #number(): number {
    const value = this.#log.readDoubleLE(this.offset)
    this.offset += 8
    return value
  }
}

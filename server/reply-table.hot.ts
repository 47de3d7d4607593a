/**
 * Finished replies in one piece of memory, by their keys: nothing is allocated when one is found, and there is nothing to
 * collect. Records are written one behind the other; what is put again takes new room, until the table is full and is
 * cleared as a whole.
 */
import type { KeptReply } from './kept-reply.ts'
import type { Key } from './question-key.hot.ts'

/** A record, in words of 4 bytes: numbers, then the key, the reply, and the lists. Records begin at multiples of 8 bytes. */
export const Field = {
  /** 8 bytes each. */
  until: 0,
  keptAt: 2,
  hash: 4,
  keyLength: 5,
  replyLength: 6,
  anyCase: 7,
  profile: 8,
  serialAt: 9,
  serialCell: 10,
  turnsAt: 11,
  turnsSize: 12,
  turnsCount: 13,
  turn: 14,
  factCount: 15,
  ttlCount: 16,
  belowHash: 17,
  hasBelowHash: 18,
  questionEnd: 19,
  pointerCount: 20,
  cookieAt: 21,
} as const
const HEAD = 22
/** Word 0 means nothing. */
const FIRST = 2

/** Bytes of the table for one slot. A usual record has 270: a quarter of the slots is taken when it is full. */
const BYTES_PER_SLOT = 64
/** Records whose slots follow one another; nobody who has so many in his way is kept. */
const MAX_PROBES = 64

const wordsOf = (bytes: number): number => (bytes + 3) >> 2

export class ReplyTable {
  readonly bytes: Uint8Array
  /** The same memory. */
  readonly words: Int32Array
  readonly view: DataView
  readonly times: Float64Array
  /** Where the record of each slot begins, in words; 0: nowhere. */
  readonly #slots: Int32Array
  /** Where the next record begins. */
  #end = FIRST

  /** `size`: bytes, slots included. */
  constructor(size: number) {
    const slots = 2 ** Math.floor(Math.log2(Math.max(1, size / BYTES_PER_SLOT)))
    this.#slots = new Int32Array(slots)
    const memory = new ArrayBuffer(Math.max(16, (size - 4 * slots) & ~7))
    this.bytes = new Uint8Array(memory)
    this.words = new Int32Array(memory)
    this.view = new DataView(memory)
    this.times = new Float64Array(memory)
  }

  /** Where the key's record begins; 0: there is none. */
  find(key: Key): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = key.hash & mask, probes = 0; probes < MAX_PROBES; slot = (slot + 1) & mask, probes++) {
      const record = slots[slot]!
      if (record === 0 || this.#isOf(record, key)) return record
    }
    return 0
  }

  /** Where the reply of a record begins, in words. */
  replyOf(record: number): number {
    return record + HEAD + wordsOf(this.words[record + Field.keyLength]!)
  }

  /** The same of its facts (pairs of cell and version), TTLs and pointers, which follow one another. */
  factsOf(record: number): number {
    return this.replyOf(record) + wordsOf(this.words[record + Field.replyLength]!)
  }

  ttlsOf(record: number): number {
    return this.factsOf(record) + this.words[record + Field.factCount]!
  }

  pointersOf(record: number): number {
    return this.ttlsOf(record) + this.words[record + Field.ttlCount]!
  }

  #isOf(record: number, key: Key): boolean {
    const { words } = this
    if (words[record + Field.hash] !== key.hash || words[record + Field.keyLength] !== key.length) return false
    const count = wordsOf(key.length)
    const from = record + HEAD
    for (let word = 0; word < count; word++) if (words[from + word] !== key.words[word]) return false
    return true
  }

  /** False: there is no room until the table is cleared. What was kept for the key before is gone in any case. */
  put(key: Key, kept: KeptReply): boolean {
    this.forget(key)
    const { facts, ttls, reply, below } = kept
    const lists = facts.length + ttls.length + (below?.pointers.length ?? 0)
    const record = this.#claim(key, HEAD + wordsOf(key.length) + wordsOf(reply.length) + lists)
    if (record === 0) return false
    const { words, times } = this
    times[(record + Field.until) >> 1] = kept.until
    times[(record + Field.keptAt) >> 1] = kept.keptAt
    words[record + Field.hash] = key.hash
    words[record + Field.keyLength] = key.length
    words[record + Field.replyLength] = reply.length
    words[record + Field.anyCase] = kept.anyCase ? 1 : 0
    words[record + Field.profile] = kept.profile
    words[record + Field.serialAt] = kept.serialAt
    words[record + Field.serialCell] = kept.serialCell
    words[record + Field.cookieAt] = kept.cookieAt
    words[record + Field.turnsAt] = kept.turnsAt
    words[record + Field.turnsSize] = kept.turnsSize
    words[record + Field.turnsCount] = kept.turnsCount
    words[record + Field.turn] = 0
    words[record + Field.factCount] = facts.length
    words[record + Field.ttlCount] = ttls.length
    words[record + Field.belowHash] = below?.hash ?? 0
    words[record + Field.hasBelowHash] = below?.hash === undefined ? 0 : 1
    words[record + Field.questionEnd] = below?.questionEnd ?? 0
    words[record + Field.pointerCount] = below?.pointers.length ?? 0
    this.bytes.set(key.bytes.subarray(0, wordsOf(key.length) * 4), (record + HEAD) * 4)
    this.bytes.set(reply, this.replyOf(record) * 4)
    words.set(facts, this.factsOf(record))
    words.set(ttls, this.ttlsOf(record))
    words.set(below?.pointers ?? [], this.pointersOf(record))
    return true
  }

  /** The record of another table. False: there is no room. */
  take(key: Key, from: ReplyTable, source: number): boolean {
    const size = from.pointersOf(source) + from.words[source + Field.pointerCount]! - source
    const record = this.#claim(key, size)
    if (record !== 0) this.words.set(from.words.subarray(source, source + size), record)
    return record !== 0
  }

  /** What is kept for the key is never right again. */
  forget(key: Key): void {
    const record = this.find(key)
    if (record !== 0) this.times[(record + Field.until) >> 1] = Number.NEGATIVE_INFINITY
  }

  clear(): void {
    this.#slots.fill(0)
    this.#end = FIRST
  }

  /** Room for a record of so many words, found by the key from now on; 0: there is none. */
  #claim(key: Key, size: number): number {
    const record = this.#end
    const slot = this.#slotFor(key)
    if (slot === -1 || record + size > this.words.length) return 0
    this.#end = record + size + (size & 1)
    this.#slots[slot] = record
    return record
  }

  /** Its own, or the first free one; -1: too many are in the way. */
  #slotFor(key: Key): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = key.hash & mask, probes = 0; probes < MAX_PROBES; slot = (slot + 1) & mask, probes++) {
      const record = slots[slot]!
      if (record === 0 || this.#isOf(record, key)) return slot
    }
    return -1
  }
}

/**
 * Notices queries that a client sends again from the same port, with the same id and question: the first one or its answer
 * was lost on the way, or came late (the conntrack race of DNAT, full queues). The server sees here what clients see as a
 * lookup of five seconds.
 *
 * Promised: one MiB for a listener, whatever comes; a fraction of a microsecond a query. Where more than `BUSY` come a second,
 * one in `SAMPLE` is followed, and stands for all of them: each look costs a place in memory that no cache holds. Above
 * 200,000 queries a second some of those that come after five seconds are missed; none is told that was none, but once in
 * four thousand million.
 */
import { hashOf } from '#lib/change-board.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { Endpoint } from '#resolver/query.ts'

/** glibc asks again after 5 s, musl after 2.5 s, systemd-resolved sooner. */
export const WINDOW: Milliseconds = 8000
const SLOTS = 1 << 17
/** Two words: id and port, and when. */
const WORDS = 2
/** Queries a second: in five seconds they fill a third of the slots. */
export const BUSY = 8000
/** A power of two. */
export const SAMPLE = 8
/** How long it is counted whether many come. */
const COUNTED: Milliseconds = 1000
/** Header, the root, type and class: what is shorter asks nothing. */
export const SMALLEST_QUERY = 17

export class RetryDetector {
  readonly #seen = new Uint32Array(SLOTS * WORDS)
  #isBusy = false
  /** Queries since then. */
  #count = 0
  #since = Number.NEGATIVE_INFINITY

  /** So many retries is one that is found, now that `count` more queries have come. `now`: on a monotonic scale. */
  weightAfter(count: number, now: Milliseconds): number {
    this.#count += count
    const elapsed = now - this.#since
    if (elapsed >= COUNTED) {
      this.#isBusy = (1000 * this.#count) / elapsed > BUSY
      this.#count = 0
      this.#since = now
    }
    return this.#isBusy ? SAMPLE : 1
  }

  /** Whether the same query came before, not long ago. */
  isRetry(packet: Buffer, { address, port }: Endpoint, now: Milliseconds): boolean {
    const { length } = packet
    if (length < SMALLEST_QUERY) return false
    const mark = (packet.readUInt16LE(0) << 16) | port
    if (!this.follows(mark)) return false
    const question = questionMark(length, packet.readInt32LE(12), packet.readUInt16BE(length - 4))
    return this.isAgain(mark, hashOf(address), question, now)
  }

  /** Whether queries of this id and port (`mark`) are looked at. A retry is, where the first one was. */
  follows(mark: number): boolean {
    return !this.#isBusy || Math.imul(mark, 0x9e3779b1) >>> 0 < 2 ** 32 / SAMPLE
  }

  /** The same of a query's id and port (`mark`), a number for its address, and one for its question. */
  isAgain(mark: number, address: number, question: number, now: Milliseconds): boolean {
    const hash = Math.imul(Math.imul(mark ^ address, 0x9e3779b1) ^ question, 0x85ebca6b)
    const at = ((hash ^ (hash >>> 15)) & (SLOTS - 1)) * WORDS
    // Zero is nothing: time begins at one.
    const time = (Math.floor(now) >>> 0) + 1
    const before = this.#seen[at + 1]!
    const isRetry = this.#seen[at] === mark >>> 0 && before !== 0 && time - before <= WINDOW
    this.#seen[at] = mark
    this.#seen[at + 1] = time
    return isRetry
  }
}

/** Of its length, the word in which its name begins, and the type at its end: A is not AAAA. */
export const questionMark = (length: number, name: number, type: number): number => (length << 16) ^ name ^ type

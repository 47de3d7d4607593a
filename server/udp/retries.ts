/**
 * Notices queries that a client sends again from the same port, with the same id and question: the first one or its answer
 * was lost on the way, or came late (the conntrack race of DNAT, full queues). The server sees here what clients see as a
 * lookup of five seconds.
 *
 * Promised: one MiB for a listener, whatever comes; a fraction of a microsecond a query. Above 26,000 queries a second some of those that
 * come after five seconds are missed; none is told that was none, but once in four thousand million.
 */
import type { Milliseconds } from '#lib/clock.ts'
import type { Endpoint } from '#resolver/query.ts'

/** glibc asks again after 5 s, musl after 2.5 s, systemd-resolved sooner. */
const WINDOW: Milliseconds = 8000
const SLOTS = 1 << 17
/** Two words: id and port, and when. */
const WORDS = 2
/** RFC 1035 §4.1.1: where the question begins. */
const HEADER_BYTES = 12
/** Longer names than these differ in their first bytes. */
const HASHED_BYTES = 64
/** FNV-1a. */
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

export class RetryDetector {
  readonly #seen = new Uint32Array(SLOTS * WORDS)

  /** Whether the same query came before, not long ago. `now`: on a monotonic scale. */
  isRetry(packet: Buffer, { address, port }: Endpoint, now: Milliseconds): boolean {
    if (packet.length < HEADER_BYTES) return false
    const mark = ((packet[0]! << 24) | (packet[1]! << 16) | port) >>> 0
    return this.isAgain(mark, hash(packet, address, mark), now)
  }

  /** The same of a query's id and port (`mark`) and a hash of these, its address and its question. */
  isAgain(mark: number, hash: number, now: Milliseconds): boolean {
    const at = (hash & (SLOTS - 1)) * WORDS
    // Zero is nothing: time begins at one.
    const time = (Math.floor(now) >>> 0) + 1
    const before = this.#seen[at + 1]!
    const isRetry = this.#seen[at] === mark && before !== 0 && time - before <= WINDOW
    this.#seen[at] = mark
    this.#seen[at + 1] = time
    return isRetry
  }
}

const hash = (packet: Buffer, address: string, mark: number): number => {
  let value = Math.imul(FNV_OFFSET ^ mark, FNV_PRIME)
  const end = Math.min(packet.length, HEADER_BYTES + HASHED_BYTES)
  for (let index = HEADER_BYTES; index < end; index++) value = Math.imul(value ^ packet[index]!, FNV_PRIME)
  for (let index = 0; index < address.length; index++) value = Math.imul(value ^ address.charCodeAt(index), FNV_PRIME)
  // The low bits of FNV are its worst.
  return value ^ (value >>> 15)
}

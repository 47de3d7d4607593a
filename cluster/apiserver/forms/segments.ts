/**
 * Bytes that lie in pieces: the objects of a list have theirs in memory already, and are joined when they are sent, a
 * chunk at a time, so that a client reads the first while the rest is not made yet, and nobody holds a list twice.
 */

/** Bytes: less is not worth a write of its own, and of more than that the processor's caches do not hold. */
const CHUNK = 512 * 1024

export class Segments {
  readonly #parts: readonly Buffer[]
  /** Bytes of all. */
  readonly length: number

  /** `parts`: nobody's to change any more. */
  constructor(parts: readonly Buffer[]) {
    this.#parts = parts
    let length = 0
    for (const part of parts) length += part.length
    this.length = length
  }

  /** Each of CHUNK bytes or a part more, but for the last. */
  *chunks(): Generator<Buffer, undefined> {
    const parts = this.#parts
    for (let start = 0, end = 0; start < parts.length; start = end) {
      let size = 0
      while (end < parts.length && size < CHUNK) size += parts[end++]!.length
      yield Buffer.concat(parts.slice(start, end), size)
    }
  }

  join(): Buffer {
    return Buffer.concat(this.#parts, this.length)
  }

  toString(): string {
    return this.join().toString()
  }
}

/**
 * Newline-delimited JSON out of a byte stream: each value is decoded and handed on as soon as its last byte is there,
 * in the call that brought the byte. Bytes are joined before they become text, so a character may lie across chunks.
 */
const NEWLINE = 0x0a

/** A line is longer than allowed, or is no JSON: the stream cannot be trusted any further. */
export class BadStreamError extends Error {
  override readonly name = 'BadStreamError'
}

/**
 * etcd refuses values above 1.5 MiB; JSON of the same object, which may be stored as protobuf, is a few times larger.
 * Bytes.
 */
export const MAXIMUM_OBJECT = 16 * 1024 * 1024

export class JsonLines {
  readonly #onValue: (value: unknown) => void
  readonly #maximum: number
  #pieces: Buffer[] = []
  #held = 0

  constructor(onValue: (value: unknown) => void, maximum = MAXIMUM_OBJECT) {
    this.#onValue = onValue
    this.#maximum = maximum
  }

  /** Throws BadStreamError; what `onValue` throws passes through. */
  push(chunk: Buffer): void {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      if (end < 0) break
      this.#line(this.#take(chunk.subarray(start, end)))
      start = end + 1
    }
    if (start === chunk.length) return
    this.#held += chunk.length - start
    if (this.#held > this.#maximum) throw new BadStreamError(`an event is longer than ${this.#maximum} bytes`)
    this.#pieces.push(chunk.subarray(start))
  }

  /** The stream has ended. A last value without a newline counts when it is whole; half a line is dropped. */
  end(): void {
    const rest = this.#take(Buffer.alloc(0)).trim()
    if (rest === '') return
    let value: unknown
    try {
      value = JSON.parse(rest)
    } catch {
      return
    }
    this.#onValue(value)
  }

  #take(last: Buffer): string {
    if (this.#held + last.length > this.#maximum) {
      throw new BadStreamError(`an event is longer than ${this.#maximum} bytes`)
    }
    if (this.#held === 0) return last.toString('utf8')
    const whole = Buffer.concat([...this.#pieces, last])
    this.#pieces = []
    this.#held = 0
    return whole.toString('utf8')
  }

  #line(text: string): void {
    if (text.trim() === '') return
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw new BadStreamError('an event is no JSON', { cause })
    }
    this.#onValue(value)
  }
}

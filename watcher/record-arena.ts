/**
 * Room for many small records of bytes: segments of 64 KiB, filled one after the other. A segment that has lost a tenth
 * of its records is emptied into the newest one and let go, so that what is held stays near to what is used, and a call
 * copies a segment or two at most.
 */

/** Where a record lies, in units of four bytes over all segments. Valid until it is freed, or told to have moved. */
export type RecordPosition = number

const SEGMENT = 64 * 1024
const UNIT = 4
const UNITS = SEGMENT / UNIT
/** Of each record: its length in units, with a bit for those that were freed. */
export const RECORD_HEADER = 2
const FREED = 0x8000
/** A segment is emptied when less than this part of it is in use. */
const WORTH_KEEPING = 0.9

interface Segment {
  readonly bytes: Buffer
  /** Bytes that are taken, and those of them that are still in use. */
  used: number
  live: number
}

export class RecordArena {
  readonly #moved: (from: RecordPosition, to: RecordPosition) => void
  readonly #segments: (Segment | undefined)[] = []
  #current = -1

  /** `moved` is called within `free` and `add` for each other record that has another position now; its bytes are the same. */
  constructor(moved: (from: RecordPosition, to: RecordPosition) => void) {
    this.#moved = moved
  }

  /** What the segments take. */
  get byteLength(): number {
    return this.#segments.reduce((sum, segment) => sum + (segment ? SEGMENT : 0), 0)
  }

  /** The segment that the record lies in, and where. */
  bytesOf(position: RecordPosition): Buffer {
    return this.#segments[Math.floor(position / UNITS)]!.bytes
  }

  offsetOf(position: RecordPosition): number {
    return (position % UNITS) * UNIT
  }

  /** Copies `length` bytes of `record`, whose first `RECORD_HEADER` are the arena's own. */
  add(record: Buffer, length: number): RecordPosition {
    const units = Math.ceil(length / UNIT)
    const before = this.#current
    const segment = this.#roomFor(units * UNIT)
    const number = this.#current
    const offset = segment.used
    record.copy(segment.bytes, offset, 0, length)
    segment.bytes.writeUInt16LE(units, offset)
    segment.used += units * UNIT
    segment.live += units * UNIT
    // While it was filled it was not emptied.
    if (before >= 0 && before !== number) this.#tidy(before)
    return number * UNITS + offset / UNIT
  }

  free(position: RecordPosition): void {
    const number = Math.floor(position / UNITS)
    const segment = this.#segments[number]!
    const offset = this.offsetOf(position)
    const units = segment.bytes.readUInt16LE(offset)
    segment.bytes.writeUInt16LE(units | FREED, offset)
    segment.live -= units * UNIT
    if (number !== this.#current) this.#tidy(number)
  }

  /** All records that were not freed. They must not change meanwhile. */
  *positions(): Generator<RecordPosition, void> {
    for (const [number, segment] of this.#segments.entries()) {
      if (segment) yield* positionsIn(number, segment)
    }
  }

  #roomFor(length: number): Segment {
    const current = this.#segments[this.#current]
    if (current && current.used + length <= SEGMENT) return current
    const fresh: Segment = { bytes: Buffer.allocUnsafeSlow(SEGMENT), used: 0, live: 0 }
    const vacant = this.#segments.indexOf(undefined)
    this.#current = vacant < 0 ? this.#segments.length : vacant
    this.#segments[this.#current] = fresh
    return fresh
  }

  #tidy(number: number): void {
    const segment = this.#segments[number]
    if (!segment || segment.live >= segment.used * WORTH_KEEPING) return
    for (const from of positionsIn(number, segment)) {
      const offset = this.offsetOf(from)
      const length = segment.bytes.readUInt16LE(offset) * UNIT
      this.#moved(from, this.add(segment.bytes.subarray(offset, offset + length), length))
    }
    this.#segments[number] = undefined
  }
}

function* positionsIn(number: number, { bytes, used }: Segment): Generator<RecordPosition, void> {
  for (let offset = 0; offset < used; ) {
    const units = bytes.readUInt16LE(offset)
    if ((units & FREED) === 0) yield number * UNITS + offset / UNIT
    offset += (units & ~FREED) * UNIT
  }
}

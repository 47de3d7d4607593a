/**
 * Lines for a file descriptor that nobody waits for: they are written together, off the main thread, one write at a time.
 * When whoever reads them is too slow, what does not fit into a bounded memory is dropped and counted. Lines come out
 * whole and in order; those that are held when the process ends are written by `flush`.
 */
import { write, writeSync } from 'node:fs'
import type { Clock, Milliseconds } from './clock.ts'
import { Counter, type Registry } from './metrics.ts'

export interface LineWriterOptions {
  /** File descriptor, 1 for standard output. */
  readonly descriptor: number
  readonly clock: Clock
  readonly registry: Registry
  /** The most characters that wait. */
  readonly maximum?: number
}

/** Some ten thousand lines: a second of a collector's pause under load. */
const MAXIMUM = 4 * 1024 * 1024
/** So long lines are gathered: a write costs as much as a hundred lines. */
const GATHER: Milliseconds = 20
/** A descriptor that was set not to block, and is full (EAGAIN), is tried again after that. */
const RETRY: Milliseconds = 10

const isFull = (error: NodeJS.ErrnoException | null): boolean => error?.code === 'EAGAIN'

export class LineWriter {
  readonly #options: Required<LineWriterOptions>
  readonly #dropped: Counter
  #waiting: string[] = []
  #length = 0
  /** What is being written; `#at` is where the next byte is. */
  #bytes: Buffer | undefined
  #at = 0
  #isScheduled = false

  constructor({ maximum = MAXIMUM, ...options }: LineWriterOptions) {
    this.#options = { ...options, maximum }
    this.#dropped = new Counter({
      name: 'seamark_log_lines_dropped_total',
      help: 'Lines for standard output (log, errors, debug) that were dropped because their reader is too slow.',
      registers: [options.registry],
    })
  }

  /** Takes a line without its end. Never waits. */
  readonly write = (line: string): void => {
    if (this.#length + line.length > this.#options.maximum) {
      this.#dropped.inc()
      return
    }
    this.#waiting.push(line)
    this.#length += line.length + 1
    if (!this.#bytes) this.#schedule()
  }

  /** Writes what waits beside a write under way, and waits for it: for the end of the process. */
  flush(): void {
    const bytes = this.#take()
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#options.descriptor, bytes, at)
    } catch {
      // Whoever read it is gone, or is full: the process ends all the same.
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#options.clock.after(GATHER, () => this.#next())
  }

  #take(): Buffer {
    const text = this.#waiting.length === 0 ? '' : `${this.#waiting.join('\n')}\n`
    this.#waiting = []
    this.#length = 0
    return Buffer.from(text)
  }

  #next(): void {
    this.#isScheduled = false
    if (this.#waiting.length === 0) return
    this.#bytes = this.#take()
    this.#at = 0
    this.#write()
  }

  #write(): void {
    const bytes = this.#bytes!
    write(this.#options.descriptor, bytes, this.#at, (error, written) => {
      if (isFull(error)) {
        this.#options.clock.after(RETRY, () => this.#write())
        return
      }
      this.#at += written
      if (!error && this.#at < bytes.length) return this.#write()
      this.#bytes = undefined
      // Where the reader is gone nothing can be told, and DNS goes on.
      if (this.#waiting.length > 0) this.#schedule()
    })
  }
}

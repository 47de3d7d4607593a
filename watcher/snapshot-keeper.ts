/**
 * Keeps a snapshot of lists in step with them: written in the background after changes, at most every ten seconds and
 * for at most a hundredth of the time; at least every five minutes, so that its time says how old it may be; and at the
 * end, where something changed since.
 * Not promised: that the last changes before a crash are in it.
 */
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { deleteLeftovers, type SnapshotHeader, type SnapshotList, writeSnapshot } from './snapshot-file.ts'

export interface SnapshotKeeperOptions {
  readonly file: string
  readonly lists: readonly SnapshotList[]
  readonly header: () => SnapshotHeader
  readonly clock: Clock
  readonly logger: Logger
}

/** Changes come in bursts. */
const FIRST_WAIT: Milliseconds = 1_000
const INTERVAL: Milliseconds = 10_000
const REFRESH: Milliseconds = 300_000
/** Times the duration of the last write. */
const REST = 100

export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions
  #changed = false
  #timer: Timer | undefined
  /** When the timer rings (monotonic). */
  #due: Milliseconds = Number.POSITIVE_INFINITY
  /** Before this no write begins (monotonic). */
  #earliest: Milliseconds
  #writing: Promise<void> | undefined
  #closed = false
  #problem = ''

  /** The lists must be whole: what is written now is what the next start begins with. */
  constructor(options: SnapshotKeeperOptions) {
    this.#options = options
    this.#earliest = options.clock.monotonic()
    void deleteLeftovers(options.file, options.clock.now())
    this.change()
  }

  /** Something is different from what was last written. */
  change(): void {
    this.#changed = true
    this.#schedule(FIRST_WAIT)
  }

  /** Writes what has changed, and no more after that. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#writing
    if (this.#changed) await this.#write()
  }

  #schedule(wait: Milliseconds): void {
    if (this.#closed || this.#writing) return
    const { clock } = this.#options
    const due = Math.max(clock.monotonic() + wait, this.#earliest)
    if (due >= this.#due) return
    this.#timer?.cancel()
    this.#due = due
    this.#timer = clock.after(due - clock.monotonic(), () => {
      this.#due = Number.POSITIVE_INFINITY
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined
        this.#schedule(this.#changed ? FIRST_WAIT : REFRESH)
      })
    })
  }

  async #write(): Promise<void> {
    const { file, header, lists, clock, logger } = this.#options
    const began = clock.monotonic()
    this.#changed = false
    try {
      await writeSnapshot(file, header(), lists)
      if (this.#problem !== '') logger.info({ file }, 'the snapshot is written again')
      this.#problem = ''
    } catch (error) {
      this.#changed = true
      const problem = error instanceof Error ? error.message : String(error)
      // A full disk stays full for long: said once.
      if (problem !== this.#problem) logger.warn({ file, problem }, 'the snapshot cannot be written, trying again')
      this.#problem = problem
    }
    this.#earliest = clock.monotonic() + Math.max(INTERVAL, REST * (clock.monotonic() - began))
  }
}

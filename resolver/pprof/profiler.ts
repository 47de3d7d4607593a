/**
 * What this process does with its time and its memory, as the tools of V8 write it down. One at a time: a process has
 * one profiler, and two snapshots at once would need the memory twice over.
 */
import { Session } from 'node:inspector/promises'
import { finished, type Readable } from 'node:stream'
import { getHeapSnapshot } from 'node:v8'
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'

/** What is under way; `since` is on the clock's monotonic scale. */
export interface Recording {
  readonly what: 'CPU profile' | 'heap snapshot'
  readonly since: Milliseconds
  /** How long it takes; undefined: as long as the client takes to read it. */
  readonly duration: Milliseconds | undefined
}

export class Profiler {
  #recording: Recording | undefined

  get recording(): Recording | undefined {
    return this.#recording
  }

  /**
   * Where the time of the main thread goes, as `.cpuprofile` JSON; a sample each millisecond. Undefined: something else is
   * under way. It lasts its duration, whether somebody still waits for it or not.
   */
  async profile(clock: Clock, duration: Milliseconds): Promise<string | undefined> {
    if (this.#recording) return undefined
    this.#recording = { what: 'CPU profile', since: clock.monotonic(), duration }
    const session = new Session()
    try {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.start')
      await sleep(clock, duration)
      const { profile } = await session.post('Profiler.stop')
      return JSON.stringify(profile)
    } finally {
      session.disconnect()
      this.#recording = undefined
    }
  }

  /**
   * All objects of the main thread, as `.heapsnapshot` JSON. Everything else stands still while it is taken. Undefined:
   * something else is under way.
   */
  snapshot(clock: Clock): Readable | undefined {
    if (this.#recording) return undefined
    const stream = getHeapSnapshot()
    this.#recording = { what: 'heap snapshot', since: clock.monotonic(), duration: undefined }
    finished(stream, () => {
      this.#recording = undefined
    })
    return stream
  }
}

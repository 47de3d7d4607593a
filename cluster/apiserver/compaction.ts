/** Forgets the store's history, one interval late: a list or a watch that began an interval ago can still go on. */

import type { Revision, Store } from '#cluster/store/kv.ts'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'

export interface CompactionOptions {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  readonly interval: Milliseconds
}

/** Starts at once; returns the way to stop. */
export const startCompaction = ({ store, clock, logger, interval }: CompactionOptions): (() => void) => {
  let timer: Timer
  let stopped = false
  let seen: Revision = 0
  const compact = async (): Promise<void> => {
    try {
      const current = await store.revision()
      if (seen > 0) await store.compact(seen)
      seen = current
    } catch (error) {
      if (!stopped) logger.warn({ error }, 'cannot compact the store')
    }
    schedule()
  }
  const schedule = () => {
    if (!stopped) timer = clock.after(interval, () => void compact())
  }
  schedule()
  return () => {
    stopped = true
    timer.cancel()
  }
}

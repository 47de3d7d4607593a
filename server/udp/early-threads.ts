/**
 * Threads of UDP workers, which take a tenth of a second to come to life: they are started before it is known what they
 * serve, load what they need, and wait to be told.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { ServerOptions } from '../options.ts'
import type { WorkerSettings } from './batch-messages.ts'

/** Each takes 13 MB, and the memory limit of a DNS pod does not grow with the machine (docs/decisions/0018-memo.md). */
const DEFAULT_WORKERS = 4

/** A worker makes hardly any garbage, so a small young generation is collected in no time. What it keeps is outside of the heap. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2 }

export interface WaitingThread {
  readonly worker: Worker
  /** It died while it waited. */
  hasEnded: boolean
  /** Whoever calls it hears of the worker's errors and its end from now on. */
  begin(settings: WorkerSettings): void
}

/** A thread that waits does not keep the program alive. */
export const startThread = (index: number): WaitingThread => {
  const turn = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    name: `udp-${index}`,
    workerData: turn.buffer,
    resourceLimits: RESOURCE_LIMITS,
  })
  worker.unref()
  // Whoever wants it finds out, and starts another one.
  const ended = () => {
    thread.hasEnded = true
  }
  worker.on('error', ended)
  worker.on('exit', ended)
  const thread: WaitingThread = {
    worker,
    hasEnded: false,
    begin(settings) {
      worker.off('error', ended)
      worker.off('exit', ended)
      worker.ref()
      worker.postMessage(settings)
      Atomics.store(turn, 0, 1)
      Atomics.notify(turn, 0)
    },
  }
  return thread
}

/** How many workers these options ask for where there can be any. */
export const workerCount = ({ workers }: ServerOptions): number =>
  workers || Math.min(availableParallelism(), DEFAULT_WORKERS)

export class EarlyThreads {
  readonly #threads: (WaitingThread | undefined)[]

  constructor(options: ServerOptions, start = startThread) {
    const count = options.udp === 'dgram' || process.platform !== 'linux' ? 0 : workerCount(options)
    this.#threads = Array.from({ length: count }, (_, index) => start(index))
  }

  /** Each once. */
  take(index: number): WaitingThread | undefined {
    const thread = this.#threads[index]
    this.#threads[index] = undefined
    return thread?.hasEnded ? undefined : thread
  }
}

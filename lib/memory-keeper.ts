/**
 * Gives the system the memory back that this process holds and does not use, so that a flood that is over does not bring
 * it to its container's limit with the next: what malloc has free between what is in use, whenever the process has grown;
 * and near the limit, all that can be collected. The first costs a millisecond; the second stops the thread for some
 * tens of milliseconds, which is less than an end by the kernel costs, and happens no more often than it must.
 *
 * Not promised: that what is in use fits. Bounds of caches are their own.
 */
import type { Clock, Milliseconds } from './clock.ts'
import { Counter, type Registry } from './metrics.ts'
import { Recurrence } from './recurrence.ts'

export interface ProcessMemory {
  /** Bytes that the process has in memory, as the system counts them; undefined: it does not say at this moment. */
  resident(): number | undefined
  /** Gives back what malloc has free; absent: the system's malloc cannot. */
  readonly trim?: (() => void) | undefined
  /** Collects all garbage, and gives back the pages on which it was. */
  collect(): void
}

export interface MemoryKeeperOptions {
  readonly clock: Clock
  readonly registry: Registry
  readonly memory: ProcessMemory
  /** Bytes; where nobody says, those of the pod that CoreDNS usually has. */
  readonly limit: number | undefined
}

const MEBIBYTE = 1024 * 1024
/** kubeadm, k3s and EKS give it to their DNS pods. */
const USUAL_LIMIT = 170 * MEBIBYTE
/** A look reads one line of /proc; a flood brings some 5 MiB meanwhile. */
const LOOK_INTERVAL: Milliseconds = 1000
/** Growth after which free memory is looked for. */
const GROWTH = 4 * MEBIBYTE
/** Share of the limit above which garbage is collected: what may come between two looks has room above it. */
const NEAR = 0.85
/** Share of what was left by the last collection that must have come before the next one: a large cluster may be near for ever. */
const REGROWTH = 0.1
/** A collection of the usual heap stops the thread for 25 to 50 ms: a hundredth of the time at most. */
const COLLECT_PAUSE: Milliseconds = 5000

export class MemoryKeeper {
  readonly #options: MemoryKeeperOptions
  readonly #near: number
  readonly #looking: Recurrence
  readonly #collections: Counter
  /** After the last trimming and the last collection. */
  #trimmed = 0
  #collected = 0
  #collectedAt = Number.NEGATIVE_INFINITY

  constructor(options: MemoryKeeperOptions) {
    const { clock, limit = USUAL_LIMIT, registry } = options
    this.#options = options
    this.#near = NEAR * limit
    this.#looking = new Recurrence({ clock, interval: LOOK_INTERVAL, task: () => this.#look() })
    this.#collections = new Counter({
      name: 'seamark_memory_collections_total',
      help: 'Collections of all garbage because resident memory came near the limit.',
      registers: [registry],
    })
  }

  begin(): void {
    this.#looking.begin()
  }

  /** Idempotent. */
  end(): void {
    this.#looking.end()
  }

  #look(): void {
    const { clock, memory } = this.#options
    let resident = memory.resident()
    if (resident === undefined) return
    if (memory.trim && resident >= this.#trimmed + GROWTH) {
      memory.trim()
      resident = this.#trimmed = memory.resident() ?? resident
    }
    // What the system took back by itself may come again.
    this.#trimmed = Math.min(this.#trimmed, resident)
    const isDue = clock.monotonic() >= this.#collectedAt + COLLECT_PAUSE
    if (!isDue || resident < this.#near || resident < this.#collected * (1 + REGROWTH)) return
    memory.collect()
    memory.trim?.()
    this.#collections.inc()
    this.#collectedAt = clock.monotonic()
    this.#collected = this.#trimmed = memory.resident() ?? resident
  }
}

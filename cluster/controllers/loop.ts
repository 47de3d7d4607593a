/**
 * Runs a controller: keys that were woken wait in a queue, each once; a few are reconciled at a time, never one key
 * twice at once. What is unsettled or failed comes back, later each time; what is woken meanwhile comes at once.
 *
 * Promised: after the last wake of a key, `reconcile` has begun anew at least once. Not promised: once for each wake.
 */
import type { Clock } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { ObjectKey } from '#watcher/informer.ts'
import { WorkQueue } from '#watcher/work-queue.ts'
import type { Controller, Verdict } from './controller.ts'

export interface LoopEnvironment {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Resolves when what the controller reads is complete; rejects when the signal aborts first, else never. */
  readonly ready: (signal: AbortSignal) => Promise<unknown>
}

/** As many keys at a time as kube-controller-manager's loops take by default. */
const WORKERS = 5
/** First a blink, for what another writer is about to finish; then at most as long as people like to wait. */
const RETRY = { initialDelay: 100, maximumDelay: 15_000 }

export class Loop implements Component {
  readonly name: string
  readonly #controller: Controller
  readonly #environment: LoopEnvironment
  readonly #abort = new AbortController()
  readonly #queue: WorkQueue<ObjectKey>
  #working: Promise<unknown> | undefined

  constructor(controller: Controller, environment: LoopEnvironment) {
    this.name = `controller ${controller.name}`
    this.#controller = controller
    this.#environment = environment
    const { clock, random } = environment
    this.#queue = new WorkQueue({ clock, random, ...RETRY })
  }

  /** Resolves at once; work begins when all that the controller reads is there. */
  async start(): Promise<void> {
    this.#controller.watch(key => this.#queue.add(key))
    this.#working = this.#begin()
  }

  async close(): Promise<void> {
    this.#abort.abort()
    void this.#queue.close()
    await this.#working
  }

  async #begin(): Promise<void> {
    const { signal } = this.#abort
    try {
      await this.#environment.ready(signal)
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    await Promise.all(Array.from({ length: WORKERS }, () => this.#work()))
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      // What still waits when the loop is closed is handed out, but no longer worked on.
      if (!this.#abort.signal.aborted) this.#conclude(key, await this.#reconcile(key))
      this.#queue.done(key)
    }
  }

  async #reconcile(key: ObjectKey): Promise<Verdict> {
    const { signal } = this.#abort
    try {
      return await this.#controller.reconcile(key, signal)
    } catch (error) {
      const { logger } = this.#environment
      if (!signal.aborted) logger.warn({ controller: this.#controller.name, key, error }, 'will try again')
      return 'unsettled'
    }
  }

  #conclude(key: ObjectKey, verdict: Verdict): void {
    if (verdict === 'unsettled') this.#queue.retry(key)
    else this.#queue.forget(key)
    if (typeof verdict === 'object') this.#queue.addAfter(key, verdict.again)
  }
}

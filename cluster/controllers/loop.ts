/**
 * Runs a controller: keys that were woken wait in a queue, each once; a few are reconciled at a time, never one key
 * twice at once. What is unsettled or failed comes back, later each time; what is woken meanwhile comes at once.
 *
 * Promised: after the last wake of a key, `reconcile` has begun anew at least once. Not promised: once for each wake.
 */
import { Backoff } from '#lib/backoff.ts'
import type { Clock, Timer } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import type { ObjectKey } from '#watcher/informer.ts'
import type { Controller, Verdict } from './controller.ts'

export interface LoopEnvironment {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Resolves when what the controller reads is complete; rejects when the signal aborts first. */
  readonly ready: (signal: AbortSignal) => Promise<unknown>
}

/** As many keys at a time as kube-controller-manager's loops take by default. */
const WORKERS = 5
/** First a blink, for what another writer is about to finish; then at most as long as people like to wait. */
const RETRY = { initial: 100, maximum: 15_000 }

export class Loop implements Component {
  readonly name: string
  readonly #controller: Controller
  readonly #environment: LoopEnvironment
  readonly #abort = new AbortController()
  /** In the order in which they were woken. */
  readonly #waiting = new Set<ObjectKey>()
  readonly #busy = new Set<ObjectKey>()
  readonly #retries = new Map<ObjectKey, { readonly backoff: Backoff; timer: Timer | undefined }>()
  #running = new Set<Promise<void>>()
  #ready = false

  constructor(controller: Controller, environment: LoopEnvironment) {
    this.name = `controller ${controller.name}`
    this.#controller = controller
    this.#environment = environment
  }

  /** Resolves at once; work begins when all that the controller reads is there. */
  async start(): Promise<void> {
    this.#controller.watch(key => this.#wake(key))
    const { signal } = this.#abort
    const begin = this.#environment.ready(signal).then(
      () => {
        this.#ready = true
        this.#fill()
      },
      error => {
        if (!signal.aborted) this.#environment.logger.error({ controller: this.#controller.name, error }, 'not started')
      },
    )
    this.#track(begin)
  }

  async close(): Promise<void> {
    this.#abort.abort()
    for (const { timer } of this.#retries.values()) timer?.cancel()
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  #track(work: Promise<void>): void {
    this.#running.add(work)
    void work.finally(() => this.#running.delete(work))
  }

  #wake(key: ObjectKey): void {
    this.#waiting.add(key)
    this.#fill()
  }

  /** Starts what may start. */
  #fill(): void {
    if (!this.#ready) return
    for (const key of this.#waiting) {
      if (this.#busy.size >= WORKERS || this.#abort.signal.aborted) return
      if (this.#busy.has(key)) continue
      this.#waiting.delete(key)
      this.#busy.add(key)
      this.#track(this.#work(key))
    }
  }

  async #work(key: ObjectKey): Promise<void> {
    const { signal } = this.#abort
    this.#retries.get(key)?.timer?.cancel()
    let verdict: Verdict = 'unsettled'
    try {
      verdict = await this.#controller.reconcile(key, signal)
    } catch (error) {
      if (!signal.aborted)
        this.#environment.logger.warn({ controller: this.#controller.name, key, error }, 'will try again')
    }
    this.#busy.delete(key)
    if (signal.aborted) return
    if (verdict === 'settled') this.#retries.delete(key)
    else this.#again(key, verdict)
    this.#fill()
  }

  #again(key: ObjectKey, verdict: Exclude<Verdict, 'settled'>): void {
    const { clock, random } = this.#environment
    const retry = this.#retries.get(key) ?? { backoff: new Backoff({ ...RETRY, random }), timer: undefined }
    this.#retries.set(key, retry)
    const delay = verdict === 'unsettled' ? retry.backoff.next() : verdict.again
    retry.timer = clock.after(delay, () => this.#wake(key))
  }
}

/**
 * The one way to start and to stop. A program is a list of components in flow order: they start one after the other
 * and close in reverse, each under the same deadline.
 */
import { type Clock, type Milliseconds, sleep } from './clock.ts'
import type { Logger } from './log.ts'

export interface Component {
  readonly name: string
  /**
   * Resolves when the component serves. `signal` aborts when the program is told to stop before that; then `start`
   * ends soon, either way, and `close` is called.
   */
  start(signal: AbortSignal): Promise<void>
  /** Drains and frees everything. Idempotent; also after a failed or a missing `start`. Never rejects for being late. */
  close(): Promise<void>
}

export interface LifecycleOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** How long each `close` may take before the next one is called all the same. Default 10 s. */
  readonly closeDeadline?: Milliseconds
}

export class Lifecycle {
  readonly #options: LifecycleOptions
  readonly #components: readonly Component[]
  readonly #abort = new AbortController()
  #closing: Promise<void> | undefined
  #started = 0

  constructor(components: readonly Component[], options: LifecycleOptions) {
    this.#components = components
    this.#options = options
  }

  /** Starts all in order. When one fails, those already started are closed and its error is thrown. */
  async start(): Promise<void> {
    for (const component of this.#components) {
      if (this.#abort.signal.aborted) return
      this.#started++
      try {
        await component.start(this.#abort.signal)
      } catch (error) {
        await this.close()
        throw error
      }
    }
  }

  /** Closes all that were started, last first. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    this.#abort.abort()
    const { clock, logger, closeDeadline = 10_000 } = this.#options
    for (const component of this.#components.slice(0, this.#started).reverse()) {
      const late = new AbortController()
      const closed = component.close().then(
        () => 'closed' as const,
        error => {
          logger.error({ component: component.name, error }, 'component failed to close')
          return 'closed' as const
        },
      )
      const verdict = await Promise.race([closed, sleep(clock, closeDeadline, late.signal).then(() => 'late' as const)])
      late.abort()
      if (verdict === 'late')
        logger.warn({ component: component.name, closeDeadline }, 'component was too slow to close')
    }
  }
}

/**
 * Where exchanges with upstreams are told: the plugins of the block that want to know of them (dnstap). Upstreams may
 * outlive a reload, their block does not.
 */
import type { BlockContext, Plugin, UpstreamExchange } from '../plugin.ts'

export class ExchangeTap {
  #block: BlockContext
  #watchers: readonly Plugin[] | undefined

  constructor(block: BlockContext) {
    this.#block = block
  }

  /** Tells the plugins of this block from now on. */
  follow(block: BlockContext): void {
    this.#block = block
    this.#watchers = undefined
  }

  get isWatched(): boolean {
    return this.#following().length > 0
  }

  /** Whoever watches must read the bytes at once. */
  report(exchange: UpstreamExchange): void {
    for (const plugin of this.#following()) plugin.reportExchange!(exchange)
  }

  #following(): readonly Plugin[] {
    // The block's plugins are known after setup only.
    return (this.#watchers ??= this.#block.plugins().filter(plugin => plugin.reportExchange))
  }
}

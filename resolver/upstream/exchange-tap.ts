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

  readonly report = (exchange: UpstreamExchange): void => {
    // The block's plugins are known after setup only.
    this.#watchers ??= this.#block.plugins().filter(plugin => plugin.reportExchange)
    for (const plugin of this.#watchers) plugin.reportExchange!(exchange)
  }
}

/** Transfers wait for each other: a catalog may list thousands of zones, and their server has to bear it. */

/** BIND's `transfers-per-ns` is 2, NSD fetches 128 at once. */
const AT_ONCE = 10

export class TransferSlots {
  #free = AT_ONCE
  readonly #waiting: (() => void)[] = []

  async run<Value>(transfer: () => Promise<Value>): Promise<Value> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => void this.#waiting.push(resolve))
    try {
      return await transfer()
    } finally {
      // Whoever waits longest takes the slot over.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}

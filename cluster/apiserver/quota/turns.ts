/** One at a time, by key, in the order of asking. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Resolves when it is one's turn, to what ends it. Calling that twice does no harm. */
  async take(key: string): Promise<() => void> {
    const before = this.#last.get(key)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last.set(key, promise)
    await before
    return () => {
      if (this.#last.get(key) === promise) this.#last.delete(key)
      resolve()
    }
  }
}

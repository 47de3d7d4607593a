/**
 * What is read in one turn of the event loop, given back at the end of the next: by then all that had come before it has
 * been read too (server/dispatcher.ts says why).
 */
export class Arrivals<Item> {
  readonly #ripe: (batch: readonly Item[]) => void
  #arrived: Item[] = []

  /** `ripe` gets the items of one turn, in their order. */
  constructor(ripe: (batch: readonly Item[]) => void) {
    this.#ripe = ripe
  }

  add(item: Item): void {
    if (this.#arrived.push(item) === 1) setImmediate(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    const batch = this.#arrived
    this.#arrived = []
    setImmediate(this.#ripe, batch)
  }
}

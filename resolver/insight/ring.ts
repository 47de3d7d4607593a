/** The last things of a kind: a fixed number of them, the oldest gives way. */
export class Ring<Item> {
  readonly #size: number
  readonly #items: Item[] = []
  #next = 0

  constructor(size: number) {
    this.#size = size
  }

  add(item: Item): void {
    this.#items[this.#next] = item
    this.#next = (this.#next + 1) % this.#size
  }

  /** The latest first. */
  *[Symbol.iterator](): Generator<Item, void> {
    const { length } = this.#items
    for (let back = 1; back <= length; back++) yield this.#items[(this.#next - back + length) % length]!
  }
}

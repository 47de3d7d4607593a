/**
 * How many series a registry may show. A series is a line of /metrics and memory in every Prometheus that scrapes it, so
 * what clients or a long Corefile could multiply has an end: beyond it, new label sets are counted together as `other`.
 */

/** Told of the metric whose new label set had no room. */
type Refused = (metric: string) => void

export class SeriesBudget {
  readonly #limit: number
  readonly #refused: Refused
  #used = 0

  /** `limit`: Infinity for none. */
  constructor(limit: number, refused: Refused) {
    this.#limit = limit
    this.#refused = refused
  }

  get limited(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY
  }

  /** For what is there in any case: metrics without labels, and the `other` of each family. */
  reserve(count: number): void {
    this.#used += count
  }

  /** Whether there is room for `count` series more; if so they are taken. */
  take(count: number, metric: string): boolean {
    if (this.#used + count > this.#limit) {
      this.#refused(metric)
      return false
    }
    this.#used += count
    return true
  }

  release(count: number): void {
    this.#used -= count
  }
}

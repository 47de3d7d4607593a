import { readFile } from 'node:fs/promises'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'

/**
 * A small file that others replace while we run (a rotated token or certificate): its text is at most `maximumAge`
 * old. A read that fails later keeps the last text, since rotation may leave a gap; the first one that fails throws
 * BAD_KUBECONFIG with the file's name.
 */
export class RereadFile {
  readonly path: string
  readonly #clock: Clock
  readonly #maximumAge: Milliseconds
  #text: string | undefined
  #readAt = 0

  /** The default age is client-go's: a service account token is replaced long before it ends. */
  constructor(path: string, clock: Clock, maximumAge: Milliseconds = 60_000) {
    this.path = path
    this.#clock = clock
    this.#maximumAge = maximumAge
  }

  async read(): Promise<string> {
    const now = this.#clock.monotonic()
    if (this.#text !== undefined && now - this.#readAt < this.#maximumAge) return this.#text
    try {
      this.#text = await readFile(this.path, 'utf8')
    } catch (cause) {
      if (this.#text === undefined) throw new SeamarkError('BAD_KUBECONFIG', `cannot read ${this.path}`, { cause })
    }
    this.#readAt = now
    return this.#text
  }

  /** The next read goes to the disk. */
  forget(): void {
    this.#readAt = Number.NEGATIVE_INFINITY
  }
}

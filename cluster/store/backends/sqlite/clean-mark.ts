/**
 * A file that says that the database was closed in order and has not been touched since, so that it need not be read whole
 * to see whether it is damaged. It holds what the file system knows of the database then: whatever writes to the file, or
 * brings a copy back, makes it void.
 */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncDirectoryOf } from './log.ts'

export class CleanMark {
  readonly #file: string
  readonly #database: string

  constructor(file: string, database: string) {
    this.#file = file
    this.#database = database
  }

  holds(): boolean {
    try {
      return readFileSync(this.#file, 'utf8') === this.#state()
    } catch {
      // None there, or none that can be read: the database is checked then.
      return false
    }
  }

  /** Before the database changes. Durable: it does not come back when the power goes. */
  remove(): void {
    rmSync(this.#file, { force: true })
    syncDirectoryOf(this.#file)
  }

  /** The database is closed, and all of it is on the disk. */
  set(): void {
    writeFileSync(this.#file, this.#state(), { mode: 0o600 })
  }

  #state(): string {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(this.#database, { bigint: true })
    return `${[dev, ino, size, mtimeNs, ctimeNs].join(' ')}\n`
  }
}

/**
 * The log in front of the database: a group of writes is acknowledged once its batch lies here and was synced, and
 * reaches the database later, with many others. Runs in the worker.
 *
 * The file keeps its size and is written over from its beginning each time the database has everything in it: a sync then
 * waits for the data alone, not for the file system to note that the file has grown. Sequences tell the batches of this
 * round from what is left of the one before.
 *
 * Promised: `append` returns once the batch survives kill -9 and power loss; the batch that was being written when the
 * power went is left out whole; damage before a batch that is whole is told, with its offset, and nothing is read then.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { SeamarkError, systemCode } from '#lib/errors.ts'
import { type Batch, decodeBatch, PAGE, type Sequence } from './batch.ts'

/** Eight bytes, the version of the format (u32), and the identity, on a page of their own. */
const MAGIC = Buffer.from('SEAMLOG\0')
const FORMAT = 1
const IDENTITY = 16
const IDENTITY_AT = MAGIC.length + 4
const HEAD_CHECKSUM_AT = IDENTITY_AT + IDENTITY

/**
 * Bytes after which the database is brought up to date and the log begins anew: some 7,000 objects, which are read back in
 * a fraction of a second after a crash.
 */
const LIMIT = 8 << 20
/** The file grows by so much, filled with zeros. */
const GROWTH = 512 << 10

/** Writes all of it. */
const writeWhole = (fd: number, bytes: Uint8Array, position: number): void => {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

/** The names of a directory's files are durable, too. */
export const syncDirectoryOf = (file: string): void => {
  const fd = openSync(dirname(file), 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const head = (identity: Uint8Array): Buffer => {
  const page = Buffer.alloc(PAGE)
  MAGIC.copy(page)
  page.writeUInt32LE(FORMAT, MAGIC.length)
  page.set(identity, IDENTITY_AT)
  page.writeUInt32LE(crc32(page.subarray(0, HEAD_CHECKSUM_AT)), HEAD_CHECKSUM_AT)
  return page
}

/** @throws SeamarkError STORE_CORRUPT, STORE_NEWER */
const readHead = (file: string, content: Buffer): Buffer => {
  if (content.length < PAGE || content.indexOf(MAGIC) !== 0)
    throw new SeamarkError('STORE_CORRUPT', `${file} is damaged at offset 0: this is no log of a store`)
  const format = content.readUInt32LE(MAGIC.length)
  if (format > FORMAT)
    throw new SeamarkError('STORE_NEWER', `${file} has format ${format}; this Seamark knows formats up to ${FORMAT}`)
  if (crc32(content.subarray(0, HEAD_CHECKSUM_AT)) !== content.readUInt32LE(HEAD_CHECKSUM_AT))
    throw new SeamarkError('STORE_CORRUPT', `${file} is damaged at offset 0`)
  return content.subarray(IDENTITY_AT, HEAD_CHECKSUM_AT)
}

export class Log {
  readonly file: string
  /** The database that the log belongs to has it, too. */
  readonly identity: Uint8Array
  readonly #fd: number
  /** Filled up to here: writes below it leave the file system's own records alone. */
  #size: number
  #position = PAGE
  /** A sync that failed: the system forgets what it could not write, and calls the next sync good. */
  #failure: unknown

  /** Makes an empty one, durable with its name, in the place of whatever is there. */
  static create(file: string): Log {
    const identity = randomBytes(IDENTITY)
    const fresh = `${file}.new`
    const fd = openSync(fresh, 'w', 0o600)
    try {
      writeWhole(fd, head(identity), 0)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(fresh, file)
    syncDirectoryOf(file)
    return new Log(file, identity)
  }

  /** @throws SeamarkError STORE_CORRUPT, STORE_NEWER, or what the system says */
  static open(file: string): Log {
    return new Log(file, Buffer.from(readHead(file, readFileSync(file))))
  }

  private constructor(file: string, identity: Uint8Array) {
    this.file = file
    this.identity = identity
    this.#fd = openSync(file, 'r+')
    this.#size = fstatSync(this.#fd).size
  }

  /** Checksums begin with it: bytes that a client chose never look like a batch. */
  get seed(): number {
    return crc32(this.identity)
  }

  /** Upon opening: the batches after `applied`, which the database has. The next one will be written behind them. */
  batches(applied: Sequence): Batch[] {
    // A batch that was whole when its writer was killed need not be on the disk. It is before anybody sees it, and before
    // the next one is: that one alone would look like damage.
    fdatasyncSync(this.#fd)
    const content = readFileSync(this.file)
    const { batches, end } = this.#roundOf(content)
    const first = batches[0]?.sequence
    if (first !== undefined && first > applied + 1) this.#gap(applied, first)
    const last = batches.at(-1)?.sequence
    this.#checkRest(content, end, Math.max(applied, last ?? 0))
    // A round that ends before `applied` is over: a batch of the next one was being written where it began.
    if (last !== undefined && last >= applied) this.#position = end
    return batches.filter(({ sequence }) => sequence > applied)
  }

  /** The batches after `applied` that were appended in this round. */
  read(applied: Sequence): Batch[] {
    const content = readFileSync(this.file).subarray(0, this.#position)
    return this.#roundOf(content).batches.filter(({ sequence }) => sequence > applied)
  }

  #roundOf(content: Buffer): { readonly batches: readonly Batch[]; readonly end: number } {
    const { seed } = this
    const batches: Batch[] = []
    let end = PAGE
    for (;;) {
      const batch = decodeBatch(content, end, seed)
      if (!batch || (batches.length > 0 && batch.sequence !== batches.at(-1)!.sequence + 1)) return { batches, end }
      batches.push(batch)
      end += batch.length
    }
  }

  /** A batch is written once the one before it was synced: one that is later than what is missing tells of damage. */
  #checkRest(content: Buffer, missing: number, last: Sequence): void {
    for (let offset = missing; offset < content.length; offset += PAGE) {
      const batch = decodeBatch(content, offset, this.seed)
      if (!batch || batch.sequence <= last) continue
      throw new SeamarkError(
        'STORE_CORRUPT',
        `${this.file} is damaged at offset ${missing}: acknowledged writes follow it at offset ${offset}`,
      )
    }
  }

  #gap(applied: Sequence, first: Sequence): never {
    throw new SeamarkError(
      'STORE_CORRUPT',
      `${this.file} begins with batch ${first}, at offset ${PAGE}, but the database beside it ends with batch ${applied}`,
    )
  }

  get isEmpty(): boolean {
    return this.#position === PAGE
  }

  /** Whether so many bytes still belong to this round. */
  fits(bytes: number): boolean {
    return this.isEmpty || this.#position + bytes <= LIMIT
  }

  /** On a throw nothing of it is there, as far as the disk obeys. Once it did not, nothing more is taken. */
  append(batch: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure
    try {
      this.#fill(this.#position + batch.length)
      writeWhole(this.#fd, batch, this.#position)
      this.#sync()
    } catch (error) {
      this.#erase()
      throw error
    }
    this.#position += batch.length
  }

  /** The database has everything, durably. */
  restart(): void {
    this.#position = PAGE
    if (this.#size <= LIMIT) return
    ftruncateSync(this.#fd, LIMIT)
    this.#size = LIMIT
  }

  close(): void {
    closeSync(this.#fd)
  }

  #fill(end: number): void {
    while (this.#size < end) {
      writeWhole(this.#fd, new Uint8Array(GROWTH), this.#size)
      this.#size += GROWTH
    }
  }

  #erase(): void {
    try {
      if (this.#position + PAGE > this.#size) return
      writeWhole(this.#fd, new Uint8Array(PAGE), this.#position)
      this.#sync()
    } catch {
      // The next batch is written over it.
    }
  }

  #sync(): void {
    try {
      fdatasyncSync(this.#fd)
    } catch (error) {
      if (systemCode(error) === 'EIO') this.#failure = error
      throw error
    }
  }
}

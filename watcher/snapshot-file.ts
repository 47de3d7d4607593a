/**
 * Lists of objects in a file, for the next start: gzipped JSON lines (a header, one line an object, a last line that
 * counts them).
 *
 * Promised: a reader gets all lists of one writer or nothing (the file appears whole, by its name, after it is on disk;
 * gzip's checksum and the count tell a broken one); writing leaves the event loop every few hundred objects.
 * Not promised: that the lists are of one moment. Each object is as it was while the file was being written.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { constants, createGzip, gunzip } from 'node:zlib'
import type { Milliseconds } from '#lib/clock.ts'
import { shapeOf } from './shape.ts'

/** A list that is kept: its objects as JSON has them, and the way back. */
export interface SnapshotList {
  readonly name: string
  snapshot(): Iterable<unknown>
  /** Throws where the object is none of the list's. */
  seed(object: unknown): void
}

export interface SnapshotHeader {
  /** What the lists were asked from and for: a file of another source is nobody's. */
  readonly source: string
  /** Which cluster it was; `''`: unknown. */
  readonly cluster: string
  /** Wall time at which the lists were last known to be right. */
  readonly time: Milliseconds
}

export type SnapshotRead =
  /** Calls `seed` of the lists; throws what they do. */
  | {
      readonly outcome: 'read'
      readonly header: SnapshotHeader
      readonly seed: (lists: readonly SnapshotList[]) => void
    }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'unusable'; readonly problem: string }

/** Grows with every change of what a line means; a file of another version is not read. */
const VERSION = 1
const FORMAT = 'seamark snapshot'

/** Objects a turn of the event loop: about a millisecond. */
const TURN = 200
/** Bytes. 10,000 services with 100,000 endpoints are 10 MB; what is a hundred times larger is none of ours. */
const MAXIMUM = 1024 * 1024 * 1024
/** A writer takes seconds; what lies about for longer was left by one that was killed. */
const LEFTOVER: Milliseconds = 600_000

const isHeader = shapeOf({ source: '', cluster: '', time: 0 } satisfies SnapshotHeader)

type Line = readonly [list: string, object: unknown]

/** Resolves when the file is on disk under its name. Rejects with the system's error; then the old one is still there. */
export const writeSnapshot = async (
  file: string,
  header: SnapshotHeader,
  lists: readonly SnapshotList[],
): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = `${file}.${process.pid}.tmp`
  const target = createWriteStream(temporary, { mode: 0o600, flush: true })
  await once(target, 'open')
  try {
    await pipeline(Readable.from(linesOf(header, lists)), createGzip({ level: constants.Z_BEST_SPEED }), target)
    await rename(temporary, file)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  }
  const folder = await open(dirname(file))
  await folder.sync().finally(() => folder.close())
}

async function* linesOf(header: SnapshotHeader, lists: readonly SnapshotList[]): AsyncGenerator<string> {
  yield `${JSON.stringify({ format: FORMAT, version: VERSION, ...header })}\n`
  let count = 0
  let text = ''
  for (const list of lists) {
    for (const object of list.snapshot()) {
      text += `${JSON.stringify([list.name, object] satisfies Line)}\n`
      if (++count % TURN !== 0) continue
      yield text
      text = ''
      await setImmediate()
    }
  }
  yield `${text}${JSON.stringify({ objects: count })}\n`
}

/** `source` as it was written. Never rejects. */
export const readSnapshot = async (file: string, source: string): Promise<SnapshotRead> => {
  let packed: Buffer
  try {
    packed = await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { outcome: 'absent' }
    return unusable(error)
  }
  try {
    return parseSnapshot(await promisify(gunzip)(packed, { maxOutputLength: MAXIMUM }), source)
  } catch (error) {
    return unusable(error)
  }
}

const unusable = (problem: unknown): SnapshotRead => ({
  outcome: 'unusable',
  problem: problem instanceof Error ? problem.message : String(problem),
})

/** Throws what is wrong with it. */
const parseSnapshot = (bytes: Buffer, source: string): SnapshotRead => {
  const lines = linesFrom(bytes)
  const { format, version, ...header } = lines.next().value as SnapshotHeader & { format?: unknown; version?: unknown }
  if (format !== FORMAT) throw new Error('it is no snapshot')
  if (version !== VERSION) throw new Error(`it has version ${version}, and this program reads ${VERSION}`)
  if (!isHeader(header)) throw new Error('its header is not whole')
  if (header.source !== source) throw new Error(`it is of another source: ${header.source}`)
  const objects = new Map<string, unknown[]>()
  let count = 0
  for (const line of lines) {
    if (!Array.isArray(line)) {
      if ((line as { objects?: unknown }).objects !== count || !lines.next().done) throw new Error('its count is wrong')
      return { outcome: 'read', header, seed: lists => seedAll(lists, objects) }
    }
    const [list, object] = line as unknown as Line
    const known = objects.get(list)
    if (known) known.push(object)
    else objects.set(list, [object])
    count++
  }
  throw new Error('it has no end')
}

const NEWLINE = 0x0a

function* linesFrom(bytes: Buffer): Generator<unknown, undefined> {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start)
    yield JSON.parse(bytes.toString('utf8', start, end < 0 ? bytes.length : end))
    start = end < 0 ? bytes.length : end + 1
  }
}

const seedAll = (lists: readonly SnapshotList[], objects: ReadonlyMap<string, readonly unknown[]>): void => {
  for (const list of lists) {
    for (const object of objects.get(list.name) ?? []) list.seed(object)
  }
}

/** Deletes what writers of `file` that were killed have left behind. Never rejects. */
export const deleteLeftovers = async (file: string, now: Milliseconds): Promise<void> => {
  const start = `${basename(file)}.`
  const names = await readdir(dirname(file)).catch(() => [])
  for (const name of names.filter(other => other.startsWith(start) && other.endsWith('.tmp'))) {
    const path = join(dirname(file), name)
    const known = await stat(path).catch(() => undefined)
    if (known && now - known.mtimeMs > LEFTOVER) await unlink(path).catch(() => {})
  }
}

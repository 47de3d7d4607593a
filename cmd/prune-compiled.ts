/**
 * Deletes what the compile cache holds for nobody: Node keeps a file for each source that it ever compiled, by path, version
 * and flags, and removes none. Loaded and called long after a start, and in no hurry: one file after the other.
 */
import { opendir, readFile, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Milliseconds } from '#lib/clock.ts'

const DAY: Milliseconds = 24 * 3_600_000
/** What nobody has read for so long has no start to make quicker: its version, or the place it was run from, is gone. */
const UNUSED: Milliseconds = 30 * DAY

/** `v24.21.0-x64-964aae3f-0`: version, machine, flags of V8, user. */
const VERSION_FOLDER = /^v\d+\.\d+\.\d+-/

/**
 * How many files of the cache in `folder` are gone, because they were neither written nor read for 30 days before `now` (wall
 * time). None, where the file system does not tell when files were read (`noatime`). Never rejects.
 */
export const pruneCompiled = async (folder: string, now: Milliseconds): Promise<number> => {
  try {
    return (await tellsOfReading(folder, now)) ? await pruneVersions(folder, now - UNUSED) : 0
  } catch {
    // Another process prunes it as well, or it cannot be written to: it is no worse than before.
    return 0
  }
}

/** Whether a file that was read has a younger time of access; Linux sees to it once a day and file (`relatime`). */
const tellsOfReading = async (folder: string, now: Milliseconds): Promise<boolean> => {
  const probe = join(folder, `access-${process.pid}`)
  const before = (now - 2 * DAY) / 1000
  try {
    await writeFile(probe, 'read me')
    await utimes(probe, before, before)
    await readFile(probe)
    return (await stat(probe)).atimeMs > before * 1000
  } finally {
    await unlink(probe)
  }
}

const pruneVersions = async (folder: string, oldest: Milliseconds): Promise<number> => {
  let gone = 0
  for await (const entry of await opendir(folder))
    if (entry.isDirectory() && VERSION_FOLDER.test(entry.name))
      gone += await pruneVersion(join(folder, entry.name), oldest)
  return gone
}

const pruneVersion = async (folder: string, oldest: Milliseconds): Promise<number> => {
  let gone = 0
  let kept = 0
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name)
    if (entry.isFile() && (await lastUse(path)) < oldest) {
      await unlink(path)
      gone++
    } else kept++
  }
  if (kept === 0 && gone > 0) await rmdir(folder)
  return gone
}

const lastUse = async (path: string): Promise<Milliseconds> => {
  const { atimeMs, mtimeMs } = await stat(path)
  return Math.max(atimeMs, mtimeMs)
}

/** Files that are there whole or not at all, whatever moment the process or the machine stops. */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SeamarkError, systemCode } from '#lib/errors.ts'

export interface DurableFile {
  readonly path: string
  readonly content: string
  /** 0o600 for whatever holds a private key. */
  readonly mode: 0o600 | 0o644
}

/**
 * Writes beside, syncs, renames over, syncs the directory, which is made (mode 0700) where it is missing. What a
 * stopped writer left beside the file is overwritten by the next one.
 * @throws SeamarkError DATA_DIR_UNUSABLE
 */
export const writeDurably = async ({ path, content, mode }: DurableFile): Promise<void> => {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const fresh = `${path}.new`
    // Removed, not reused: what lies there may have another mode.
    await rm(fresh, { force: true })
    await using file = await open(fresh, 'wx', mode)
    await file.writeFile(content)
    await file.sync()
    await rename(fresh, path)
    await using directory = await open(dirname(path), 'r')
    await directory.sync()
  } catch (cause) {
    throw new SeamarkError('DATA_DIR_UNUSABLE', `${path} cannot be written: ${(cause as Error).message}`, { cause })
  }
}

/**
 * The file's text; undefined when there is none.
 * @throws SeamarkError DATA_DIR_UNUSABLE
 */
export const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined
    throw new SeamarkError('DATA_DIR_UNUSABLE', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

import { readFileSync } from 'node:fs'
import { SeamarkError } from '#lib/errors.ts'

/** The text of a file that the user or the machine has, or of standard input (`-`). @throws SeamarkError FILE_UNUSABLE */
export const readText = (path: string): string => {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    throw new SeamarkError('FILE_UNUSABLE', `cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
}

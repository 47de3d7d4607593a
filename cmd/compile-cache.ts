/**
 * Keeps what V8 makes of the program's files in the folder of the DNS server's state, for its next start: in a pod that is
 * the one place that stays. Must be told before the files are loaded. Where `bin/pinned-node` or somebody else has chosen
 * a place, that one is used; where there is none, everything works as well, and starts slower.
 */
import { lstatSync, mkdirSync } from 'node:fs'
import { constants, enableCompileCache, getCompileCacheDir } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** As bin/pinned-node has it. */
const FOLDER = 'compile-cache'

/** `args`: those of the program, `--state-dir` among them or not. Never throws. */
export const keepCompiled = (args: readonly string[]): void => {
  if (args[0] !== 'dns' || getCompileCacheDir() !== undefined) return
  const { values } = parseArgs({
    args: args.slice(1),
    options: { 'state-dir': { type: 'string' } },
    strict: false,
    allowPositionals: true,
  })
  const stateFolder = values['state-dir']
  if (typeof stateFolder !== 'string') return
  const folder = besideState(stateFolder)
  if (!isOursAlone(folder)) return
  const { status } = enableCompileCache(folder)
  // Worker threads read it there.
  if (status === constants.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = folder
}

const besideState = (stateFolder: string): string => join(resolve(stateFolder), FOLDER)

/** Where the cache lies that is in use; undefined: there is none, or somebody else has chosen the place. */
export const ownCompileCache = (stateFolder: string | undefined): string | undefined => {
  const used = getCompileCacheDir()
  if (used === undefined) return undefined
  const { HOME = '/', XDG_CACHE_HOME } = process.env
  const places = [join(XDG_CACHE_HOME || join(HOME, '.cache'), 'seamark', FOLDER)]
  if (stateFolder !== undefined) places.push(besideState(stateFolder))
  // Node has a folder in it for each version.
  return places.find(place => place === dirname(used))
}

/** What stands in the cache is run: nobody else may write there. */
const isOursAlone = (folder: string): boolean => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = lstatSync(folder)
    return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0
  } catch {
    return false
  }
}

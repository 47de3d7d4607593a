/**
 * Programs in Go (test/clients/) that tests run. Building one takes minutes, so it is built where Go is present and the
 * environment asks for it, and kept in node_modules/.cache; a cached one is always used.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findProgram } from './programs.ts'

const CLIENTS = fileURLToPath(new URL('../clients', import.meta.url))
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/seamark', import.meta.url))

export interface GoProgram {
  /** Folder of its module below test/clients. */
  readonly module: string
  /** Folder of the program in its module; `.`: the module itself. */
  readonly folder: string
  readonly flags?: readonly string[]
  /** Set to 1 in the environment: it may be built. */
  readonly variable: string
}

/** The program's path, or why there is none. */
export const goProgram = async ({
  module,
  folder,
  flags = [],
  variable,
}: GoProgram): Promise<{ readonly path: string } | { readonly reason: string }> => {
  const at = join(CLIENTS, module)
  const sources = ['go.mod', 'go.sum', ...globSync(join(folder, '*.go'), { cwd: at }).sort()]
  const bytes = sources.map(name => readFileSync(join(at, name)))
  const hash = createHash('sha256').update(Buffer.concat(bytes)).digest('hex').slice(0, 16)
  const name = folder === '.' ? module : basename(folder)
  const path = join(CACHE, `${name}-${hash}`)
  if (existsSync(path)) return { path }
  if (process.env[variable] !== '1') return { reason: `${name} is not built; ${variable}=1 builds it` }
  const go = findProgram('go')
  if (!go) return { reason: `there is no Go to build ${name} with` }
  mkdirSync(CACHE, { recursive: true })
  const unfinished = `${path}.${process.pid}`
  await promisify(execFile)(go, ['build', ...flags, '-o', unfinished, `./${folder}`], { cwd: at })
  renameSync(unfinished, path)
  return { path }
}

/** Builds the C programs of `load/`: what sends questions must cost less than what answers them. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accepted, type Result, refused } from '#lib/result.ts'
import { findProgram } from '../test/support/programs.ts'

const built = new Map<string, Result<string, string>>()

/** The path of the program that `load/FILE` becomes, built once; the problem: why there is none. */
export const compile = (file: string, libraries: readonly string[] = []): Result<string, string> => {
  const known = built.get(file)
  if (known) return known
  const result = build(file, libraries)
  built.set(file, result)
  return result
}

const build = (file: string, libraries: readonly string[]): Result<string, string> => {
  const compiler = findProgram('gcc')
  if (!compiler) return refused('there is no gcc (apt-get install gcc libc6-dev)')
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const source = fileURLToPath(new URL(`./load/${file}`, import.meta.url))
  const program = join(folder, file.replace(/\.c$/, ''))
  const { status, stderr } = spawnSync(compiler, ['-O2', '-o', program, source, ...libraries], { encoding: 'utf8' })
  return status === 0 ? accepted(program) : refused(`gcc ${file}: ${stderr}`)
}

/**
 * `seamark`: one program, one subcommand a part. This folder is the only one that reads argv and the environment; each
 * subcommand imports its rooms when it runs, so that `seamark shell` does not load an apiserver.
 */
import { keepCompiled } from './compile-cache.ts'
import { twoDashes } from './one-dash.ts'

const argv = twoDashes(process.argv)
keepCompiled(argv.slice(2))

try {
  const { createProgram } = await import('./program.ts')
  const program = await createProgram(argv[2])
  await program.parseAsync(argv)
} catch (error) {
  const { reportError } = await import('./exit.ts')
  reportError(error)
  process.exitCode = 1
}

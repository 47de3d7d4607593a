/**
 * `seamark`: one program, one subcommand a part. This folder is the only one that reads argv and the environment; each
 * subcommand imports its rooms when it runs, so that `seamark shell` does not load an apiserver.
 */
import { reportError } from './exit.ts'
import { twoDashes } from './one-dash.ts'
import { createProgram } from './program.ts'

try {
  await createProgram().parseAsync(twoDashes(process.argv))
} catch (error) {
  reportError(error)
  process.exitCode = 1
}

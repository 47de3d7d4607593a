import { SeamarkError } from '#lib/errors.ts'
import { sourceStack } from '#lib/source-stack.ts'

/** Prints a failure as people need it: what happened, and what to do about it. */
export const reportError = (error: unknown): void => {
  if (error instanceof SeamarkError) {
    process.stderr.write(`seamark: ${error.message}\n  ${error.advice} [${error.code}]\n`)
  } else {
    process.stderr.write(
      `seamark: this is a bug: ${error instanceof Error ? sourceStack(error.stack ?? error.message) : String(error)}\n`,
    )
  }
}

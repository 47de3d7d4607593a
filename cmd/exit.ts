import { SeamarkError, systemCode } from '#lib/errors.ts'
import { sourceStack } from '#lib/source-stack.ts'
import { packageRoot } from './package-root.ts'

/** A clone in which nobody has run `npm ci`, on a Node of the machine's; undefined: another failure. */
const missingPackage = (error: unknown): SeamarkError | undefined => {
  if (!(error instanceof Error) || systemCode(error) !== 'ERR_MODULE_NOT_FOUND') return undefined
  const [, name] = /^Cannot find package '([^']+)'/.exec(error.message) ?? []
  return name === undefined
    ? undefined
    : new SeamarkError('PACKAGE_MISSING', `the package ${name} is not in ${packageRoot}`, { cause: error })
}

/** Prints a failure as people need it: what happened, and what to do about it. */
export const reportError = (failure: unknown): void => {
  const error = missingPackage(failure) ?? failure
  if (error instanceof SeamarkError) {
    process.stderr.write(`seamark: ${error.message}\n  ${error.advice} [${error.code}]\n`)
  } else {
    process.stderr.write(
      `seamark: this is a bug: ${error instanceof Error ? sourceStack(error.stack ?? error.message) : String(error)}\n`,
    )
  }
}

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** The path of a program, if the machine has it. */
export const findProgram = (name: string): string | undefined => {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/go/bin']) {
    try {
      const path = join(folder, name)
      accessSync(path, constants.X_OK)
      return path
    } catch {}
  }
  return undefined
}

/**
 * Ends the test as passed, with the reason printed, where a needed program or right is absent. In CI nothing may be
 * absent, so there it fails.
 */
export const skip = (t: ExecutionContext, reason: string): void => {
  if (process.env.CI) {
    t.fail(`must not be skipped in CI: ${reason}`)
  } else {
    t.log(`SKIPPED: ${reason}`)
    t.pass()
  }
}

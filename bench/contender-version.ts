/** What a server says that it is, for the page: `1.17.1`. */
import { spawnSync } from 'node:child_process'
import { findProgram } from '../test/support/programs.ts'
import type { Contender } from './contender.ts'

const VERSION = /\d+\.\d+(\.\d+)*/

/** Undefined: it is not here, or says none. */
export const versionOf = ({ version }: Contender): string | undefined => {
  if (!version) return undefined
  const { stdout, stderr } = spawnSync(findProgram(version.command) ?? version.command, version.args, {
    encoding: 'utf8',
  })
  return VERSION.exec(`${stdout}${stderr}`)?.[0]
}

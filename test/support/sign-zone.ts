/** Signs zones by a program of another make. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { findProgram, skip } from './programs.ts'
import { run } from './run.ts'
import { temporaryFolder } from './temporary-folder.ts'

/**
 * The zone `example.` with signatures, its lines as ldns writes them. `options` are ldns-signzone's. Undefined: it is not
 * on this machine, and the test has ended.
 */
export const signZone = async (
  t: ExecutionContext,
  zone: string,
  options: readonly string[] = [],
): Promise<string | undefined> => {
  const signer = findProgram('ldns-signzone')
  const keygen = findProgram('ldns-keygen')
  if (!signer || !keygen) {
    skip(t, 'needs ldns-signzone (ldnsutils)')
    return undefined
  }
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, 'db'), `$ORIGIN example.\n${zone}`)
  const key = await run(keygen, ['-a', 'ECDSAP256SHA256', '-k', 'example.'], { cwd })
  const signed = await run(signer, [...options, '-f', 'signed', 'db', key.stdout.trim()], { cwd })
  if (signed.code !== 0) throw new Error(`${signed.stderr}${signed.stdout}`)
  return readFileSync(join(cwd, 'signed'), 'utf8')
}

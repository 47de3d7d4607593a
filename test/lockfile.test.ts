/**
 * Holds package-lock.json to what `npm ci` asks of it on any machine. A package that carries binaries names one optional
 * package for each platform; npm leaves out of the lock those that the registry at hand did not serve, and then
 * `npm ci` refuses a fresh clone ("Missing: … from lock file"). An entry of version, platform and libc is enough.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot } from './support/cluster.ts'

interface Locked {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const { packages } = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>
}

/** Node's own search: in the package's node_modules, then in those of the folders above it. */
const isLocked = (from: string, name: string): boolean => {
  const beside = packages[from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`]
  if (beside?.version !== undefined) return true
  if (from === '') return false
  const above = from.lastIndexOf('/node_modules/')
  return isLocked(above === -1 ? '' : from.slice(0, above), name)
}

test('every package that a locked package names is locked, those of other platforms too', t => {
  const named = Object.entries(packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies }).map(name => ({ from, name })),
  )
  t.true(named.length > 300, `only ${named.length} dependencies were seen`)
  t.deepEqual(
    named.filter(({ from, name }) => !isLocked(from, name)),
    [],
  )
})

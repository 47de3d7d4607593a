/** .ci/run installs every program that a test looks for, so that nothing is skipped there. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot } from './support/cluster.ts'

/** getent comes with glibc, mkfifo with coreutils. Go is for those who build test/clients. */
const ELSEWHERE = ['getent', 'mkfifo', 'go']

test('CI installs what tests look for', t => {
  const script = readFileSync(join(projectRoot, '.ci/run'), 'utf8')
  const installed = new Set([...script.matchAll(/^ {2}([\w-]+):[\w-]+$/gm)].map(([, program]) => program))
  const wanted = globSync('test/**/*.ts', { cwd: projectRoot }).flatMap(path =>
    [...readFileSync(join(projectRoot, path), 'utf8').matchAll(/\b(?:findProgram|obstacle)\(([^)]*)\)/g)].flatMap(
      ([, names = '']) => [...names.matchAll(/'([^']+)'/g)].map(([, name]) => name as string),
    ),
  )
  t.true(wanted.length > 10)
  t.deepEqual(
    wanted.filter(name => !installed.has(name) && !ELSEWHERE.includes(name)),
    [],
  )
})

/** Every configuration that we ship is good. (configs/Corefile is also what the README's session runs on.) */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot, seamark } from './support/cluster.ts'
import { run } from './support/run.ts'

const folder = join(projectRoot, 'configs')

test('every Corefile passes the check', async t => {
  const files = readdirSync(folder).filter(name => name.endsWith('Corefile'))
  t.true(files.length >= 2)
  for (const file of files) {
    const { code, stdout, stderr } = await run(seamark, ['check', '-conf', join(folder, file)])
    t.is(code, 0, stderr)
    t.regex(stdout, /is good: \d+ plugins/)
  }
})

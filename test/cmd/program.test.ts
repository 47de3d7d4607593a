/** What is typed wrong is told by name, with where to look. */
import test from 'ava'
import { seamark } from '../support/cluster.ts'
import { run } from '../support/run.ts'

const WRONG: readonly (readonly [words: readonly string[], told: RegExp, where: string])[] = [
  [['dsn'], /^seamark: unknown command 'dsn'\n\(Did you mean dns\?\)$/m, 'seamark --help'],
  [['dns', '--nope'], /^seamark: unknown option '--nope'$/m, 'seamark dns --help'],
  [['show'], /^seamark: missing required argument 'page'$/m, 'seamark show --help'],
  [['up', '--data-dir', ''], /^seamark: option '--data-dir <dir>' argument '' is invalid\./m, 'seamark up --help'],
  [['dns', '--dns-address', 'foo'], /^seamark: --dns-address: "foo" is not HOST:PORT/m, '--help'],
  [['control-plane', '--cluster-domain', 'a..b'], /^seamark: --cluster-domain: "a\.\.b": /m, '--help'],
  [['control-plane', '--cluster-dns', '1.2.3.4'], /^seamark: --cluster-dns: 1\.2\.3\.4 is no address/m, '--help'],
]

for (const [words, told, where] of WRONG) {
  test(`seamark ${words.join(' ')}`, async t => {
    const { code, stdout, stderr } = await run(seamark, words)
    t.is(code, 1)
    t.regex(stderr, told)
    t.true(stderr.includes(`  See ${where}`), stderr)
    t.is(stdout, '')
  })
}

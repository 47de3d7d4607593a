import test from 'ava'
import { seamark } from '../support/cluster.ts'
import { run } from '../support/run.ts'

const COMMANDS = [
  ['convert', '--kube-dns-config', '-'],
  ['resolvconf', '--pod', '-'],
]

test('a manifest that cannot be read is told with its name, whatever is wrong with it', async t => {
  for (const command of COMMANDS)
    for (const [input, problem] of [
      ['a: {\n', /^seamark: -: Flow map/],
      ['a: *nobody\n', /^seamark: -: Unresolved alias/],
      ['kind: Service\n', /^seamark: -: kind is Service, not /],
    ] as const) {
      const { code, stdout, stderr } = await run(seamark, command, { input })
      t.is(code, 1)
      t.is(stdout, '')
      t.regex(stderr, problem)
    }
})

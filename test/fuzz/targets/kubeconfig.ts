/** Kubeconfig files: a way into a cluster, or what is wrong with them, by file and field. */
import assert from 'node:assert'
import { SeamarkError } from '#lib/errors.ts'
import { accessOf } from '#watcher/kubeconfig.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { mutated } from '../mutate.ts'
import { mutateLines } from '../mutate-lines.ts'
import type { FuzzTarget } from '../target.ts'

const FILE = '/home/me/.kube/config'

const words = [
  ...[
    'clusters:\n',
    'users:\n',
    'contexts:\n',
    'current-context: a\n',
    '- name: a\n',
    '  cluster:\n',
    '  user:\n',
    '{',
    '}',
  ],
  ...[
    'server: ',
    'https://192.0.2.1:6443',
    'http://[::1]',
    'unix:///x',
    'certificate-authority-data: ',
    'LS0tLS1CRUdJTiA=',
  ],
  ...['token: ', 'tokenFile: ', 'exec:\n', 'command: ', 'args: [a]', 'env: [{name: a, value: b}]', 'apiVersion: '],
  ...[
    'client.authentication.k8s.io/v1',
    'interactiveMode: Never',
    'as: me',
    'as-groups: [a]',
    'as-user-extra: {a: [b]}',
  ],
  ...[
    'insecure-skip-tls-verify: true',
    'kind: Config',
    '---\n',
    '...\n',
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '!!set ',
    '? ',
    '|\n',
  ],
  ...[
    '>-\n',
    '[',
    ']',
    '"',
    "'",
    '#',
    '\t',
    '\ufeff',
    '\0',
    '%YAML 1.1\n',
    '__proto__: ',
    '~',
    '1e999',
    '0o7',
    '.nan',
    'null',
  ],
].map(text => Buffer.from(text))

export const kubeconfigTarget: FuzzTarget = {
  name: 'kubeconfig',
  seedForm: 'text',
  words,
  mutate: (numbers, input, other) =>
    numbers.below(2) === 0 ? mutateLines(numbers, input, other) : mutated(numbers, input, words),
  async run(input) {
    const text = input.toString('utf8')
    try {
      const access = await accessOf(
        { file: FILE, text },
        {
          file: FILE,
          environment: {},
          clock: new VirtualClock(),
        },
      )
      assert(access.server.protocol === 'https:' || access.server.protocol === 'http:', access.server.href)
      assert(typeof access.namespace === 'string' && access.namespace !== '')
    } catch (error) {
      if (!(error instanceof SeamarkError)) throw error
      assert.equal(error.code, 'BAD_KUBECONFIG')
      assert(error.message.includes(FILE) && !error.message.includes('[object'), error.message)
    }
  },
}

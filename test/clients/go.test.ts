/** What is written in Go for Kubernetes: client-go and controller-runtime (test/clients/go). SEAMARK_GO=1 builds them. */
import test from 'ava'
import { startApiserver } from '../support/apiserver.ts'
import { goProgram } from '../support/go-program.ts'
import { run } from '../support/run.ts'

const steps = test.macro(async (t, folder: string, env: Record<string, string>, expected: readonly string[]) => {
  const program = await goProgram({ module: 'go', folder, variable: 'SEAMARK_GO' })
  if ('reason' in program) {
    t.log(`NOT TRIED: ${program.reason}`)
    t.pass()
    return
  }
  const { kubeconfig, fetch } = await startApiserver(t)
  t.is((await fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'go' } } })).code, 201)
  const { stdout, stderr } = await run(program.path, ['go'], { env: { KUBECONFIG: kubeconfig, ...env } })
  t.deepEqual(stdout.trim().split('\n'), expected, stderr)
})

const CLIENT_GO = [
  'shared informer',
  'dynamic client',
  'metadata client',
  'server-side apply',
  'leader election',
  'retry on conflict',
  'pages',
  'retry watcher',
  'discovery',
  'errors',
].map(step => `ok ${step}`)

test('client-go, in JSON', steps, 'clientgo', {}, CLIENT_GO)

test('client-go, in protobuf', steps, 'clientgo', { CONTENT: 'protobuf' }, CLIENT_GO)

test(
  'controller-runtime',
  steps,
  'runtime',
  {},
  ['reconciles', 'restores', 'cleans up', 'lists', 'ends'].map(step => `ok ${step}`),
)

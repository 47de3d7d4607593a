/** `npm pack`, install the tarball elsewhere, run it there: the package is whole. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { Cluster, projectRoot } from '../support/cluster.ts'
import { ask } from '../support/dns-client.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test.serial('the packed package installs elsewhere and runs there', async t => {
  t.timeout(300_000)
  const folder = temporaryFolder(t)
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: projectRoot })
  t.is(packed.code, 0, packed.stderr)
  const tarball = join(folder, packed.stdout.trim().split('\n').at(-1) as string)
  const installed = await run(
    'npm',
    ['install', '--prefix', folder, '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball],
    { cwd: folder },
  )
  t.is(installed.code, 0, installed.stderr)

  const command = join(folder, 'node_modules', '.bin', 'seamark')
  t.regex((await run(command, ['--version'], { cwd: '/' })).stdout, /^\d+\.\d+\.\d+\n$/)
  t.is((await run(command, ['no-such-command'])).code, 1)
  // By another link, and with no Node on the PATH at all.
  symlinkSync(command, join(folder, 'linked'))
  t.is((await run(join(folder, 'linked'), ['--version'], { env: { PATH: '/usr/bin:/bin' }, cwd: '/' })).code, 0)

  const anyPort = ['apiserver', 'dns', 'metrics', 'health', 'ready', 'admin'].flatMap(part => [
    `--${part}-address`,
    '127.0.0.1:0',
  ])
  const cluster = new Cluster(join(folder, 'data'), anyPort, { command })
  t.teardown(() => cluster.stop())
  await cluster.whenUp()
  const reply = await ask({ name: 'kubernetes.default.svc.cluster.local', port: cluster.dnsPort })
  t.is(reply.answers[0]?.data, '10.96.0.1')
})

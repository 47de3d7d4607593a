/** cmd/up/page.ts: what the page tells people to type, a shell can read. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { DEFAULT_ADDRESSES } from '#cmd/common-options.ts'
import { ensureDataDir } from '#cmd/data-dir.ts'
import { upPage } from '#cmd/up/page.ts'
import { projectRoot } from '../../support/cluster.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const ADDRESSES = {
  apiserver: '127.0.0.1:6443',
  dns: '[::1]:1053',
  metrics: '127.0.0.1:9153',
  health: '127.0.0.1:8080',
  ready: '127.0.0.1:8181',
}

for (const name of ['.seamark', 'with some spaces', "o'clock $HOME"]) {
  test(`the commands name the directory "${name}"`, t => {
    const cwd = temporaryFolder(t)
    const dataDir = ensureDataDir(join(cwd, name))
    const page = upPage({ dataDir, addresses: ADDRESSES, duration: 1.26, cwd })
    t.regex(page, /Seamark is up \(1\.3 s\)/)
    t.regex(page, /dig @::1 -p 1053 /)
    const [, kubeconfig] = /^ {2}export (KUBECONFIG=.*)$/m.exec(page) ?? []
    t.is(
      execFileSync('sh', ['-c', `${kubeconfig}; printf %s "$KUBECONFIG"`], { encoding: 'utf8' }),
      dataDir.adminKubeconfig,
    )
    const [, flag = ''] = / shell( --data-dir .*)? -- dig/.exec(page) ?? []
    t.is(
      execFileSync('sh', ['-c', `printf %s${flag}`], { encoding: 'utf8' }),
      name === '.seamark' ? '' : `--data-dir${name}`,
    )
  })
}

test('the page shows what is bound, and nothing for what the Corefile leaves out', t => {
  const folder = temporaryFolder(t)
  const page = (addresses: Record<string, string>) =>
    upPage({ dataDir: ensureDataDir(folder), addresses, duration: 1.04, cwd: folder })
  const bare = page({ apiserver: '127.0.0.1:6443', dns: '[::1]:1053' })
  t.notRegex(bare, /undefined|metrics|health|TLS/)
  t.regex(bare, /Seamark is up \(1\.0 s\)\./)
  t.regex(bare, / {2}DNS {14}\[::1\]:1053 \(UDP and TCP\)\n/)
  t.regex(bare, / {2}dig @::1 -p 1053 kubernetes\.default/)
  const full = page({ apiserver: 'a:1', dns: 'b:2', tls: 'c:3', metrics: 'd:4', health: 'e:5', ready: 'f:6' })
  t.regex(
    full,
    /DNS over TLS {5}c:3\n {2}metrics {10}http:\/\/d:4\/metrics\n {2}health, ready {4}http:\/\/e:5\/health {2}http:\/\/f:6\/ready\n/,
  )
})

test('the README shows the page as it is', t => {
  const cwd = projectRoot.replace(/\/$/, '')
  const folder = join(cwd, '.seamark')
  const dataDir = {
    ...ensureDataDir(temporaryFolder(t)),
    folder,
    adminKubeconfig: join(folder, 'admin.kubeconfig'),
    log: (part: string) => join(folder, 'logs', `${part}.log`),
  }
  const page = upPage({ dataDir, addresses: DEFAULT_ADDRESSES, duration: 1.5, cwd })
  const shown = page.replaceAll(cwd, '/home/you/seamark')
  t.true(readFileSync(join(cwd, 'README.md'), 'utf8').includes(shown), shown)
})

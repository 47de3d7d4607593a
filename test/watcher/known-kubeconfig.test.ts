import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '#lib/clock.ts'
import { loadKnownKubeconfig } from '#watcher/known-kubeconfig.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const kubeconfig = (server: string): string => `apiVersion: v1
kind: Config
clusters:
  - name: one
    cluster: { server: "${server}", tls-server-name: apiserver, insecure-skip-tls-verify: true }
users:
  - name: dns
    user: { token: secret-token }
contexts:
  - name: main
    context: { cluster: one, user: dns, namespace: kube-system }
  - name: other
    context: { cluster: one, user: dns }
current-context: main
`

/** A kubeconfig and a folder for what is known of it. */
const place = (t: ExecutionContext) => {
  const file = join(temporaryFolder(t), 'config')
  const folder = join(temporaryFolder(t), 'state')
  const write = (text: string) => writeFileSync(file, text)
  write(kubeconfig('https://one:6443'))
  const load = (more: { readonly version?: string; readonly context?: string } = {}) =>
    loadKnownKubeconfig({ file, environment: {}, clock: systemClock, folder, version: '1', ...more })
  const remembered = () => readdirSync(folder).map(name => join(folder, name))
  /** As if another server had been found: who believes it has not read the kubeconfig. */
  const lie = () => {
    for (const known of remembered())
      writeFileSync(known, readFileSync(known, 'utf8').replace('https://one:6443', 'https://lie:6443'))
  }
  return { file, folder, write, load, remembered, lie }
}

const LIE = 'https://lie:6443/'
const ONE = 'https://one:6443/'

test('the second time the server is known without reading, and all else when it is wanted', async t => {
  const { load } = place(t)
  t.is((await load()).server.href, ONE)
  const access = await load()
  t.is(access.server.href, ONE)
  t.is(access.namespace, 'kube-system')
  t.false(access.credentials.refused())
  const [authority, headers, pair] = await Promise.all([
    access.authority(),
    access.credentials.headers(),
    access.credentials.keyPair(),
  ])
  t.deepEqual([authority, headers, pair], [undefined, { authorization: 'Bearer secret-token' }, undefined])
  t.true(access.insecure)
  t.is(access.serverName, 'apiserver')
})

test('no credentials are given for a server that the kubeconfig does not name; the memory that named it is gone', async t => {
  const { load, lie, remembered } = place(t)
  await load()
  lie()
  const access = await load()
  t.is(access.server.href, LIE, 'the kubeconfig was not read')
  const { authority, credentials } = access
  for (const way of [authority, credentials.headers, credentials.keyPair]) {
    await t.throwsAsync(way(), {
      code: 'BAD_KUBECONFIG',
      message: /kubeconfig-\w+\.json: it says https:\/\/lie:6443\/, the kubeconfig https:\/\/one:6443\//,
    })
  }
  t.deepEqual(remembered(), [])
  t.is((await load()).server.href, ONE)
})

test('other texts, contexts and versions are read', async t => {
  const { load, lie, write } = place(t)
  await load()
  lie()
  t.is((await load({ context: 'other' })).server.href, ONE)
  t.is((await load({ version: '2' })).server.href, ONE)
  lie()
  write(kubeconfig('https://two:6443'))
  t.is((await load({ version: '2' })).server.href, 'https://two:6443/')
  write(kubeconfig('not a URL'))
  await t.throwsAsync(load({ version: '2' }), { message: /clusters\[0\].cluster.server: "not a URL" is not the URL/ })
})

test('what is remembered holds no secret, is nobody else’s, and is one file however often the kubeconfig changes', async t => {
  const { load, write, remembered } = place(t)
  await load()
  write(kubeconfig('https://two:6443'))
  await load()
  const [file, ...others] = remembered()
  t.deepEqual(others, [])
  t.notRegex(readFileSync(file!, 'utf8'), /secret-token/)
  t.is(statSync(file!).mode & 0o777, 0o600)
})

test('a memory that is broken, or a folder that nobody may write to, costs time alone', async t => {
  const { folder, load, remembered } = place(t)
  await load()
  for (const text of ['', '{', 'null', '{"digest":"x"}', '[]']) {
    writeFileSync(remembered()[0]!, text)
    t.is((await load()).server.href, ONE)
  }
  writeFileSync(join(folder, 'file'), '')
  chmodSync(folder, 0o500)
  t.teardown(() => chmodSync(folder, 0o700))
  const access = await load({ context: 'other' })
  t.is(access.server.href, ONE)
})

import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { parse, stringify } from 'yaml'
import { identityOfCertificate } from '#cluster/pki/identity.ts'
import { ensurePki, type Pki } from '#cluster/pki/pki.ts'
import { servingNames } from '#cluster/pki/serving-names.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { findProgram, skip } from '../../support/programs.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const DAY = 86_400_000
const target = { server: 'https://127.0.0.1:6443', nodeName: 'node-1' }
const names = servingNames({
  clusterDomain: 'cluster.local',
  serviceAddresses: ['10.96.0.1'],
  addresses: ['0.0.0.0', '192.0.2.7', 'api.example'],
})

const open = (directory: string, clock: Clock = systemClock): Promise<Pki> =>
  ensurePki({ directory, clock, logger: silentLogger })

const makeAll = async (directory: string, clock?: Clock) => {
  const pki = await open(directory, clock)
  return { pki, serving: await pki.serving(names), kubeconfigs: await pki.writeKubeconfigs(target) }
}

/** Every file of the directory → its content. */
const contents = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]),
  )

interface Credentials {
  readonly server: string
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

/** What a client takes from a kubeconfig, by way of its current context. */
const credentialsOf = (path: string): Credentials => {
  const config = parse(readFileSync(path, 'utf8'))
  const find = (list: { name: string }[], name: string) => list.find(item => item.name === name)
  const { context } = find(config.contexts, config['current-context']) as never as { context: Record<string, string> }
  const { cluster } = find(config.clusters, context.cluster ?? '') as never as { cluster: Record<string, string> }
  const { user } = find(config.users, context.user ?? '') as never as { user: Record<string, string> }
  const text = (data = '') => Buffer.from(data, 'base64').toString()
  return {
    server: cluster.server ?? '',
    authority: text(cluster['certificate-authority-data']),
    certificate: text(user['client-certificate-data']),
    key: text(user['client-key-data']),
  }
}

test('a restart finds everything as it was, byte for byte', async t => {
  const directory = temporaryFolder(t)
  const first = await makeAll(directory)
  const before = contents(directory)
  t.is(Object.keys(before).length, 4 + 1 + 9)
  const second = await makeAll(directory)
  t.deepEqual(contents(directory), before)
  t.is(second.pki.authority, first.pki.authority)
  t.deepEqual(second.serving, first.serving)
})

test('keys and kubeconfigs are for their owner alone', async t => {
  const directory = join(temporaryFolder(t), 'data')
  await makeAll(directory)
  for (const path of Object.keys(contents(directory))) {
    t.is(statSync(path).mode & 0o777, path.endsWith('.crt') ? 0o644 : 0o600, path)
  }
  for (const folder of [directory, join(directory, 'pki'), join(directory, 'kubeconfigs')]) {
    t.is(statSync(folder).mode & 0o777, 0o700, folder)
  }
})

test('each program has the user and the groups that Kubernetes gives it', async t => {
  const { kubeconfigs } = await makeAll(temporaryFolder(t))
  const identity = (path: string) =>
    identityOfCertificate(new X509Certificate(credentialsOf(path).certificate).toLegacyObject())
  t.deepEqual(identity(kubeconfigs.admin), { user: 'kubernetes-admin', groups: ['system:masters'] })
  const expected = {
    'controller-manager': ['system:kube-controller-manager'],
    scheduler: ['system:kube-scheduler'],
    kubelet: ['system:node:node-1', 'system:nodes'],
    'kube-proxy': ['system:kube-proxy'],
    dns: ['system:serviceaccount:kube-system:coredns', 'system:serviceaccounts', 'system:serviceaccounts:kube-system'],
  }
  for (const [program, [user, ...groups]] of Object.entries(expected)) {
    t.deepEqual(identity(kubeconfigs.programs[program as keyof typeof expected]), { user, groups } as never, program)
  }
})

test('a certificate without a subject, or without a user, is nobody', t => {
  t.is(identityOfCertificate({} as never), undefined)
  t.is(identityOfCertificate({ subject: { O: 'system:masters' } } as never), undefined)
  const subject = { CN: ['first', 'last'], O: ['a', 'b'] }
  t.deepEqual(identityOfCertificate({ subject } as never), { user: 'last', groups: ['a', 'b'] })
})

test('the serving names hold what clients call the apiserver, and nothing unspecified', t => {
  t.deepEqual(names, [
    '10.96.0.1',
    '127.0.0.1',
    '192.0.2.7',
    '::1',
    'api.example',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    'localhost',
  ])
})

/** Connects to a server that asks for client certificates; what each side makes of the other. */
const handshake = async (t: ExecutionContext, pki: Pki, servername: string, client: Partial<Credentials>) => {
  const { certificate: cert, key } = await pki.serving(names)
  const server = createServer({ cert, key, ca: pki.authority, requestCert: true, rejectUnauthorized: false })
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    servername,
    ca: pki.authority,
    ...(client.certificate === undefined ? {} : { cert: client.certificate, key: client.key }),
  })
  t.teardown(() => socket.destroy())
  const [[accepted]] = (await Promise.all([once(server, 'secureConnection'), once(socket, 'secureConnect')])) as [
    [TLSSocket],
    unknown,
  ]
  return { authorized: accepted.authorized, identity: identityOfCertificate(accepted.getPeerCertificate()) }
}

test('a client and the apiserver trust each other over TLS, by every name', async t => {
  const directory = temporaryFolder(t)
  const { pki, kubeconfigs } = await makeAll(directory)
  const admin = credentialsOf(kubeconfigs.admin)
  t.is(admin.authority, pki.authority)
  for (const name of ['kubernetes.default.svc.cluster.local', 'localhost', 'api.example']) {
    t.deepEqual(await handshake(t, pki, name, admin), {
      authorized: true,
      identity: { user: 'kubernetes-admin', groups: ['system:masters'] },
    })
  }
  await t.throwsAsync(handshake(t, pki, 'elsewhere.example', admin), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test('a client without a certificate, or with one of another CA, is not authorised', async t => {
  const { pki } = await makeAll(temporaryFolder(t))
  t.deepEqual(await handshake(t, pki, 'localhost', {}), { authorized: false, identity: undefined })
  const stranger = await makeAll(temporaryFolder(t))
  const verdict = await handshake(t, pki, 'localhost', credentialsOf(stranger.kubeconfigs.admin))
  t.false(verdict.authorized)
})

test('openssl verifies the chains, each for its own purpose', async t => {
  const openssl = findProgram('openssl')
  if (!openssl) return skip(t, 'openssl is not installed')
  const directory = temporaryFolder(t)
  const { kubeconfigs } = await makeAll(directory)
  const client = join(directory, 'client.crt')
  writeFileSync(client, credentialsOf(kubeconfigs.programs.kubelet).certificate)
  const verify = async (certificate: string, purpose: string) => {
    const authority = join(directory, 'pki', 'ca.crt')
    const args = ['verify', '-x509_strict', '-CAfile', authority, '-purpose', purpose, certificate]
    const [code] = await once(spawn(openssl, args, { stdio: 'ignore' }), 'exit')
    return code === 0
  }
  const serving = join(directory, 'pki', 'apiserver.crt')
  t.true(await verify(serving, 'sslserver'))
  t.true(await verify(client, 'sslclient'))
  t.false(await verify(serving, 'sslclient'))
  t.false(await verify(client, 'sslserver'))
})

test('other names get another serving certificate on the same key', async t => {
  const { pki, serving } = await makeAll(temporaryFolder(t))
  const more = await pki.serving([...names, '198.51.100.1'])
  t.not(more.certificate, serving.certificate)
  t.is(more.key, serving.key)
  t.is(new X509Certificate(more.certificate).checkIP('198.51.100.1'), '198.51.100.1')
  const fewer = await pki.serving(names)
  t.is(new X509Certificate(fewer.certificate).checkIP('198.51.100.1'), undefined)
})

test('another address is written into the kubeconfigs; keys, and what people added, stay', async t => {
  const { pki, kubeconfigs } = await makeAll(temporaryFolder(t))
  const before = credentialsOf(kubeconfigs.admin)
  const config = parse(readFileSync(kubeconfigs.admin, 'utf8'))
  config.contexts[0].context.namespace = 'my-namespace'
  config.contexts.push({ name: 'other', context: { cluster: 'other', user: 'other' } })
  writeFileSync(kubeconfigs.admin, stringify(config))
  await pki.writeKubeconfigs({ ...target, server: 'https://127.0.0.1:7443' })
  t.deepEqual(credentialsOf(kubeconfigs.admin), { ...before, server: 'https://127.0.0.1:7443' })
  const { contexts } = parse(readFileSync(kubeconfigs.admin, 'utf8'))
  t.is(contexts[0].context.namespace, 'my-namespace')
  t.is(contexts[1].name, 'other')
})

test('certificates are issued again when less than 30 days are left, not before', async t => {
  const directory = temporaryFolder(t)
  const clock = new VirtualClock()
  const { serving, kubeconfigs } = await makeAll(directory, clock)
  const before = contents(directory)
  t.is(serving.renewal, clock.now() + 335 * DAY)
  await clock.advance(335 * DAY - 1_000)
  await makeAll(directory, clock)
  t.deepEqual(contents(directory), before)
  await clock.advance(2_000)
  const again = await makeAll(directory, clock)
  const after = contents(directory)
  const kept = Object.keys(before).filter(path => before[path] === after[path])
  t.deepEqual(kept.map(path => path.slice(directory.length)).sort(), [
    '/pki/apiserver.key',
    '/pki/ca.crt',
    '/pki/ca.key',
  ])
  t.is(again.serving.renewal, clock.now() + 335 * DAY)
  t.is(parse(readFileSync(kubeconfigs.admin, 'utf8')).users.length, 1)
})

test('no certificate outlives the CA', async t => {
  const directory = temporaryFolder(t)
  const clock = new VirtualClock()
  const { pki } = await makeAll(directory, clock)
  await clock.advance(3_600 * DAY)
  const { serving } = await makeAll(directory, clock)
  t.is(new X509Certificate(serving.certificate).validTo, new X509Certificate(pki.authority).validTo)
})

test('a CA whose parts do not fit is refused and left as it is', async t => {
  const cases: Record<string, (pki: string) => void> = {
    'the key is missing': pki => rmSync(join(pki, 'ca.key')),
    'the key is damaged': pki => writeFileSync(join(pki, 'ca.key'), 'no key'),
    'the certificate is damaged': pki => writeFileSync(join(pki, 'ca.crt'), ''),
    'the key is of another CA': pki => {
      const other = join(pki, '..', '..', 'other', 'pki')
      writeFileSync(join(pki, 'ca.key'), readFileSync(join(other, 'ca.key')))
    },
  }
  const root = temporaryFolder(t)
  await open(join(root, 'other'))
  for (const [title, damage] of Object.entries(cases)) {
    const directory = join(root, 'data')
    rmSync(directory, { recursive: true, force: true })
    await open(directory)
    damage(join(directory, 'pki'))
    const before = contents(directory)
    await t.throwsAsync(open(directory), { code: 'DATA_DIR_UNUSABLE' }, title)
    t.deepEqual(contents(directory), before, title)
  }
})

test('damaged certificates and kubeconfigs are made anew', async t => {
  const directory = temporaryFolder(t)
  const { kubeconfigs } = await makeAll(directory)
  writeFileSync(kubeconfigs.admin, '}: not yaml [')
  writeFileSync(kubeconfigs.programs.dns, 'kind: Config\nusers: [1, {name: x}]\n')
  writeFileSync(join(directory, 'pki', 'apiserver.crt'), 'no certificate')
  writeFileSync(join(directory, 'pki', 'apiserver.key'), '')
  const { pki } = await makeAll(directory)
  for (const path of [kubeconfigs.admin, kubeconfigs.programs.dns]) {
    t.true((await handshake(t, pki, 'localhost', credentialsOf(path))).authorized)
  }
})

test('a directory that cannot be written says so', async t => {
  const directory = temporaryFolder(t)
  writeFileSync(join(directory, 'pki'), 'a file where the folder should be')
  await t.throwsAsync(open(directory), { code: 'DATA_DIR_UNUSABLE', message: /ca\.key/ })
})

test('kill -9 before any of the renames leaves a directory that the next start completes', async t => {
  const directory = join(temporaryFolder(t), 'data')
  mkdirSync(directory)
  const fixture = fileURLToPath(new URL('./interrupted.process.ts', import.meta.url))
  // Each run gets one file further than the last one, and dies with the next one written but not renamed.
  let authority: string | undefined
  for (let run = 1; run <= 13; run++) {
    const child = spawn(process.execPath, [fixture, directory, '2'], { stdio: 'ignore' })
    const [, signal] = await once(child, 'exit')
    t.is(signal, 'SIGKILL')
    const files = Object.keys(contents(directory)).filter(path => !path.endsWith('.new'))
    t.is(files.length, run)
    const certificate = join(directory, 'pki', 'ca.crt')
    if (!existsSync(certificate)) continue
    authority ??= readFileSync(certificate, 'utf8')
    t.is(readFileSync(certificate, 'utf8'), authority)
  }
  const { pki, kubeconfigs } = await makeAll(directory)
  t.is(pki.authority, authority ?? 'none')
  t.deepEqual(
    Object.keys(contents(directory)).filter(path => path.endsWith('.new')),
    [],
  )
  for (const path of [kubeconfigs.admin, ...Object.values(kubeconfigs.programs)]) {
    t.true((await handshake(t, pki, 'localhost', credentialsOf(path))).authorized)
  }
})

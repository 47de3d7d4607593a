/** What a start of `seamark dns` loads: each file that is not needed for the first answer delays it. */

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { startApiserver } from '../support/apiserver.ts'
import { projectRoot } from '../support/cluster.ts'
import { ask } from '../support/dns-client.ts'
import { DnsProcess } from '../support/dns-process.ts'
import { freePorts, whenLeft } from '../support/free-port.ts'
import { recordLoaded } from '../support/loaded-files.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const ADDRESSES = ['dns', 'health', 'ready', 'metrics', 'admin'].flatMap(part => [`--${part}-address`, '127.0.0.1:0'])

/** kubeadm's Corefile with an apiserver that is not there, and no question to anybody else. */
const kubeadm = readFileSync(join(projectRoot, 'configs/examples/kubeadm.Corefile'), 'utf8')
  .replace(/(kubernetes [^{]*\{)/, '$1\n endpoint https://127.0.0.1:1')
  .replace('lameduck 5s', 'lameduck 0s')
  .replace(/forward \. \S+/, 'forward . 127.0.0.1:9')

const begin = (t: ExecutionContext, folder: string, args: readonly string[], environment = {}): DnsProcess => {
  const corefile = join(folder, 'Corefile')
  writeFileSync(corefile, kubeadm)
  return new DnsProcess(t, corefile, [...ADDRESSES, '--log-format', 'json', ...args], environment)
}

test('kubeadm’s Corefile loads its own plugins, and no package that they do not need yet', async t => {
  const folder = temporaryFolder(t)
  const record = recordLoaded(folder)
  const program = begin(t, folder, [], record.environment)
  await program.whenSays('watching failed')
  await program.stop()
  const loaded = record.read()

  const plugins = loaded.flatMap(url => /\/resolver\/plugins\/(\w+)\.[jt]s$/.exec(url)?.[1] ?? [])
  const named = [...kubeadm.matchAll(/^ {4}(\w+)/gm)].map(([, name]) => name!)
  t.true(named.length >= 10, named.join())
  t.deepEqual(plugins.toSorted(), [...named, 'index', 'order'].sort())

  const packages = new Set(loaded.flatMap(url => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []))
  t.true(packages.has('pino') && packages.has('dns-packet'), [...packages].join())
  const needless = ['@opentelemetry/api', '@peculiar/x509', 'fast-json-patch', 'pbf', 'pino-pretty', 're2js', 'yaml']
  t.deepEqual(
    needless.filter(name => packages.has(name)),
    [],
  )
  t.true(loaded.includes('NativeModule net'))
  const builtins = ['http2', 'inspector', 'internal/deps/undici/undici', 'sqlite', 'repl']
  t.deepEqual(
    builtins.filter(name => loaded.includes(`NativeModule ${name}`)),
    [],
  )
  t.deepEqual(
    loaded.filter(
      url => /^file:.*\/(cluster|server\/https|cmd\/up|cmd\/shell)\//.test(url) && !url.endsWith('/options.ts'),
    ),
    [],
  )
})

test('Node’s TLS, which reads all root certificates, is loaded when TLS is spoken', async t => {
  const folder = temporaryFolder(t)
  const record = recordLoaded(folder)
  const corefile = join(folder, 'Corefile')
  writeFileSync(corefile, kubeadm.replace('https://127.0.0.1:1', 'http://127.0.0.1:1'))
  const program = new DnsProcess(t, corefile, [...ADDRESSES, '--log-format', 'json'], record.environment)
  await program.whenSays('watching failed')
  await program.stop()
  const loaded = record.read()
  t.true(loaded.includes('NativeModule net'))
  t.deepEqual(
    loaded.filter(name => /^NativeModule (tls|https)$/.test(name)),
    [],
  )
})

/** The code of the error that binding fails with; undefined: nobody has the port. */
const bindError = async (port: number): Promise<string | undefined> => {
  const socket = createSocket('udp4')
  try {
    await once(socket.bind(port, '127.0.0.1'), 'listening')
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  } finally {
    socket.close()
  }
}

test('from the state on disk it serves before it goes to the apiserver', async t => {
  const folder = temporaryFolder(t)
  const [port, apiserverPort] = await freePorts(2)
  const { programs, close } = await startApiserver(t, { port: apiserverPort! })
  const corefile = join(folder, 'Corefile')
  writeFileSync(corefile, `.:53 {\n kubernetes cluster.local {\n kubeconfig ${programs.dns}\n }\n}`)
  const state = ['--state-dir', join(folder, 'state')]
  const first = new DnsProcess(t, corefile, [...ADDRESSES, ...state])
  await first.whenReady()
  t.is(await first.stop(), 0)
  await close()
  await whenLeft(apiserverPort!)

  const apiserver = createServer()
  t.teardown(() => apiserver.close())
  await once(apiserver.listen(apiserverPort, '127.0.0.1'), 'listening')
  const asked = once(apiserver, 'connection').then(([connection]) => {
    connection.on('error', () => {})
    t.teardown(() => connection.destroy())
  })
  const second = new DnsProcess(t, corefile, [...ADDRESSES, ...state, '--dns-address', `127.0.0.1:${port}`])
  await Promise.race([asked, second.exited])
  t.is(await bindError(port!), 'EADDRINUSE', second.output)
  const reply = await ask({ name: 'kubernetes.default.svc.cluster.local', port: port! })
  t.is(reply.answers[0]?.data, '10.96.0.1')
})

/** Without a place of the user's own: a pod. */
const POD = { HOME: '', NODE_COMPILE_CACHE: '' }

test('what was compiled is kept beside the state, for the main thread and the workers', async t => {
  const folder = temporaryFolder(t)
  const cache = join(folder, 'compile-cache')
  const program = begin(t, folder, ['--state-dir', folder], POD)
  await program.whenSays('watching failed')
  t.is(await program.stop(), 0)
  t.is(statSync(cache).mode & 0o777, 0o700)
  t.true(readdirSync(cache, { recursive: true }).length > 100)
})

const badPlaces: Readonly<Record<string, (cache: string) => void>> = {
  'a file': cache => writeFileSync(cache, ''),
  'a link': cache => symlinkSync(tmpdir(), cache),
  'a folder that others may write to': cache => {
    mkdirSync(cache)
    chmodSync(cache, 0o777)
  },
}

for (const [place, make] of Object.entries(badPlaces))
  test(`where its place is ${place}, nothing is kept, and it starts all the same`, async t => {
    const folder = temporaryFolder(t)
    const cache = join(folder, 'compile-cache')
    make(cache)
    const before = lstatSync(cache).mtimeMs
    const program = begin(t, folder, ['--state-dir', folder], POD)
    await program.whenSays('watching failed')
    t.is(await program.stop(), 0)
    t.is(lstatSync(cache).mtimeMs, before)
  })

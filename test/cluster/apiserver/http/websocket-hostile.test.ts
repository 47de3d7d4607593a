/** Websocket watches by clients that mean no good, or have left: nothing of theirs stays. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { stringify } from 'yaml'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { type RunningApiserver, startApiserver } from '../../../support/apiserver.ts'
import { makeAuthority } from '../../../support/certificates.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const WATCH = `${MAPS}?watch=true`

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

const head = (path: string, headers: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: apiserver', ...headers, '', ''].join('\r\n')

interface Dialled {
  readonly socket: TLSSocket
  /** Below it. */
  readonly raw: Socket
}

const dial = async (t: ExecutionContext, { apiserver, tls }: RunningApiserver, identity = tls): Promise<Dialled> => {
  const raw = connectTcp({ host: '127.0.0.1', port: apiserver.address.port })
  const socket = connect({ socket: raw, ...identity, servername: 'localhost' })
  for (const each of [raw, socket]) each.on('error', () => {})
  t.teardown(() => raw.destroy())
  await once(socket, 'secureConnect')
  return { socket, raw }
}

/** All that is answered until the connection ends, or until `enough` is there. */
const say = async (t: ExecutionContext, server: RunningApiserver, bytes: string, enough?: RegExp): Promise<string> => {
  const { socket } = await dial(t, server)
  let heard = ''
  const done = new Promise(resolve => {
    socket.on('close', resolve)
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1')
      if (enough?.test(heard)) resolve(undefined)
    })
  })
  socket.write(bytes)
  await done
  socket.destroy()
  return heard
}

const openWatches = async ({ registry }: RunningApiserver): Promise<number> => {
  const lines = (await registry.metrics()).split('\n')
  return lines
    .filter(line => line.startsWith('apiserver_longrunning_requests{verb="WATCH"'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const watchesAre = async (server: RunningApiserver, wanted: number): Promise<void> => {
  const deadline = Date.now() + 60_000
  while ((await openWatches(server)) !== wanted) {
    if (Date.now() > deadline) throw new Error(`${await openWatches(server)} watches are open, not ${wanted}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Knows every token as nobody's, when it is let. */
const startGate = async (t: ExecutionContext) => {
  const authority = await makeAuthority()
  const asked = Promise.withResolvers<void>()
  const open = Promise.withResolvers<void>()
  const server = createServer(await authority.server(), async (request, response) => {
    request.resume()
    asked.resolve()
    await open.promise
    const status = { authenticated: true, user: { username: 'slow', groups: ['system:masters'] } }
    response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'ca.crt'), authority.ca)
  const file = join(folder, 'webhook.yaml')
  const cluster = {
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    'certificate-authority': 'ca.crt',
  }
  writeFileSync(file, stringify({ clusters: [{ name: 'w', cluster }] }))
  return { file, asked: asked.promise, open: open.resolve }
}

const anonymous = ({ tls: { ca } }: RunningApiserver) => ({ ca, cert: '', key: '' })

for (const [what, headers] of [
  ['a websocket', HANDSHAKE],
  ['a stream', []],
] as const)
  test(`who leaves while it is found out who asks leaves nothing behind: ${what}`, async t => {
    const gate = await startGate(t)
    const server = await startApiserver(t, { options: { authenticationTokenWebhookConfigFile: gate.file } })
    const { socket, raw } = await dial(t, server, anonymous(server))
    socket.write(head(WATCH, [...headers, 'Authorization: Bearer slow']))
    await gate.asked
    t.is(await openWatches(server), 1)
    raw.resetAndDestroy()
    await once(raw, 'close')
    // The server, in this very thread, has read of it after a turn of the event loop.
    await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => setImmediate(resolve))
    gate.open()
    await watchesAre(server, 0)
    t.pass()
  })

test('a client that says that it is done, and reads nothing, is left', async t => {
  const server = await startApiserver(t)
  const { socket } = await dial(t, server)
  socket.pause()
  socket.write(head(WATCH, HANDSHAKE))
  await watchesAre(server, 1)
  const data = { x: 'x'.repeat(500_000) }
  // More than the kernel takes, and less than what is buffered for one watcher.
  for (let n = 0; n < 30; n++) {
    const metadata = { name: `m${n}`, namespace: 'default' }
    t.true((await server.client.create(configMapKind, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })).ok)
  }
  t.is(await openWatches(server), 1)
  socket.end()
  await watchesAre(server, 0)
})

test('a flood of pings whose pongs nobody reads ends', async t => {
  const server = await startApiserver(t)
  const { socket } = await dial(t, server)
  socket.pause()
  socket.write(head(WATCH, HANDSHAKE))
  await watchesAre(server, 1)
  // RFC 6455 §5.2: masked by nothing.
  const ping = Buffer.concat([Buffer.of(0x89, 0x80 | 125, 0, 0, 0, 0), Buffer.alloc(125)])
  const pings = Buffer.alloc(500 * ping.length, ping)
  const flood = () => {
    while (!socket.destroyed) if (!socket.write(pings)) return void socket.once('drain', flood)
  }
  flood()
  await watchesAre(server, 0)
  t.is((await server.fetch(MAPS)).code, 200)
})

test('what stands behind a handshake, or in it, is no other request', async t => {
  const server = await startApiserver(t)
  t.is((await server.fetch(MAPS, { method: 'POST', body: { metadata: { name: 'kept' } } })).code, 201)
  const smuggled = `DELETE ${MAPS}/kept HTTP/1.1\r\nHost: apiserver\r\n\r\n`
  const body = `Content-Length: ${smuggled.length}`
  const version = HANDSHAKE.map(line => line.replace('13', '8'))
  const log = '/api/v1/namespaces/default/pods/a/log?watch=true'
  const cases: readonly [what: string, bytes: string, codes: readonly string[], enough?: RegExp][] = [
    ['behind a good one', head(WATCH, HANDSHAKE), ['101']],
    ['behind a bad one', head(WATCH, version), ['400']],
    ['behind what is no watch', head(log, HANDSHAKE), ['501'], /"code":501/],
    ['in a body of a list', head(MAPS, [...HANDSHAKE, body, 'Connection: close']), ['200']],
    ['in a body of a watch', head(`${WATCH}&timeoutSeconds=1`, [...HANDSHAKE, body]), ['200'], /\r\n0\r\n\r\n/],
    ['in a name for the log', head(WATCH, [...version, 'Audit-Id: a\x85\tb']), ['400']],
  ]
  for (const [what, bytes, codes, enough] of cases) {
    const heard = await say(t, server, bytes + smuggled, enough)
    t.deepEqual(
      [...heard.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, code]) => code),
      [...codes],
      `${what}: ${heard}`,
    )
    t.is((await server.fetch(`${MAPS}/kept`)).code, 200, what)
  }
  await watchesAre(server, 0)
})

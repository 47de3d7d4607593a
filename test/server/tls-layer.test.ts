/** DNS over TLS on real sockets: handshakes, certificates of both sides, framing and limits as over TCP. */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import type { ClientAuth, DnsListener, Responder, TlsIdentity } from '#resolver/listener.ts'
import { identityOf, type KeyedCertificate, makeAuthority } from '../support/certificates.ts'
import { ask, frame } from '../support/dns-client.ts'
import { addressResponder, metric, startServer, type TestServerOptions } from '../support/dns-server.ts'
import { freePort, whenLeft } from '../support/free-port.ts'
import { queryPacket } from '../support/query-packet.ts'

const authority = await makeAuthority()
const stranger = await makeAuthority('other-ca')
const certificate = await authority.server()
const ours = await authority.client()
const theirs = await stranger.client()

const listener = (identity: TlsIdentity = identityOf(certificate), port = 0): DnsListener => ({
  address: { host: '127.0.0.1', port },
  server: 'tls://:853',
  scheme: 'tls',
  identity,
})

const serve = (t: ExecutionContext, identity?: TlsIdentity, options: Omit<TestServerOptions, 'listeners'> = {}) =>
  startServer(t, { ...options, listeners: [listener(identity)] })

const dial = async (t: ExecutionContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> => {
  const socket = connect({ host: '127.0.0.1', port, ca: authority.ca, ALPNProtocols: ['dot'], ...options })
  t.teardown(() => socket.destroy())
  await once(socket, 'secureConnect')
  // Resets show as 'close'.
  socket.on('error', () => {})
  return socket
}

/** The ids of the next replies, in the order in which they come; rejects when the server closes before. */
const replies = async (socket: TLSSocket, count: number): Promise<number[]> => {
  let received = Buffer.alloc(0)
  const ids: number[] = []
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      ids.push(received.readUInt16BE(2))
      received = received.subarray(2 + received.readUInt16BE(0))
    }
    if (ids.length >= count) return ids
  }
  throw new Error(`the server closed after ${ids.length} replies`)
}

const query = (id: number): Buffer => frame(queryPacket('a.example.', { id }))

test('RFC 7858: pipelined queries over one session, which speaks "dot"; the server’s name and transport are told', async t => {
  const contexts: Parameters<Responder>[1][] = []
  const { port } = await serve(t, undefined, {
    responder: (packet, context) => {
      contexts.push(context)
      return addressResponder()(packet, context)
    },
  })
  const socket = await dial(t, port)
  t.is(socket.alpnProtocol, 'dot')
  t.is(socket.getProtocol(), 'TLSv1.3')
  socket.write(Buffer.concat([query(1), query(2), query(3)]))
  t.deepEqual(await replies(socket, 3), [1, 2, 3])
  const [context] = contexts
  t.is(context?.transport, 'tls')
  t.is(context?.server, 'tls://:853')
  t.is(context?.client.port, socket.localPort)
  t.is(context?.local.port, port)
})

test('a client without ALPN is served; one that offers other protocols only is not (RFC 7301 §3.2)', async t => {
  const { port } = await serve(t)
  const socket = await dial(t, port, { ALPNProtocols: [] })
  socket.write(query(9))
  t.deepEqual(await replies(socket, 1), [9])
  await t.throwsAsync(dial(t, port, { ALPNProtocols: ['h2'] }), { message: /no application protocol/ })
})

test('TLS 1.2 is the least', async t => {
  const { port, registry } = await serve(t)
  t.is((await dial(t, port, { maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2')
  const old = dial(t, port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
  await t.throwsAsync(old, { message: /protocol version/ })
  t.is(await metric(registry, 'seamark_server_dropped_total'), 1)
})

test('the time for the handshake is that for a query; frames have the same limits as over TCP', async t => {
  const { port, registry } = await serve(t, undefined, { options: { tcpReadTimeout: 200 } })
  const silent = connectTcp(port, '127.0.0.1')
  silent.on('error', () => {}).resume()
  const start = performance.now()
  await once(silent, 'close')
  t.true(performance.now() - start >= 195)
  t.is(await metric(registry, 'seamark_server_dropped_total'), 1)
  const patient = await serve(t)
  const socket = await dial(t, patient.port)
  socket.resume()
  socket.write(Buffer.from([0, 0]))
  await once(socket, 'close')
  t.is(await metric(patient.registry, 'seamark_server_dropped_total'), 1)
})

/** Who is admitted: without a certificate, with a stranger's, with one of the CA. */
const admissions: Record<ClientAuth, readonly [none: boolean, strange: boolean, valid: boolean]> = {
  nocert: [true, true, true],
  request: [true, true, true],
  require: [false, true, true],
  verify_if_given: [true, false, true],
  require_and_verify: [false, false, true],
}

const isServed = async (t: ExecutionContext, port: number, shown: Partial<KeyedCertificate>): Promise<boolean> => {
  try {
    const socket = await dial(t, port, shown)
    socket.write(query(5))
    return (await replies(socket, 1))[0] === 5
  } catch {
    return false
  }
}

for (const [clientAuth, expected] of Object.entries(admissions) as [ClientAuth, readonly boolean[]][])
  test(`client_auth ${clientAuth}`, async t => {
    const { port } = await serve(t, identityOf(certificate, clientAuth, authority.ca))
    const served = [await isServed(t, port, {}), await isServed(t, port, theirs), await isServed(t, port, ours)]
    t.deepEqual(served, [...expected])
  })

test('a certificate that changes is the next connection’s; the one that is open stays, and so does the socket', async t => {
  const changing = { ...identityOf(certificate) }
  const { server, port } = await serve(t, changing)
  const before = await dial(t, port)
  t.is(before.getPeerCertificate().subject.CN, 'dns.example')
  changing.credentials = identityOf(await authority.server('next.example')).credentials
  t.is((await dial(t, port)).getPeerCertificate().subject.CN, 'next.example')
  // A reload brings another identity, here with demands on clients.
  const stays = listener(identityOf(certificate, 'require_and_verify', authority.ca))
  await server.converge([stays], [])
  t.deepEqual([...server.addresses().dns], [['tls://127.0.0.1:0', { host: '127.0.0.1', port }]])
  t.false(await isServed(t, port, {}))
  t.true(await isServed(t, port, ours))
  before.write(query(7))
  t.deepEqual(await replies(before, 1), [7])
})

test('RFC 7766 §6.2.4: a client that ends its side still gets its answers', async t => {
  const { port } = await serve(t, undefined, {
    responder: async (packet, context) => {
      await new Promise(resolve => setTimeout(resolve, 30))
      return addressResponder()(packet, context)
    },
  })
  const socket = await dial(t, port, { allowHalfOpen: true } as ConnectionOptions)
  socket.end(query(5))
  t.deepEqual(await replies(socket, 1), [5])
})

test('clients that go away in the handshake are let go at once', async t => {
  const { port, registry } = await serve(t)
  for (let count = 0; count < 20; count++) {
    // The client is through with TLS 1.3 before its last flight is even read.
    const socket = await dial(t, port)
    socket.destroy()
    const early = connectTcp(port, '127.0.0.1')
    await once(early, 'connect')
    early.destroy()
  }
  const open = () => metric(registry, 'seamark_server_tcp_connections')
  while ((await open()) > 0) await new Promise(resolve => setImmediate(resolve))
  t.pass()
})

test('close answers what is in hand over TLS', async t => {
  let release = () => {}
  const held = new Promise<void>(resolve => (release = resolve))
  let arrived = () => {}
  const asked = new Promise<void>(resolve => (arrived = resolve))
  const port = await freePort()
  const { server } = await startServer(t, {
    listeners: [listener(undefined, port)],
    options: { drainTimeout: 600_000 },
    responder: async (packet, context) => {
      arrived()
      await held
      return addressResponder()(packet, context)
    },
  })
  const socket = await dial(t, port)
  socket.write(query(3))
  await asked
  const closed = server.close()
  release()
  t.deepEqual(await replies(socket, 1), [3])
  await closed
  await whenLeft(port)
  await t.throwsAsync(dial(t, port), { code: 'ECONNREFUSED' })
})

test('one address changes its scheme in a reload', async t => {
  // DNS in the clear wants it over UDP, too.
  const port = await freePort()
  const { server } = await startServer(t, { listeners: [listener(undefined, port)] })
  const plain = { address: { host: '127.0.0.1', port }, server: 'dns://:53' }
  await server.converge([plain], [])
  t.is((await ask({ name: 'a', port, transport: 'tcp' })).rcode, 'NOERROR')
  await server.converge([listener(undefined, port)], [])
  t.true(await isServed(t, port, {}))
})

test('the secrets of a connection are told to who asked for them', async t => {
  const lines: string[] = []
  const { port } = await serve(t, { ...identityOf(certificate), keylog: line => void lines.push(line.toString()) })
  const socket = await dial(t, port)
  socket.write(query(1))
  t.deepEqual(await replies(socket, 1), [1])
  t.true(
    lines.some(line => /^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+\n$/.test(line)),
    lines.join(''),
  )
})

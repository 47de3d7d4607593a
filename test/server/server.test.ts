import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { platform } from 'node:os'
import test, { type ExecutionContext } from 'ava'
import { SeamarkError } from '#lib/errors.ts'
import type { HttpEndpoint } from '#resolver/listener.ts'
import { ask, exchangeTcp, exchangeUdp } from '../support/dns-client.ts'
import { addressResponder, loopback, metric, startServer } from '../support/dns-server.ts'
import { freePort, freePorts, whenLeft } from '../support/free-port.ts'
import { queryPacket } from '../support/query-packet.ts'

const page = (path: string, body: string, port = 0): HttpEndpoint => ({
  address: { host: '127.0.0.1', port },
  path,
  reply: () => ({ status: 200, contentType: 'text/plain', body }),
})

test('UDP and TCP share the port that the system chose', async t => {
  const { port } = await startServer(t)
  t.true(port > 0)
  for (const transport of ['udp', 'tcp'] as const) {
    const reply = await ask({ name: 'a.example', port, transport })
    t.is(reply.rcode, 'NOERROR')
    t.is(reply.answers[0]?.data, '192.0.2.1')
  }
})

test('a reload keeps the sockets of an address that stays: no query is lost while it happens', async t => {
  const { server, port } = await startServer(t)
  const stays = { address: { host: '127.0.0.1', port }, server: 'dns://:53' }
  await server.converge([stays], [])
  let done = false
  const asking = (async () => {
    let answered = 0
    while (!done) {
      await ask({ name: 'a.example', port, transport: answered % 8 === 0 ? 'tcp' : 'udp' })
      answered++
    }
    return answered
  })()
  for (let round = 0; round < 20; round++) {
    server.responder = addressResponder(1 + (round % 3))
    await server.converge([stays, loopback()], [])
    await server.converge([stays], [])
  }
  done = true
  t.true((await asking) > 0)
  t.deepEqual([...server.addresses().dns.keys()], [`127.0.0.1:${port}`])
})

test('a responder is swapped between two queries', async t => {
  const { server, port } = await startServer(t)
  t.is((await ask({ name: 'a', port })).answers.length, 1)
  server.responder = addressResponder(2)
  t.is((await ask({ name: 'a', port })).answers.length, 2)
})

test('what goes is closed', async t => {
  // Claimed: nobody else is to be asked when they are let go.
  const [port, http] = await freePorts(2)
  const endpoints = [page('/health', 'OK', http)]
  const { server } = await startServer(t, { listeners: [loopback(port)], endpoints })
  t.is(await (await fetch(`http://127.0.0.1:${http}/health`)).text(), 'OK')
  await server.converge([], [])
  await server.close()
  await Promise.all([whenLeft(port!), whenLeft(http!)])
  await t.throwsAsync(ask({ name: 'a', port: port!, transport: 'tcp' }), { code: 'ECONNREFUSED' })
  await t.throwsAsync(fetch(`http://127.0.0.1:${http}/health`))
})

const taken = (): Promise<{ port: number; close: () => void }> =>
  new Promise(resolve => {
    const other = createServer().listen(0, '127.0.0.1', () => {
      const address = other.address()
      resolve({ port: typeof address === 'object' && address ? address.port : 0, close: () => other.close() })
    })
  })

test('a taken port: the error names address and flag, and all is as it was before', async t => {
  const { server, port } = await startServer(t)
  const other = await taken()
  t.teardown(other.close)
  const before = server.addresses()
  for (const [listeners, endpoints, flag] of [
    [[loopback(other.port)], [], '--dns-address'],
    [[loopback(port)], [page('/metrics', '', other.port)], '--metrics-address'],
  ] as const) {
    const error = await t.throwsAsync(server.converge(listeners, endpoints), { instanceOf: SeamarkError })
    t.is((error as SeamarkError).code, 'ADDRESS_IN_USE')
    t.true(error?.message.includes(`127.0.0.1:${other.port}`) && error.message.includes(flag), error?.message)
    t.deepEqual(server.addresses(), before)
    t.is((await ask({ name: 'a', port })).rcode, 'NOERROR')
    t.is((await ask({ name: 'a', port, transport: 'tcp' })).rcode, 'NOERROR')
  }
})

for (const reusePort of platform() === 'linux' ? [false, true] : [false])
  test(`a port that only UDP has taken is an error too${reusePort ? ', even if it would be shared' : ''}`, async t => {
    const other = createSocket({ type: 'udp4', reusePort })
    await new Promise<void>(resolve => other.bind(0, '127.0.0.1', resolve))
    t.teardown(() => other.close())
    const { server } = await startServer(t, { listeners: [] })
    await t.throwsAsync(server.converge([loopback(other.address().port)], []), { code: 'ADDRESS_IN_USE' })
    t.is(server.addresses().dns.size, 0)
  })

test('an address that this machine does not have', async t => {
  const { server } = await startServer(t, { listeners: [] })
  const listener = { address: { host: '192.0.2.77', port: 0 }, server: '' }
  await t.throwsAsync(server.converge([listener], []), { code: 'ADDRESS_NOT_AVAILABLE' })
})

test('from all addresses to one on the same port, and back when that fails', async t => {
  const everywhere = { address: { host: '', port: 0 }, server: 'dns://:0' }
  const { server, port } = await startServer(t, { listeners: [everywhere] })
  const all = { address: { host: '', port }, server: 'dns://:0' }
  await server.converge([all], [])
  const other = await taken()
  t.teardown(other.close)
  await t.throwsAsync(server.converge([loopback(port)], [page('/ready', '', other.port)]), { code: 'ADDRESS_IN_USE' })
  t.deepEqual([...server.addresses().dns.keys()], [`:${port}`])
  t.is((await ask({ name: 'a', port })).rcode, 'NOERROR')
  await server.converge([loopback(port)], [])
  t.deepEqual([...server.addresses().dns.keys()], [`127.0.0.1:${port}`])
  t.is((await ask({ name: 'a', port })).rcode, 'NOERROR')
})

test('a responder that throws or rejects: SERVFAIL, counted, and the server lives', async t => {
  const { server, port, registry } = await startServer(t, {
    responder: () => {
      throw new Error('broken')
    },
  })
  const packet = queryPacket('a.')
  t.is((await exchangeUdp(packet, port)).toString('hex'), '2a2a81020000000000000000')
  server.responder = () => Promise.reject(new Error('broken later'))
  t.is((await exchangeTcp(packet, port)).toString('hex'), '2a2a81020000000000000000')
  t.is(await metric(registry, 'seamark_server_responder_failures_total'), 2)
  server.responder = addressResponder()
  t.is((await ask({ name: 'a', port })).rcode, 'NOERROR')
})

test('close answers what is in hand, over UDP and over TCP', async t => {
  let release = () => {}
  const held = new Promise<void>(resolve => (release = resolve))
  let arrived = 0
  let bothArrived = () => {}
  const both = new Promise<void>(resolve => (bothArrived = resolve))
  const port = await freePort()
  const { server } = await startServer(t, {
    listeners: [loopback(port)],
    options: { drainTimeout: 600_000 },
    responder: async (packet, context) => {
      if (++arrived === 2) bothArrived()
      await held
      return addressResponder()(packet, context)
    },
  })
  const asked = [ask({ name: 'a', port }), ask({ name: 'a', port, transport: 'tcp' })]
  await both
  const closed = server.close()
  release()
  t.deepEqual(
    (await Promise.all(asked)).map(reply => reply.rcode),
    ['NOERROR', 'NOERROR'],
  )
  await closed
  await whenLeft(port)
  await t.throwsAsync(ask({ name: 'a', port, transport: 'tcp' }), { code: 'ECONNREFUSED' })
})

test('close does not wait for longer than the drain time', async t => {
  let arrived = () => {}
  const asked = new Promise<void>(resolve => (arrived = resolve))
  const { server, port } = await startServer(t, {
    responder: () => {
      arrived()
      return new Promise(() => {})
    },
    options: { drainTimeout: 50 },
  })
  const lost = [ask({ name: 'a', port, deadline: 500 }), ask({ name: 'a', port, transport: 'tcp', deadline: 500 })]
  await asked
  // Without a limit it would never end.
  await server.close()
  for (const { status } of await Promise.allSettled(lost)) t.is(status, 'rejected')
})

test('more queries in flight than the limit are dropped and counted', async t => {
  let release = () => {}
  const held = new Promise<void>(resolve => (release = resolve))
  const { port, registry } = await startServer(t, {
    responder: async (packet, context) => {
      await held
      return addressResponder()(packet, context)
    },
    options: { maxInFlight: 2 },
  })
  let answered = 0
  const countAnswer = () => void answered++
  // Those that are dropped have no answer to wait for.
  for (let asked = 0; asked < 5; asked++) void ask({ name: 'a', port, deadline: 60_000 }).then(countAnswer, () => {})
  const turn = () => new Promise(resolve => setImmediate(resolve))
  while ((await metric(registry, 'seamark_server_dropped_total')) < 3) await turn()
  release()
  while (answered < 2) await turn()
  t.is(await metric(registry, 'seamark_server_dropped_total'), 3)
})

const connectedSocket = async (t: ExecutionContext, port: number): Promise<Socket> => {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  await new Promise<void>(resolve => socket.connect(port, '127.0.0.1', resolve))
  return socket
}

test('the law of order: a query is answered after all that other sockets have received', async t => {
  let changes = 0
  const { port } = await startServer(t, {
    responder: (packet, context) => addressResponder(1 + (changes % 20))(packet, context),
  })
  // Another socket of this process, as a watch stream is one.
  const stream = createSocket('udp4')
  await new Promise<void>(resolve => stream.bind(0, '127.0.0.1', resolve))
  t.teardown(() => stream.close())
  stream.on('message', () => changes++)
  const writer = await connectedSocket(t, stream.address().port)
  const client = await connectedSocket(t, port)
  const packet = queryPacket('a.')
  for (let round = 1; round <= 500; round++) {
    const replied = once(client, 'message')
    // Both wait in the kernel when the loop comes round, the query first: answered as it is read, it would be stale.
    client.send(packet)
    writer.send('change')
    const [reply] = await replied
    t.is((reply as Buffer).readUInt16BE(6), 1 + (round % 20))
  }
})

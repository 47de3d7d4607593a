import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { Notifier } from '#resolver/authority/notifier.ts'
import { registerMetrics } from '#resolver/metrics.ts'
import { opcodes, rcodes } from '#resolver/wire/codes.ts'
import { headerReply } from '#resolver/wire/header.ts'
import { encodeNotify, isNotifyReply, notifyReply, readNotify } from '#resolver/wire/notify.ts'
import { configure, testWorld } from '../../support/dns-environment.ts'
import { metric, record, startServer } from '../../support/dns-server.ts'
import { answer, becomes, startPrimary, startSecondary, until, zone } from '../../support/transfers.ts'

const soa = record('example. 5 SOA ns.example. root.example. 7 60 20 100 5')
const context = (client: string, server = 'dns://:53') => ({
  transport: 'udp' as const,
  client: { address: client, port: 4000 },
  local: { address: '192.0.2.53', port: 53 },
  server,
})

test('a NOTIFY is read as it is written', t => {
  const packet = encodeNotify(99, soa)
  t.is(packet.readUInt16BE(2) >> 11, opcodes.NOTIFY)
  t.is(readNotify(packet)?.zone, 'example.')
  const reply = notifyReply(packet, readNotify(packet)!, rcodes.NOERROR)
  t.true(isNotifyReply(packet, reply))
  t.is(readNotify(reply), undefined)
  for (const wrong of [
    packet.subarray(0, 20),
    headerReply(packet, 0),
    Buffer.concat([packet.subarray(0, 21), Buffer.from([0, 1, 0, 1])]),
  ])
    t.is(readNotify(wrong), undefined)
})

test('a secondary fetches at once what its primary announces, and hears nobody else', async t => {
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'))
  const secondary = await startSecondary(t, primary.port)
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  await primary.update(zone(2, 'www A 192.0.2.2'), 2)
  const announce = async (client: string, packet = encodeNotify(1, soa)) => {
    const reply = await secondary.configuration.responder(packet, context(client))
    return reply && [reply.readUInt16BE(2) >> 11, reply.readUInt16BE(2) & 0xf]
  }
  t.deepEqual(await announce('192.0.2.66'), [opcodes.NOTIFY | 16, rcodes.REFUSED])
  const foreign = record('other. 5 SOA ns.example. root.example. 7 60 20 100 5')
  t.deepEqual(await announce('127.0.0.1', encodeNotify(1, foreign)), [opcodes.NOTIFY | 16, rcodes.NOTAUTH])
  t.is(await answer(secondary, 'www.example.'), 'www.example. 5 IN A 192.0.2.1')
  // Its clock stands still: nothing but the announcement can do it.
  t.deepEqual(await announce('127.0.0.1'), [opcodes.NOTIFY | 16, rcodes.NOERROR])
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.2')
})

test('where nothing comes from other servers NOTIFY is not implemented', async t => {
  const reply = await configure('. {\n whoami\n}').responder(encodeNotify(1, soa), context('127.0.0.1'))
  t.is(reply!.readUInt16BE(2) & 0xf, rcodes.NOTIMP)
})

test('from file to secondary: a change is announced and fetched', async t => {
  let respond: Awaited<ReturnType<typeof startSecondary>>['configuration']['responder'] | undefined
  const { port } = await startServer(t, {
    responder: (packet, from) => respond?.(packet, { ...from, server: 'dns://:53' }),
  })
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'), { to: `127.0.0.1:${port}` })
  const secondary = await startSecondary(t, primary.port)
  respond = secondary.configuration.responder
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  await primary.update(zone(2, 'www A 192.0.2.2'), 2)
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.2')
  t.pass()
})

/** A peer that keeps what it is told. */
const startPeer = async (t: ExecutionContext) => {
  const told: { packet: Buffer; from: RemoteInfo }[] = []
  const socket = createSocket('udp4', (packet, from) => void told.push({ packet, from }))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => void socket.close())
  return { told, socket, peer: { address: '127.0.0.1', port: (socket.address() as AddressInfo).port } }
}

const startNotifier = (
  t: ExecutionContext,
  peer: { address: string; port: number },
  sources: readonly string[] = [],
) => {
  const { clock, random, registry } = testWorld()
  const warnings: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(JSON.parse(line).msg) })
  const table = { failures: { kind: 'counter', name: 'seamark_test', help: 'x', labels: ['zone'] } } as const
  const { failures } = registerMetrics(registry, table)
  const notifier = new Notifier({ peers: [peer], sources, clock, random, logger, failures })
  t.teardown(() => notifier.close())
  return { notifier, clock, warnings, failures: () => metric(registry, 'seamark_test') }
}

test('it is told again until somebody answers', async t => {
  const { told, socket, peer } = await startPeer(t)
  const { notifier, clock, failures } = startNotifier(t, peer)
  notifier.tell('example.', soa)
  await until(async () => told.length === 1)
  await clock.advance(2000)
  await until(async () => told.length === 2)
  const { packet, from } = told[1]!
  t.deepEqual(packet, told[0]!.packet)
  socket.send(notifyReply(packet, readNotify(packet)!, 0), from.port, from.address)
  await until(async () => {
    await clock.advance(1)
    return (await new Promise<number>(resolve => setImmediate(() => resolve(told.length)))) === 2
  })
  t.is(await failures(), 0)
})

test('it is told from the address that is given; one that is another’s ends it', async t => {
  const { told, peer } = await startPeer(t)
  startNotifier(t, peer, ['2001:db8::1', '127.0.0.7']).notifier.tell('example.', soa)
  await until(async () => told.length === 1)
  t.is(told[0]!.from.address, '127.0.0.7')
  const { notifier, clock, warnings, failures } = startNotifier(t, peer, ['192.0.2.7'])
  notifier.tell('example.', soa)
  await until(async () => warnings.length > 0)
  await clock.advance(60_000)
  t.deepEqual(warnings, ['announcement cannot be sent'])
  t.is(await failures(), 1)
})

test('in the end nobody was there; a newer change takes the place of an older one', async t => {
  const { told, peer } = await startPeer(t)
  const { notifier, clock, failures } = startNotifier(t, peer)
  notifier.tell('example.', soa)
  notifier.tell('example.', record('example. 5 SOA ns.example. root.example. 8 60 20 100 5'))
  for (let count = 1; count <= 5; count++) {
    await until(async () => told.length >= count)
    await clock.advance(60_000)
  }
  await until(async () => (await failures()) === 1)
  t.is(new Set(told.map(({ packet }) => packet.toString('hex'))).size, 1)
})

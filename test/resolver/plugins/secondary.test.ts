import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { extendedErrorCodes, rcodeName, recordTypes } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { makeZone, variedZone } from '../../support/authority-zone.ts'
import { frame } from '../../support/dns-client.ts'
import { type Ask, ask, configure, problemsOf, type TestWorld, testWorld } from '../../support/dns-environment.ts'
import { loopback, record, startServer } from '../../support/dns-server.ts'
import { startNsd } from '../../support/nsd.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** refresh 60 s, retry 20 s, expire 100 s. */
const zone = (serial: number, rest: string) => `$TTL 5\n@ SOA ns root ${serial} 60 20 100 5\n${rest}\n`

const edns = { udpSize: 1232, dnssecOk: false, options: [] }

/** A server of ours that gives example. from a file to anybody, on a port of loopback. */
const startPrimary = async (t: ExecutionContext, text: string) => {
  const folder = temporaryFolder(t)
  const write = (content: string) => writeFileSync(join(folder, 'db'), content)
  write(text)
  const world = testWorld()
  const corefile = 'example {\n file db {\n  reload 1s\n }\n transfer {\n  to *\n }\n}'
  const configuration = configure(corefile, world, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const responder: Configuration['responder'] = (packet, context) =>
    configuration.responder(packet, { ...context, server: 'dns://:53' })
  const { server, port } = await startServer(t, { responder })
  const update = async (content: string, serial: number) => {
    write(content)
    const isThere = async () =>
      (await world.registry.metrics()).includes(`seamark_zone_serial{zone="example."} ${serial}`)
    while (!(await isThere())) await world.clock.advance(1000)
  }
  return { server, port, update, responder }
}

interface Secondary {
  readonly configuration: Configuration
  readonly world: TestWorld
}

const startSecondary = async (t: ExecutionContext, ...ports: readonly number[]): Promise<Secondary> => {
  const world = testWorld()
  const from = ports.map(port => `127.0.0.1:${port}`).join(' ')
  const configuration = configure(`example {\n secondary {\n  transfer from ${from}\n }\n}`, world)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  return { configuration, world }
}

const answer = async ({ configuration }: Secondary, name: string, question: Ask = {}): Promise<string> => {
  const reply = await ask(configuration, name, question)
  return reply?.answers.map(recordToText)[0] ?? rcodeName(reply!.rcode)
}

/** Waits for the network; the secondary's own time stands still. */
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  const end = performance.now() + 10_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('it did not come to hold in 10 s')
    await new Promise(resolve => setImmediate(resolve))
  }
}

const becomes = (secondary: Secondary, name: string, expected: string) =>
  until(async () => (await answer(secondary, name)) === expected)

const failures = async ({ world }: Secondary): Promise<number> =>
  Number(/seamark_zone_failures_total\{zone="example."\} (\d+)/.exec(await world.registry.metrics())?.[1] ?? 0)

test('fetches a zone at start, and again after refresh when it is newer', async t => {
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'))
  const secondary = await startSecondary(t, primary.port)
  const early = await ask(secondary.configuration, 'www.example.', { edns })
  t.deepEqual([rcodeName(early!.rcode), early?.extendedErrors?.[0]?.code], ['SERVFAIL', extendedErrorCodes.NOT_READY])
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  await primary.update(zone(2, 'www A 192.0.2.22'), 2)
  await secondary.world.clock.advance(59_000)
  t.is(await answer(secondary, 'www.example.'), 'www.example. 5 IN A 192.0.2.1')
  await secondary.world.clock.advance(1000)
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.22')
  t.true((await secondary.world.registry.metrics()).includes('seamark_zone_serial{zone="example."} 2'))
})

test('a zone of many messages comes whole', async t => {
  const hosts = Array.from({ length: 3000 }, (_, index) => `host-${index} TXT "${'x'.repeat(100)}"`)
  const primary = await startPrimary(t, zone(1, hosts.join('\n')))
  const secondary = await startSecondary(t, primary.port)
  await until(async () => (await answer(secondary, 'host-2999.example.', { type: recordTypes.TXT })) !== 'SERVFAIL')
  const copy = secondary.configuration.plugins[0]?.copyZone?.('example.')
  t.is([...(copy?.records ?? [])].length, 3000)
})

test('retries after retry; expires when nobody was reached for so long; comes back', async t => {
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'))
  const secondary = await startSecondary(t, primary.port)
  const here = 'www.example. 5 IN A 192.0.2.1'
  await becomes(secondary, 'www.example.', here)
  await primary.server.close()
  await secondary.world.clock.advance(60_000)
  await until(async () => (await failures(secondary)) === 1)
  await secondary.world.clock.advance(20_000)
  await until(async () => (await failures(secondary)) === 2)
  t.is(await answer(secondary, 'www.example.'), here)
  await secondary.world.clock.advance(20_000)
  await until(async () => (await failures(secondary)) === 3)
  const late = await ask(secondary.configuration, 'www.example.', { edns })
  t.deepEqual(late?.extendedErrors, [{ code: extendedErrorCodes.INVALID_DATA, text: 'the zone has expired' }])
  await startServer(t, { responder: primary.responder, listeners: [loopback(primary.port)] })
  await secondary.world.clock.advance(20_000)
  await becomes(secondary, 'www.example.', here)
})

test('the next server is asked where one fails', async t => {
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'))
  const gone = createServer().listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port } = gone.address() as AddressInfo
  await new Promise(resolve => void gone.close(resolve))
  const secondary = await startSecondary(t, port, primary.port)
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  t.is(await failures(secondary), 0)
})

/** A server that answers each question by messages, whatever it is asked; SOA questions get the SOA. */
const startFalse = async (
  t: ExecutionContext,
  transfer: readonly (readonly string[])[],
  rcode = 0,
): Promise<number> => {
  const soa = 'example. 5 SOA ns.example. root.example. 1 60 20 100 5'
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', chunk => {
      const query = chunk.subarray(2)
      const isSoa = query.readUInt16BE(query.length - 4) === recordTypes.SOA
      for (const texts of isSoa ? [[soa]] : transfer) {
        const header = Buffer.from(query.subarray(0, 12))
        header.writeUInt16BE(0x8400 | (isSoa ? 0 : rcode), 2)
        header.writeUInt16BE(texts.length, 6)
        const records = texts.map(text => wire(text === 'SOA' ? soa : text))
        socket.write(frame(Buffer.concat([header, query.subarray(12), ...records])))
      }
      if (!isSoa && transfer.length === 0) socket.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  return (server.address() as AddressInfo).port
}

const wire = (text: string): Buffer => {
  const { name, type, ttl, data } = record(text)
  const labels = name.split('.').map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]))
  const fixed = Buffer.alloc(10)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(1, 2)
  fixed.writeUInt32BE(ttl, 4)
  fixed.writeUInt16BE(data.length, 8)
  return Buffer.concat([...labels, fixed, data])
}

const www = 'www.example. 5 A 192.0.2.1'

const broken: Record<string, readonly [transfer: readonly (readonly string[])[], rcode?: number]> = {
  'a refusal': [[[]], 5],
  'an end before the last SOA': [[['SOA', www], []]],
  'a connection that closes': [[]],
  'no SOA at the begin': [[[www, 'SOA']]],
  'records after the last SOA': [[['SOA', 'SOA', www]]],
  'data that is no zone': [[['SOA', www, 'www.example. 5 CNAME a.', 'SOA']]],
}

for (const [about, [transfer, rcode]] of Object.entries(broken))
  test(`not taken over: ${about}`, async t => {
    const secondary = await startSecondary(t, await startFalse(t, transfer, rcode))
    await until(async () => (await failures(secondary)) === 1)
    t.is(await answer(secondary, 'www.example.'), 'SERVFAIL')
  })

test('the same false server, when it is right', async t => {
  const secondary = await startSecondary(t, await startFalse(t, [['SOA'], [www], ['SOA']]))
  await becomes(secondary, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  t.pass()
})

test('an unchanged line keeps its zones through a reload of the Corefile', async t => {
  const primary = await startPrimary(t, zone(1, 'www A 192.0.2.1'))
  const old = await startSecondary(t, primary.port)
  await becomes(old, 'www.example.', 'www.example. 5 IN A 192.0.2.1')
  const next = configure(`example {\n secondary {\n  transfer from 127.0.0.1:${primary.port}\n }\n}`, old.world)
  next.adopt(old.configuration)
  await next.start(new AbortController().signal)
  t.teardown(() => next.close())
  await old.configuration.close()
  const kept = { configuration: next, world: old.world }
  t.is(await answer(kept, 'www.example.'), 'www.example. 5 IN A 192.0.2.1')
  await primary.update(zone(2, 'www A 192.0.2.2'), 2)
  await old.world.clock.advance(60_000)
  await becomes(kept, 'www.example.', 'www.example. 5 IN A 192.0.2.2')
})

test('a zone of NSD comes as it is in its file', async t => {
  const port = await startNsd(t, variedZone)
  if (port === undefined) return
  const secondary = await startSecondary(t, port)
  await until(async () => (await answer(secondary, 'www.example.')) !== 'SERVFAIL')
  const copy = secondary.configuration.plugins[0]?.copyZone?.('example.')
  const texts = [...(copy?.records ?? [])].map(each => recordToText(each).toLowerCase()).sort()
  const written = [...(await makeZone(variedZone)).recordsBesideSoa()]
  t.deepEqual(texts, written.map(each => recordToText(each).toLowerCase()).sort())
})

const wrong: Record<string, readonly [body: string, problem: string]> = {
  'no servers': ['fallthrough', '2: secondary: needs "transfer from": the servers of the zones'],
  'transfer to': [
    'transfer to 192.0.2.1',
    '3: secondary: to give zones on is the "transfer" plugin’s: transfer { to … }',
  ],
  'another word': ['transfer form 192.0.2.1', '3: secondary: "form" is not one of from; did you mean "from"?'],
  'no address': [
    'transfer from ns.example',
    '3: secondary: "ns.example" is not the address of a server (like 192.0.2.1 or [2001:db8::1]:5353)',
  ],
}

for (const [about, [body, problem]] of Object.entries(wrong))
  test(`tells of ${about}`, t =>
    t.deepEqual(problemsOf(`. {\n secondary {\n  ${body}\n }\n}`), [`Corefile:${problem}`]))

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { PbfReader } from 'pbf'
import { pino } from 'pino'
import { systemClock } from '#lib/clock.ts'
import { FrameStream } from '#resolver/dnstap/frame-stream.ts'
import type { Plugin } from '#resolver/plugin.ts'
import type { Transport } from '#resolver/query.ts'
import { ask, configure, problemsOf, type TestWorld, testWorld } from '../../support/dns-environment.ts'
import { metric } from '../../support/dns-server.ts'
import { FrameStreamReader } from '../../support/frame-stream-reader.ts'
import { freePort } from '../../support/free-port.ts'
import { findProgram, skip } from '../../support/programs.ts'
import { run } from '../../support/run.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startUpstream } from '../../support/upstream.ts'
import { eventually } from '../../watcher/support/eventually.ts'

const DROPPED = 'seamark_dnstap_dropped_total'

/** A server with a `dnstap` line, on the machine's own time: sockets have no other. */
const tapped = async (t: ExecutionContext, line: string, world: TestWorld = testWorld()) => {
  const logged: string[] = []
  const logger = pino({ level: 'info' }, { write: text => void logged.push(text) })
  const environment = { ...world, logger, clock: systemClock }
  const folder = temporaryFolder(t)
  const configuration = configure(`. {\n dnstap ${line}\n whoami\n}`, environment as unknown as TestWorld, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const connected = () => eventually(() => logged.some(text => text.includes('dnstap reader is there')), 'a reader')
  return { configuration, connected }
}

/** Field → value of a Protocol Buffers message; bytes as they are. */
const fieldsOf = (bytes: Uint8Array): Map<number, number | Uint8Array> =>
  new PbfReader(bytes).readFields((tag, fields, reader) => {
    const value =
      reader.type === 2 ? reader.readBytes() : reader.type === 5 ? reader.readFixed32() : reader.readVarint()
    fields.set(tag, value)
  }, new Map<number, number | Uint8Array>())

const typeOf = (frame: Buffer): unknown => fieldsOf(fieldsOf(frame).get(14) as Uint8Array).get(1)

const exchange = {
  address: '2001:db8::53',
  port: 853,
  query: Buffer.from('12340100000100000000000007636c757374657204746573740000010001', 'hex'),
  response: Buffer.from('12348180000100000000000007636c757374657204746573740000010001', 'hex'),
  sent: 0,
  received: 12.5,
} as const

const tellExchange = (plugins: readonly Plugin[], transport: Transport = 'tcp') => {
  for (const plugin of plugins) plugin.reportExchange?.({ ...exchange, transport })
}

/** What another make of reader wrote down, as another make of decoder prints it. */
const captured = async (t: ExecutionContext, place: 'unix' | 'tcp', full: string): Promise<string | undefined> => {
  const capture = findProgram('fstrm_capture')
  const decoder = findProgram('dnstap-read')
  if (!capture || !decoder) {
    skip(t, 'needs fstrm_capture (fstrm-bin) and dnstap-read (bind9-dnsutils)')
    return undefined
  }
  const folder = temporaryFolder(t)
  const [socket, file] = [join(folder, 'tap.sock'), join(folder, 'tap')]
  const port = await freePort()
  const where = place === 'unix' ? ['-u', socket] : ['-a', '127.0.0.1', '-p', String(port)]
  const child = spawn(capture, ['-t', 'protobuf:dnstap.Dnstap', ...where, '-w', file], { stdio: 'ignore' })
  t.teardown(() => void child.kill('SIGKILL'))
  if (place === 'unix') await eventually(() => existsSync(socket), 'the reader listens')
  const target = place === 'unix' ? `unix://${socket}` : `tcp://127.0.0.1:${port}`
  const { configuration, connected } = await tapped(t, `${target} ${full} {\n identity dns-1\n version Test-1\n }`)
  await ask(configuration, 'Name.example.org.', { client: '192.0.2.77' })
  await ask(configuration, 'six.example.org.', { client: '2001:db8::77', transport: 'tcp' })
  tellExchange(configuration.plugins)
  await connected()
  // Waits until the reader has said that it has all.
  await configuration.close()
  child.kill('SIGTERM')
  if (child.exitCode === null) await once(child, 'exit')
  const { stdout, stderr, code } = await run(decoder, ['-y', file])
  t.is(code, 0, stderr)
  return stdout
}

for (const place of ['unix', 'tcp'] as const) {
  test(`a real reader over ${place} understands what it is told`, async t => {
    const text = await captured(t, place, 'full')
    if (text === undefined) return
    const messages = text.split(/^---$/m).filter(each => each.includes('type:'))
    t.deepEqual(
      messages.map(each => /^ {2}type: (\w+)$/m.exec(each)?.[1]),
      [...Array(2).fill(['CLIENT_QUERY', 'CLIENT_RESPONSE']).flat(), 'FORWARDER_QUERY', 'FORWARDER_RESPONSE'],
    )
    const [query, response, , six, forwarded, returned] = messages
    for (const each of messages) t.regex(each, /^identity: dns-1$\n^version: Test-1$/m)
    for (const line of [
      'socket_family: INET$',
      'socket_protocol: UDP$',
      'query_address: "?192\\.0\\.2\\.77"?$',
      'query_port: 40000$',
      'response_address: "?192\\.0\\.2\\.53"?$',
      'response_port: 53$',
      'Name\\.example\\.org',
    ])
      t.regex(query!, new RegExp(line, 'm'))
    t.regex(response!, /status: NOERROR/)
    t.regex(six!, /socket_protocol: TCP[\s\S]*query_address: "2001:db8::77"/)
    t.regex(forwarded!, /socket_family: INET6[\s\S]*socket_protocol: TCP[\s\S]*2001:db8::53[\s\S]*response_port: 853/)
    const timeOf = (each: string | undefined) => Date.parse(/_time: !!timestamp (\S+)/.exec(each ?? '')?.[1] ?? '')
    for (const each of messages) t.true(Math.abs(timeOf(each) - Date.now()) < 3_600_000)
    t.true(timeOf(returned) >= timeOf(forwarded))
  })
}

test('a reader that is away gets what waited; one that comes back gets the rest', async t => {
  const folder = temporaryFolder(t)
  const socket = join(folder, 'tap.sock')
  const { configuration } = await tapped(t, socket)
  await ask(configuration, 'early.example.org.')
  const reader = new FrameStreamReader(t)
  await reader.listen(socket)
  await eventually(() => reader.frames.length === 2, 'what waited arrives')
  t.deepEqual(reader.frames.map(typeOf), [5, 6])
  // Without "full" there are no messages in it.
  for (const frame of reader.frames) t.false(frame.includes('early'))
  reader.breakOff()
  await eventually(() => reader.controls.filter(type => type === 2).length === 2, 'a second connection')
  await ask(configuration, 'late.example.org.')
  await eventually(() => reader.frames.length === 4, 'the rest arrives')
  await configuration.close()
  t.deepEqual(reader.controls, [4, 2, 4, 2, 3])
})

test('what no reader takes is dropped and counted, and nobody waits', async t => {
  const world = testWorld()
  const { configuration } = await tapped(t, `${join(temporaryFolder(t), 'nobody.sock')} full`, world)
  for (let count = 0; count < 5100; count++) await ask(configuration, 'example.org.')
  t.is(await metric(world.registry, DROPPED), 200)
})

test('extra', async t => {
  const socket = join(temporaryFolder(t), 'tap.sock')
  const reader = new FrameStreamReader(t)
  await reader.listen(socket)
  const { configuration } = await tapped(t, `${socket} {\n extra "{name} {type}"\n }`)
  await ask(configuration, 'Name.example.org.')
  tellExchange(configuration.plugins)
  await eventually(() => reader.frames.length === 4, 'all arrive')
  const extras = reader.frames.map(frame => fieldsOf(frame).get(3) as Uint8Array | undefined)
  t.deepEqual(
    extras.map(extra => extra && Buffer.from(extra).toString()),
    ['Name.example.org. A', 'Name.example.org. A', undefined, undefined],
  )
})

test('message_types', async t => {
  const socket = join(temporaryFolder(t), 'tap.sock')
  const reader = new FrameStreamReader(t)
  await reader.listen(socket)
  const { configuration, connected } = await tapped(
    t,
    `${socket} {\n message_types CLIENT_RESPONSE FORWARDER_QUERY\n }`,
  )
  await ask(configuration, 'example.org.')
  tellExchange(configuration.plugins, 'tls')
  await connected()
  await configuration.close()
  await eventually(() => reader.controls.includes(3), 'the stream ends')
  t.deepEqual(reader.frames.map(typeOf), [6, 7])
  // SocketProtocol: UDP and DOT.
  t.deepEqual(
    reader.frames.map(frame => fieldsOf(fieldsOf(frame).get(14) as Uint8Array).get(3)),
    [1, 3],
  )
})

test('readers may come', async t => {
  const socket = join(temporaryFolder(t), 'tap.sock')
  const { configuration } = await tapped(t, `listen unix://${socket}`)
  const readers = [new FrameStreamReader(t), new FrameStreamReader(t)]
  for (const reader of readers) reader.take(connect(socket))
  await eventually(() => readers.every(({ controls }) => controls.includes(2)), 'both have begun')
  await ask(configuration, 'example.org.')
  await eventually(() => readers.every(({ frames }) => frames.length === 2), 'both are told')
  readers[0]!.breakOff()
  await ask(configuration, 'example.org.')
  await eventually(() => readers[1]!.frames.length === 4, 'the other one is told more')
  t.is(readers[0]!.frames.length, 2)
})

test('a slow reader costs what waits for it, not what others get', async t => {
  const reader = new FrameStreamReader(t)
  reader.reads = false
  await reader.listen(0)
  let dropped = 0
  let connected = false
  const stream = new FrameStream({
    open: onReady => connect({ port: reader.port, host: '127.0.0.1' }, onReady),
    reconnects: true,
    contentType: 'protobuf:dnstap.Dnstap',
    capacity: 100,
    buffer: 64 * 1024,
    clock: systemClock,
    random: testWorld().random,
    onDrop: () => dropped++,
    onConnect: () => (connected = true),
    onDisconnect: () => {},
  })
  stream.start()
  await eventually(() => connected, 'the reader accepts')
  const payload = Buffer.alloc(64 * 1024)
  // More than the kernel's buffers, the socket's and the queue hold.
  for (let count = 0; dropped === 0 && count < 4000; count++) {
    stream.write(payload)
    if (count % 50 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  t.true(dropped > 0)
  reader.breakOff()
  await stream.close()
})

test('mistakes are told', t => {
  const told = (line: string) => problemsOf(`. {\n dnstap ${line}\n}`)[0]
  t.regex(told('')!, /needs a socket/)
  t.regex(told('tcp://nowhere')!, /"nowhere" is not HOST:PORT/)
  t.regex(told('a.sock full 0')!, /"0" is not a number of MiB \(1 to 1024\)/)
  t.regex(told('a.sock full 1 5000')!, /times 10,000 messages/)
  t.regex(told('a.sock {\n extra {nome}\n }')!, /"\{nome\}" is not a placeholder/)
  t.regex(told('a.sock {\n message_types CLIENT\n }')!, /"CLIENT" is not one of/)
  t.regex(told('listen tls://127.0.0.1:6000')!, /needs "tls"/)
  t.regex(told('tls://127.0.0.1:6000 {\n tls a b\n }')!, /cannot be read/)
})

test('what forward asks and is told, after a reload of the Corefile, too', async t => {
  const socket = join(temporaryFolder(t), 'tap.sock')
  const reader = new FrameStreamReader(t)
  await reader.listen(socket)
  const upstream = await startUpstream(t, { respond: () => ({}) })
  const world = { ...testWorld(), clock: systemClock } as unknown as TestWorld
  const corefile = (identity: string) =>
    `. {\n dnstap ${socket} full {\n  identity ${identity}\n }\n forward . ${upstream.target} {\n  read_timeout 30s\n }\n}`
  const first = configure(corefile('one'), world)
  await first.start(new AbortController().signal)
  /** By the name that was asked for, which goes on in random case. Asked slowly, an upstream is asked once more. */
  const framesAbout = (label: string) =>
    reader.frames.filter(frame => frame.toString('latin1').toLowerCase().includes(label))
  const isWhole = (frames: readonly Buffer[]) => [5, 6, 7, 8].every(type => frames.map(typeOf).includes(type))
  await ask(first, 'www.example.org.')
  await eventually(() => isWhole(framesAbout('www')), 'all is told')
  t.deepEqual(
    framesAbout('www')
      .map(typeOf)
      .filter(type => type === 5 || type === 6),
    [5, 6],
  )
  const second = configure(corefile('two'), world)
  second.adopt(first)
  await second.start(new AbortController().signal)
  t.teardown(() => second.close())
  await first.close()
  await ask(second, 'other.example.org.')
  await eventually(() => isWhole(framesAbout('other')), 'all is told again')
  const told = framesAbout('other').map(frame => fieldsOf(frame))
  t.true(told.every(fields => Buffer.from(fields.get(1) as Uint8Array).toString() === 'two'))
  const messages = told.map(fields => fieldsOf(fields.get(14) as Uint8Array))
  const forwarded = messages.find(fields => fields.get(1) === 7)!
  t.is(forwarded.get(7), Number(upstream.target.split(':').at(-1)))
  t.true(Buffer.from(forwarded.get(10) as Uint8Array).length > 12)
})

import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import type { ChangeBoard } from '#lib/change-board.ts'
import type { Responder } from '#resolver/listener.ts'
import { EVERYTHING, type Memo } from '#resolver/memo.ts'
import { missingSystemCalls, openDatagramSocket, socketAddress, systemCalls } from '#server/system-calls.ts'
import { ask } from '../../support/dns-client.ts'
import { addressResponder, metric, newSharedState, startServer } from '../../support/dns-server.ts'
import { freePort, whenLeft } from '../../support/free-port.ts'
import { findProgram, skip } from '../../support/programs.ts'
import { queryPacket } from '../../support/query-packet.ts'
import { sendRawDatagram } from '../../support/raw-datagram.ts'
import { run } from '../../support/run.ts'

const missing = missingSystemCalls()
const onLinux = missing === undefined ? test : test.skip

const options = { udp: 'batch', workers: 2 }

/** Allows each reply to be given again until `fact` changes, and counts how often it was asked. */
const memoising = (board: ChangeBoard, fact: string) => {
  const counted = { asked: 0, hits: 0, sampled: 0, clients: new Set<string>() }
  const answer = addressResponder()
  const memo = (): Memo => {
    const cell = board.cellOf(fact)
    return {
      facts: [cell, board.version(cell)],
      until: Number.POSITIVE_INFINITY,
      ttls: [],
      keptAt: 0,
      ...{ serialAt: 0, serialCell: 0, cookieAt: 0, anyCase: true, turnsAt: 0, turnsSize: 0, turnsCount: 0 },
      hits: {
        add(hits) {
          counted.hits += hits
        },
        sample(question, client, weight) {
          counted.sampled += weight
          counted.clients.add(`${client.address} ${question.length}`)
        },
      },
    }
  }
  const responder: Responder = (packet, context) => {
    counted.asked++
    context.memoise?.(memo())
    return answer(packet, context)
  }
  return { responder, counted }
}

onLinux('all addresses: replies leave from the address that was asked, also one that has just appeared', async t => {
  const unshare = findProgram('unshare')
  if (!unshare || !findProgram('ip') || spawnSync(unshare, ['-n', 'true']).status !== 0) {
    return skip(t, 'needs root, unshare and ip')
  }
  const program = fileURLToPath(new URL('../../support/udp-namespace.process.ts', import.meta.url))
  const { code, stdout, stderr } = await run(unshare, ['-n', process.execPath, program, 'batch'])
  t.is(code, 0, stderr)
  const same = (address: string) => ({ from: address, local: `"${address}"` })
  t.deepEqual(JSON.parse(stdout), {
    '198.51.100.1': same('198.51.100.1'),
    '198.51.100.2': same('198.51.100.2'),
    '127.0.0.1': same('127.0.0.1'),
    '2001:db8::5': same('2001:db8::5'),
    '::1': same('::1'),
    firstAtNew: same('198.51.100.3'),
    '198.51.100.3': same('198.51.100.3'),
    allClosed: true,
  })
})

onLinux('what may be given again is, until a fact changes; each time it is counted', async t => {
  const shared = newSharedState()
  const { responder, counted } = memoising(shared.board, 'the weather')
  // One worker: what is kept is kept by the worker that was asked.
  const { port, registry } = await startServer(t, { responder, shared, options: { ...options, workers: 1 } })
  const askTimes = async (count: number, name = 'a.example') => {
    for (let time = 0; time < count; time++) t.is((await ask({ name, port })).answers.length, 1)
  }
  await askTimes(1)
  // The reply is kept after it has been sent: a client may be quicker once.
  await askTimes(20)
  const afterFirst = counted.asked
  t.true(afterFirst <= 3, `asked ${afterFirst} times`)
  shared.board.changed('the weather')
  await askTimes(1)
  t.is(counted.asked, afterFirst + 1)
  await askTimes(10, 'A.eXample')
  t.true(counted.asked <= afterFirst + 3)
  await registry.metrics()
  t.is(counted.asked + counted.hits, 32)
  // Samples stand for all hits, soon after the last.
  while (counted.sampled < counted.hits) await new Promise(resolve => setTimeout(resolve, 5))
  t.is(counted.sampled, counted.hits)
  t.true([...counted.clients].every(client => /^127\.0\.0\.1 \d+$/.test(client)))
  t.is(await metric(registry, 'seamark_server_memo_hits_total'), counted.hits)
  t.is(await metric(registry, 'seamark_server_udp_received_total'), 32)
})

onLinux('questions that wait for somebody else keep no others from being answered', async t => {
  const answer = addressResponder()
  let waiting = 0
  const release = Promise.withResolvers<undefined>()
  const responder: Responder = (packet, context) => {
    // The name's first letter.
    if (packet[13] !== 'w'.charCodeAt(0)) return answer(packet, context)
    waiting++
    return release.promise
  }
  const { port } = await startServer(t, { responder, shared: newSharedState(), options: { ...options, workers: 1 } })
  const client = createSocket('udp4')
  t.teardown(() => client.close())
  // More than a worker hands over before it is told that they have been looked at.
  for (let all = 100; all <= 6000; all += 100) {
    for (let index = 0; index < 100; index++) client.send(queryPacket(`w${index}.`), port, '127.0.0.1')
    while (waiting < all) await new Promise(resolve => setTimeout(resolve, 1))
  }
  t.is((await ask({ name: 'a', port })).rcode, 'NOERROR')
  release.resolve(undefined)
})

onLinux('a listener that went takes its replies along', async t => {
  const shared = newSharedState()
  const { responder, counted } = memoising(shared.board, EVERYTHING)
  const listeners = (...ports: number[]) =>
    ports.map(port => ({ address: { host: '127.0.0.1', port }, server: `dns://:${port}` }))
  const port = await freePort()
  const { server } = await startServer(t, { responder, shared, options, listeners: listeners(port) })
  for (let time = 0; time < 10; time++) await ask({ name: 'a', port })
  await server.converge([], [])
  await server.departed()
  await whenLeft(port)
  const before = counted.asked
  await server.converge(listeners(port), [])
  await ask({ name: 'a', port })
  t.is(counted.asked, before + 1)
})

onLinux('a query from port 0, to which no reply can be sent, does no harm', async t => {
  const { port, registry } = await startServer(t, { shared: newSharedState(), options })
  if (!sendRawDatagram({ from: 0, to: port, data: queryPacket('a.') })) return skip(t, 'needs root for a raw socket')
  t.is((await ask({ name: 'a', port })).rcode, 'NOERROR')
  // Another worker may have answered; the one that cannot reply counts it when it gets to it.
  const dropped = async (): Promise<number> => {
    await registry.metrics()
    return metric(registry, 'seamark_server_dropped_total')
  }
  while ((await dropped()) === 0) await new Promise(resolve => setTimeout(resolve, 5))
  t.is(await dropped(), 1)
})

onLinux('close answers what has come, and takes a tenth of a second', async t => {
  const { server, port } = await startServer(t, {
    shared: newSharedState(),
    options: { ...options, drainTimeout: 600_000 },
  })
  const asked = Array.from({ length: 50 }, () => ask({ name: 'a', port }))
  await Promise.race(asked)
  await server.close()
  const settled = await Promise.allSettled(asked)
  t.deepEqual(
    settled.filter(({ status }) => status === 'rejected'),
    [],
  )
})

onLinux('a reply that is late for its listener goes to nobody: its descriptor is somebody else’s by now', async t => {
  const answer = addressResponder()
  const asked = Promise.withResolvers<void>()
  const late = Promise.withResolvers<void>()
  const responder: Responder = (packet, context) => {
    asked.resolve()
    return late.promise.then(() => answer(packet, context))
  }
  const { server, port } = await startServer(t, {
    responder,
    shared: newSharedState(),
    options: { ...options, drainTimeout: 1 },
  })
  const client = createSocket('udp4')
  client.bind(0, '127.0.0.1')
  await once(client, 'listening')
  client.send(queryPacket('a.'), port, '127.0.0.1')
  await asked.promise
  await server.converge([], [])
  await server.departed()
  // They get the numbers that have just become free.
  const others = Array.from({ length: 8 }, () =>
    openDatagramSocket(socketAddress(Buffer.from([127, 0, 0, 1]), 0), {
      ...{ reusePort: false, packetInfo: false, receiveBuffer: 65_536, receiveTimeout: 20 },
    }),
  )
  t.teardown(() => {
    for (const { fd } of others) systemCalls().close(fd)
    client.close()
  })
  const first = once(client, 'message')
  late.resolve()
  await server.close()
  const marker = createSocket('udp4')
  marker.send('marker', (client.address() as AddressInfo).port, '127.0.0.1', () => marker.close())
  const [message] = await first
  t.is(String(message), 'marker')
})

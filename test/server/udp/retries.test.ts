import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import test from 'ava'
import fc from 'fast-check'
import { createRegistry } from '#lib/metrics.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { BUSY, RetryDetector, SAMPLE, WINDOW } from '#server/udp/retries.ts'
import { metric, startServer } from '../../support/dns-server.ts'
import { queryPacket } from '../../support/query-packet.ts'

const client = { address: '192.0.2.1', port: 40_000 }

test('the same query again within seconds, from the same port and address', t => {
  const detector = new RetryDetector()
  const packet = queryPacket('a.example.', { id: 7 })
  t.false(detector.isRetry(packet, client, 0))
  t.true(detector.isRetry(packet, client, 5000))
  t.true(detector.isRetry(Buffer.from(packet), { ...client }, 10_000))
  t.false(detector.isRetry(packet, client, 20_000))
  const others = [
    [queryPacket('a.example.', { id: 8 }), client],
    [queryPacket('b.example.', { id: 7 }), client],
    [queryPacket('a.example.', { id: 7, type: 28 }), client],
    [packet, { ...client, port: 40_001 }],
    [packet, { ...client, address: '192.0.2.2' }],
  ] as const
  for (const [other, from] of others) t.false(detector.isRetry(other, from, 20_001))
  t.false(detector.isRetry(Buffer.alloc(3), client, 20_002))
})

test('queries that differ are never taken for one another', t => {
  const detector = new RetryDetector()
  const seen = new Set<string>()
  const endpoint = fc.record({ address: fc.ipV4(), port: fc.integer({ min: 1, max: 65_535 }) })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65_535 }), fc.domain(), endpoint, (id, name, from) => {
      const packet = queryPacket(`${name}.`, { id })
      const isNew = !seen.has(`${packet.toString('hex')} ${from.address} ${from.port}`)
      seen.add(`${packet.toString('hex')} ${from.address} ${from.port}`)
      return detector.isRetry(packet, from, 1) !== isNew
    }),
    { numRuns: 5000 },
  )
  t.true(seen.size > 4000)
})

test('where many come, one in so many is followed, and stands for all', t => {
  const detector = new RetryDetector()
  const ask = (id: number, now: number): boolean => detector.isRetry(queryPacket('a.example.', { id }), client, now)
  t.is(detector.weightAfter(100, 0), 1)
  t.is(detector.weightAfter(BUSY + 1, 1000), SAMPLE)
  const ids = Array.from({ length: 40_000 }, (_, id) => id)
  t.deepEqual(
    ids.filter(id => ask(id, 1001)),
    [],
  )
  const found = ids.filter(id => ask(id, 6000)).length
  t.true(Math.abs(found * SAMPLE - ids.length) < ids.length / 10, `${found}`)
  // What was followed in a busy second still is when it is over.
  t.is(detector.weightAfter(100, 7000), 1)
  t.is(ids.filter(id => ask(id, 7001)).length, found)
})

test('seamark_client_retries_total counts them', async t => {
  const { port, registry } = await startServer(t)
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  // Nobody else is heard.
  await new Promise<void>(resolve => socket.connect(port, '127.0.0.1', resolve))
  for (const id of [1, 2, 2, 3]) {
    socket.send(queryPacket('a.example.', { id }))
    await once(socket, 'message')
  }
  t.is(await metric(registry, 'seamark_client_retries_total'), 1)
})

test('the metric says how many are looked at, as it is', async t => {
  const registry = createRegistry()
  new ServerMetrics(registry)
  const text = await registry.metrics()
  const help = text.split('\n').find(line => line.startsWith('# HELP seamark_client_retries_total'))!
  t.true(help.includes(`within ${WINDOW / 1000} seconds`), help)
  t.true(help.includes(`more than ${BUSY.toLocaleString('en')} come a second, one in ${SAMPLE} is`), help)
  t.true(help.endsWith(`stands for ${SAMPLE}.`), help)
})

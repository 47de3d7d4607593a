/** Servers that share an address (SO_REUSEPORT): who gets what comes, and what becomes of it when one leaves. */
import { platform } from 'node:os'
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import type { Responder } from '#resolver/listener.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { ask } from '../support/dns-client.ts'
import { addressResponder, loopback, startServer } from '../support/dns-server.ts'

const onLinux = platform() === 'linux' ? test : test.skip

/** A server that answers with so many addresses, so that a reply says who gave it. */
const member = async (t: ExecutionContext, count: number, port: number): Promise<Server> => {
  const read = readOptions(serverOptions, { reusePort: true })
  if (!read.ok) throw new Error(read.problem)
  const responder: Responder = addressResponder(count)
  const environment = { clock: systemClock, logger: silentLogger, registry: createRegistry(), options: read.value }
  const server = new Server(responder, environment)
  t.teardown(() => server.close())
  await server.converge([loopback(port)], [])
  return server
}

/** Who answers queries from many ports. */
const whoAnswers = async (port: number): Promise<readonly number[]> => {
  const seen = new Set<number>()
  for (let index = 0; index < 24; index++) {
    const { answers } = await ask({ name: 'a', port, transport: index % 2 === 0 ? 'udp' : 'tcp' })
    seen.add(answers.length)
  }
  return [...seen].sort()
}

const freePort = async (t: ExecutionContext): Promise<number> => {
  const { server, port } = await startServer(t)
  await server.close()
  return port
}

onLinux('the newest takes over; whoever leaves leaves all to another', async t => {
  const port = await freePort(t)
  const first = await member(t, 1, port)
  t.deepEqual(await whoAnswers(port), [1])
  const second = await member(t, 2, port)
  t.deepEqual(await whoAnswers(port), [2])
  // Taken back.
  await second.close()
  t.deepEqual(await whoAnswers(port), [1])
  const third = await member(t, 3, port)
  t.deepEqual(await whoAnswers(port), [3])
  await first.close()
  t.deepEqual(await whoAnswers(port), [3])
  const fourth = await member(t, 4, port)
  const fifth = await member(t, 5, port)
  t.deepEqual(await whoAnswers(port), [5])
  await third.close()
  t.true((await whoAnswers(port)).every(who => who === 4 || who === 5))
  await fourth.close()
  t.deepEqual(await whoAnswers(port), [5])
  await fifth.close()
  await t.throwsAsync(ask({ name: 'a', port, transport: 'tcp' }), { code: 'ECONNREFUSED' })
})

onLinux('an address that is shared is not joined by mistake', async t => {
  const port = await freePort(t)
  await member(t, 1, port)
  const { server } = await startServer(t, { listeners: [] })
  for (const host of ['127.0.0.1', '0.0.0.0', ''])
    await t.throwsAsync(server.converge([{ address: { host, port }, server: '' }], []), { code: 'ADDRESS_IN_USE' })
  t.deepEqual(await whoAnswers(port), [1])
})

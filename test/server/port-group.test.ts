/** Servers that share an address (SO_REUSEPORT): who gets what comes, and what becomes of it when one leaves. */
import { networkInterfaces, platform } from 'node:os'
import test, { type ExecutionContext } from 'ava'
import type { SocketAddress } from '#lib/address.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import type { Responder } from '#resolver/listener.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { ask } from '../support/dns-client.ts'
import { addressResponder, PATIENCE, startServer } from '../support/dns-server.ts'
import { freePort, rowsOf, whenLeft } from '../support/free-port.ts'

const hosts = Object.values(networkInterfaces())
  .flatMap(entries => entries ?? [])
  .filter(({ internal }) => internal)
  .map(({ address }) => address)

const onLinux = platform() === 'linux' ? test : test.skip

/** A server that answers with so many addresses, so that a reply says who gave it. */
const member = async (t: ExecutionContext, count: number, { host, port }: SocketAddress): Promise<Server> => {
  const read = readOptions(serverOptions, { ...PATIENCE, reusePort: true })
  if (!read.ok) throw new Error(read.problem)
  const responder: Responder = addressResponder(count)
  const environment = { clock: systemClock, logger: silentLogger, registry: createRegistry(), options: read.value }
  const server = new Server(responder, environment)
  t.teardown(() => server.close())
  await server.converge([{ address: { host, port }, server: 'dns://:0' }], [])
  return server
}

/** Who answers queries from many ports. */
const whoAnswers = async ({ host, port }: SocketAddress): Promise<readonly number[]> => {
  const seen = new Set<number>()
  for (let index = 0; index < 24; index++) {
    const { answers } = await ask({ name: 'a', address: host, port, transport: index % 2 === 0 ? 'udp' : 'tcp' })
    seen.add(answers.length)
  }
  return [...seen].sort()
}

for (const host of hosts)
  onLinux(`the newest takes over; whoever leaves leaves all to another: ${host}`, async t => {
    const port = await freePort()
    const at = { host, port }
    const leave = async (server: Server, left: number) => {
      await server.close()
      // One that is closed may have been left to a program that is just being started, for a moment.
      const sockets = () => rowsOf(port)!.filter(({ takes }) => takes).length
      while (sockets() > 2 * left) await new Promise(resolve => setImmediate(resolve))
    }
    const first = await member(t, 1, at)
    t.deepEqual(await whoAnswers(at), [1])
    const second = await member(t, 2, at)
    t.deepEqual(await whoAnswers(at), [2])
    // Taken back.
    await leave(second, 1)
    t.deepEqual(await whoAnswers(at), [1])
    const third = await member(t, 3, at)
    t.deepEqual(await whoAnswers(at), [3])
    await leave(first, 1)
    t.deepEqual(await whoAnswers(at), [3])
    const fourth = await member(t, 4, at)
    const fifth = await member(t, 5, at)
    t.deepEqual(await whoAnswers(at), [5])
    await leave(third, 2)
    t.true((await whoAnswers(at)).every(who => who === 4 || who === 5))
    await leave(fourth, 1)
    t.deepEqual(await whoAnswers(at), [5])
    await fifth.close()
    await whenLeft(port)
    await t.throwsAsync(ask({ name: 'a', address: host, port, transport: 'tcp' }), { code: 'ECONNREFUSED' })
  })

onLinux('an address that is shared is not joined by mistake', async t => {
  const port = await freePort()
  await member(t, 1, { host: '127.0.0.1', port })
  const { server } = await startServer(t, { listeners: [] })
  for (const host of ['127.0.0.1', '0.0.0.0', ''])
    await t.throwsAsync(server.converge([{ address: { host, port }, server: '' }], []), { code: 'ADDRESS_IN_USE' })
  t.deepEqual(await whoAnswers({ host: '127.0.0.1', port }), [1])
})

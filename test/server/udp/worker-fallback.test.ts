/** Workers that cannot live: others serve their clients, and at last node:dgram does. */
import { createSocket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import type { Responder } from '#resolver/listener.ts'
import { missingSystemCalls, openDatagramSocket, socketAddress, systemCalls } from '#server/system-calls.ts'
import { WorkerPool } from '#server/udp/worker-pool.ts'
import { ask, askUntil } from '../../support/dns-client.ts'
import { DnsProcess } from '../../support/dns-process.ts'
import { addressResponder, loopback, metric, newSharedState, startServer } from '../../support/dns-server.ts'
import { freePort } from '../../support/free-port.ts'
import { POISON } from '../../support/poison.ts'
import { queryPacket } from '../../support/query-packet.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const onLinux = missingSystemCalls() === undefined ? test : test.skip

const workersGauge = 'seamark_server_udp_workers'

onLinux('what a worker served that dies again and again is served by another one', async t => {
  const hopeless = Promise.withResolvers<number>()
  const pool = new WorkerPool({
    ...newSharedState(),
    clock: systemClock,
    logger: silentLogger,
    workers: 2,
    memoBudget: 1024 * 1024,
    persistent: false,
    replaced() {},
    givenUp: (_, left) => hopeless.resolve(left),
  })
  t.teardown(() => pool.close())
  const space = pool.newSpace()
  const open = () =>
    openDatagramSocket(socketAddress(Buffer.from([127, 0, 0, 1]), 0), {
      ...{ reusePort: false, packetInfo: false, receiveBuffer: 65_536, receiveTimeout: 20 },
    })
  const [first, second] = [open(), open()]
  t.teardown(() => {
    for (const { fd } of [first, second]) systemCalls().close(fd)
  })
  const asked = Promise.withResolvers<number>()
  const left = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const user = (index: number, serving: () => void) => ({
    serving,
    failed: () => t.fail('there is another one'),
    missed: (_: unknown, by: number) => asked.resolve(by),
    left: left[index]!.resolve,
  })
  const poison = () => pool.keep(0, space, queryPacket('a.'), queryPacket('a.'), POISON)
  const ids = [pool.serve(0, { fd: first.fd, space }, user(0, poison))]
  ids.push(
    pool.serve(
      1,
      { fd: second.fd, space },
      user(1, () => {}),
    ),
  )
  t.is(await hopeless.promise, 1)
  t.is(pool.problem, undefined)
  const client = createSocket('udp4')
  t.teardown(() => client.close())
  client.send(queryPacket('a.'), first.port, '127.0.0.1')
  t.is(await asked.promise, 1)
  for (const id of ids) pool.leave(id)
  await Promise.all(left.map(({ promise }) => promise))
})

onLinux('where all die again and again, node:dgram takes over the port', async t => {
  const answer = addressResponder()
  const responder: Responder = (packet, context) => {
    if (packet.includes('poison')) context.memoise?.(POISON)
    return answer(packet, context)
  }
  // At another address, too, it is to be had.
  const port = await freePort()
  const { server, registry } = await startServer(t, {
    ...{ responder, shared: newSharedState(), options: { udp: 'auto', workers: 1 }, listeners: [loopback(port)] },
  })
  t.is(await metric(registry, workersGauge), 1)
  while ((await metric(registry, workersGauge)) > 0) await ask({ name: 'poison', port, deadline: 100 }).catch(() => {})
  for (const name of ['a', 'b'])
    t.is((await askUntil({ name, port }, reply => reply.rcode === 'NOERROR')).answers.length, 1)
  // What is opened later does not try them again.
  const other = { address: { host: '127.0.0.2', port }, server: 'dns://127.0.0.2' }
  await server.converge([loopback(port), other], [])
  t.is((await ask({ name: 'a', port, address: '127.0.0.2' })).answers.length, 1)
  await server.close()
})

/** `seamark dns` whose threads end as soon as they have begun. */
const withoutThreads = async (t: ExecutionContext, args: readonly string[] = []) => {
  const folder = temporaryFolder(t)
  const preload = join(folder, 'without-threads.mjs')
  writeFileSync(
    preload,
    `import { isMainThread } from 'node:worker_threads'
     if (!isMainThread) throw new Error('no thread lives here')`,
  )
  const port = await freePort()
  const corefile = join(folder, 'Corefile')
  writeFileSync(corefile, `.:${port} {\n bind 127.0.0.1\n hosts /nowhere {\n  192.0.2.1 www.example.org\n }\n}\n`)
  const environment = { NODE_OPTIONS: `--import=${pathToFileURL(preload)}` }
  return { program: new DnsProcess(t, corefile, ['--admin-address', 'off', ...args], environment), port: port! }
}

onLinux('where no worker comes to life, node:dgram serves from the start, and the log says why', async t => {
  const { program, port } = await withoutThreads(t)
  await program.whenReady()
  t.regex(program.output, /UDP is served by node:dgram from now on [\s\S]*no thread lives here/)
  for (const transport of ['udp', 'tcp'] as const)
    t.is((await ask({ name: 'www.example.org', port, transport })).answers.length, 1)
  t.is(await program.stop(), 0)
})

onLinux('batches that were asked for, and that no worker lives to serve, are an error', async t => {
  const { program } = await withoutThreads(t, ['--udp', 'batch'])
  t.is(await program.exited, 1)
  t.regex(program.output, /no thread lives here/)
  t.notRegex(program.output, /this is a bug/)
})

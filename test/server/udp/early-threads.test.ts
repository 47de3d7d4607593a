/** Threads that were started before it was known what they serve, and died before they were told. */
import { once } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import { readOptions } from '#lib/options.ts'
import { serverOptions } from '#server/options.ts'
import { missingSystemCalls } from '#server/system-calls.ts'
import { EarlyThreads, startThread, type WaitingThread } from '#server/udp/early-threads.ts'
import { askUntil } from '../../support/dns-client.ts'
import { metric, newSharedState, startServer } from '../../support/dns-server.ts'

const onLinux = missingSystemCalls() === undefined ? test : test.skip

const options = { udp: 'batch', workers: 2 } as const

const beginThreads = (t: ExecutionContext, Threads = EarlyThreads) => {
  const read = readOptions(serverOptions, options)
  if (!read.ok) throw new Error(read.problem)
  const threads: WaitingThread[] = []
  const early = new Threads(read.value, index => {
    const thread = startThread(index)
    threads.push(thread)
    return thread
  })
  t.teardown(() => Promise.all(threads.map(({ worker }) => worker.terminate())))
  return { early, threads }
}

/** The kernel spreads clients over the workers: of so many, none is left to chance. */
const CLIENTS = 64

const askedByMany = (port: number) =>
  Promise.all(Array.from({ length: CLIENTS }, () => askUntil({ name: 'a', port }, reply => reply.rcode === 'NOERROR')))

const started = async (t: ExecutionContext, early: EarlyThreads) => {
  const { port, registry } = await startServer(t, { shared: newSharedState(), options, early })
  t.is((await askedByMany(port)).length, CLIENTS)
  t.is(await metric(registry, 'seamark_server_udp_workers'), 2)
  return metric(registry, 'seamark_server_udp_worker_restarts_total')
}

onLinux('each thread that waits is taken once, and serves', async t => {
  const { early, threads } = beginThreads(t)
  t.is(await started(t, early), 0)
  t.deepEqual(
    threads.map(({ hasEnded }) => hasEnded),
    [false, false],
  )
  t.is(early.take(0), undefined)
})

onLinux('in place of a thread that died while it waited, another one serves', async t => {
  const { early, threads } = beginThreads(t)
  await Promise.all([once(threads[0]!.worker, 'exit'), threads[0]!.worker.terminate()])
  t.is(await started(t, early), 0)
})

/** The second dies as it is taken. */
class Fatal extends EarlyThreads {
  override take(index: number): WaitingThread | undefined {
    const thread = super.take(index)
    if (index === 1) void thread?.worker.terminate()
    return thread
  }
}

onLinux('one that dies when it is about to be told is replaced as a worker is', async t => {
  t.is(await started(t, beginThreads(t, Fatal).early), 1)
})

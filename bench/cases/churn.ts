/**
 * Names of services at 10,000 questions a second in a cluster of 100,000 endpoints: alone, and while 1,000 EndpointSlices a
 * second change.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { treeMemory, treeProcessorTime } from '../accounting.ts'
import type { BenchCase, Figures } from '../bench-case.ts'
import type { Contender } from '../contender.ts'
import { FIGURES } from '../figures.ts'
import { runLoad } from '../load-generator.ts'
import type { RunningServer } from '../running-server.ts'
import { GeneratedCluster } from '../scale/generated-cluster.ts'
import { coredns } from '../servers/coredns.ts'
import { seamark } from '../servers/seamark.ts'
import type { Stage } from '../stage.ts'

const RATE = 10_000
const CHANGES = 1000
/** Seconds of each measurement. */
const DURATION = 2
/** Milliseconds: of changes before it is measured what they do. */
const LEAD = 500

const measure = async (
  stage: Stage,
  cluster: GeneratedCluster,
  { pid, address, port }: RunningServer,
): Promise<Figures> => {
  const questions = stage.questions('churn', () => cluster.services.map(({ name }) => ({ name, type: 'A' })))
  const ask = async () => {
    const before = treeProcessorTime(pid)
    const report = await runLoad({ address, port, questions, seconds: DURATION, pace: { rate: RATE } })
    return { ...report, spent: treeProcessorTime(pid) - before }
  }
  await ask()
  const alone = await ask()
  const began = performance.now()
  const first = await cluster.churn(CHANGES)
  await wait(LEAD)
  const before = await cluster.churn(CHANGES)
  const beside = await ask()
  const after = await cluster.churn(0)
  return {
    'p50 alone µs': alone.p50,
    'p99 alone µs': alone.p99,
    'p50 beside changes µs': beside.p50,
    'p99 beside changes µs': beside.p99,
    'lost beside ‰': (1000 * beside.lost) / beside.sent,
    'changes/s': (after - first) / ((performance.now() - began) / 1000),
    'CPU µs/change': ((beside.spent - alone.spent) * 1000) / (after - before),
    [FIGURES.resident]: treeMemory(pid).resident,
  }
}

/** A cluster of its own for each, so that changes reach one only; kept for the rounds that follow. */
const startPair = async (contender: Contender) => {
  const cluster = await GeneratedCluster.start()
  const server = await cluster.server(contender)
  const close = async (): Promise<void> => {
    await server?.close()
    cluster.close()
  }
  return { cluster, server, close }
}

const run: BenchCase['run'] = async stage => {
  const rows: Record<string, Figures> = {}
  for (const contender of [seamark, coredns]) {
    const { cluster, server } = await stage.keep(`churn, ${contender.name}`, () => startPair(contender))
    if (server) rows[contender.name] = await measure(stage, cluster, server)
  }
  return rows
}

export default { name: 'churn', run } satisfies BenchCase

/**
 * Steady clients, alone and beside others that are a burden: what the ones notice of the others. The burden, its upstream
 * and the generators have the same processors as the server; so the same clients also ask a program that only sends packets
 * back (servers/floor.ts), beside the same burden on the server: what it suffers is the machine's, not the server's.
 */
import { treeMemory, treeProcessorTime } from './accounting.ts'
import type { BenchCase, Figures } from './bench-case.ts'
import type { Capability, Contender, ServiceEntry } from './contender.ts'
import type { LoadReport } from './load.ts'
import { type LoadQuestion, runLoad } from './load-generator.ts'
import type { RunningServer } from './running-server.ts'
import { floor } from './servers/floor.ts'
import type { Stage } from './stage.ts'

interface Clients {
  /** `turn`: no two are alike in a run of the bench, for questions that nobody has asked before. */
  readonly questions: (services: readonly ServiceEntry[], turn: number) => readonly LoadQuestion[]
  /** Questions a second. */
  readonly rate: number
  /** Their address. */
  readonly source: string
}

interface Disturbance {
  readonly name: string
  readonly contenders: readonly Contender[]
  readonly needs?: Capability
  readonly steady: Clients
  readonly burden: Clients
  /** What the upstream can answer a second meanwhile; absent: everything. */
  readonly upstreamCapacity?: number
}

/** Seconds. */
const WARM_UP = 1
const DURATION = 2.5
/** Of the burden before the steady clients are measured: queues and tables are full by then. */
const LEAD = 1

export const defineDisturbance = (disturbance: Disturbance): BenchCase => {
  let turn = 0
  return {
    name: disturbance.name,
    async run(stage) {
      const rows: Record<string, Figures> = {}
      for (const contender of disturbance.contenders) {
        if (disturbance.needs && contender.lacks?.includes(disturbance.needs)) continue
        const server = await stage.server(contender)
        if (server) rows[contender.name] = await measure(disturbance, server, stage, turn++)
      }
      return rows
    },
  }
}

const measure = async (
  disturbance: Disturbance,
  server: RunningServer,
  stage: Stage,
  turn: number,
): Promise<Figures> => {
  const { name, steady, burden } = disturbance
  const load = (to: RunningServer, clients: Clients, label: string, seconds: number, part = turn) => {
    const questions = stage.questions(`${name}-${label}`, services => clients.questions(services, part))
    const { rate, source } = clients
    return runLoad({ address: to.address, port: to.port, questions, seconds, pace: { rate }, source })
  }
  const alone = async (to: RunningServer): Promise<LoadReport> => {
    await load(to, steady, 'steady', WARM_UP)
    return load(to, steady, 'steady', DURATION)
  }
  /** Of steady clients of `to`, beside the burden on the server. */
  const beside = async (to: RunningServer, part: number) => {
    stage.upstream.capacity = disturbance.upstreamCapacity ?? Number.POSITIVE_INFINITY
    const burdened = load(server, burden, `burden-${part}`, LEAD + DURATION, part)
    await load(to, steady, 'steady', LEAD)
    const spent = treeProcessorTime(server.pid)
    const report = await load(to, steady, 'steady', DURATION)
    const busy = treeProcessorTime(server.pid) - spent
    const memory = treeMemory(server.pid).resident
    const other = await burdened
    stage.upstream.capacity = Number.POSITIVE_INFINITY
    return { report, other, busy, memory }
  }
  const before = { report: await alone(server), memory: treeMemory(server.pid).resident }
  const { report, other, busy, memory } = await beside(server, 2 * turn)
  const echo = await stage.server(floor)
  const control = echo && {
    'p99 echo alone µs': (await alone(echo)).p99,
    'p99 echo beside µs': (await beside(echo, 2 * turn + 1)).report.p99,
  }
  return {
    'p50 alone µs': before.report.p50,
    'p99 alone µs': before.report.p99,
    'p50 beside µs': report.p50,
    'p99 beside µs': report.p99,
    'p99 ratio': report.p99 / before.report.p99,
    ...(control && { ...control, 'p99 to echo': report.p99 / control['p99 echo beside µs'] }),
    'lost alone ‰': (1000 * before.report.lost) / before.report.sent,
    'lost beside ‰': (1000 * report.lost) / report.sent,
    'burden answered %': (100 * other.received) / other.sent,
    'CPU beside %': (100 * busy) / (report.seconds * 1000),
    'RSS MiB': before.memory,
    'RSS beside MiB': memory,
    'RSS after both MiB': treeMemory(server.pid).resident,
  }
}

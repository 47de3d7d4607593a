/** Steady clients, alone and beside others that are a burden: what the ones notice of the others. */
import { treeMemory, treeProcessorTime } from './accounting.ts'
import type { BenchCase, Figures } from './bench-case.ts'
import type { Capability, Contender, ServiceEntry } from './contender.ts'
import { type LoadQuestion, runLoad } from './load-generator.ts'
import type { RunningServer } from './running-server.ts'
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
  { name, steady, burden, upstreamCapacity = Number.POSITIVE_INFINITY }: Disturbance,
  server: RunningServer,
  stage: Stage,
  turn: number,
): Promise<Figures> => {
  const load = (clients: Clients, label: string, seconds: number) => {
    const questions = stage.questions(`${name}-${label}`, services => clients.questions(services, turn))
    const { rate, source } = clients
    return runLoad({ address: server.address, port: server.port, questions, seconds, pace: { rate }, source })
  }
  await load(steady, 'steady', WARM_UP)
  const alone = await load(steady, 'steady', DURATION)
  const before = treeMemory(server.pid).resident
  stage.upstream.capacity = upstreamCapacity
  const burdened = load(burden, `burden-${turn}`, LEAD + DURATION)
  await load(steady, 'steady', LEAD)
  const spent = treeProcessorTime(server.pid)
  const beside = await load(steady, 'steady', DURATION)
  const busy = treeProcessorTime(server.pid) - spent
  const after = treeMemory(server.pid).resident
  const other = await burdened
  stage.upstream.capacity = Number.POSITIVE_INFINITY
  return {
    'p50 alone µs': alone.p50,
    'p99 alone µs': alone.p99,
    'p50 beside µs': beside.p50,
    'p99 beside µs': beside.p99,
    'p99 ratio': beside.p99 / alone.p99,
    'lost alone ‰': (1000 * alone.lost) / alone.sent,
    'lost beside ‰': (1000 * beside.lost) / beside.sent,
    'burden answered %': (100 * other.received) / other.sent,
    'CPU beside %': (100 * busy) / (beside.seconds * 1000),
    'RSS MiB': before,
    'RSS beside MiB': after,
  }
}

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
import { percentile } from './report/statistics.ts'
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

/** Seconds: of steady clients before they are measured, alone; and of each measurement. */
const WARM_UP = 0.3
const DURATION = 1
/** Of the burden before the steady clients are measured: queues and tables are full by then. */
const LEAD = 0.6
/** Each is measured alone and beside the burden so many times, in turn: one slow moment of the machine then falls on one of them. */
const TURNS = 3

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

interface Moment {
  readonly report: LoadReport
  readonly memory: number
}

interface Beside extends Moment {
  readonly burden: LoadReport
  /** Milliseconds of processor time. */
  readonly busy: number
}

const measure = async (
  { name, steady, burden, upstreamCapacity }: Disturbance,
  server: RunningServer,
  stage: Stage,
  turn: number,
): Promise<Figures> => {
  const load = (to: RunningServer, clients: Clients, label: string, seconds: number, part = turn) => {
    const questions = stage.questions(`${name}-${label}`, services => clients.questions(services, part))
    const { rate, source } = clients
    return runLoad({ address: to.address, port: to.port, questions, seconds, pace: { rate }, source })
  }
  const alone = async (to: RunningServer): Promise<Moment> => {
    await load(to, steady, 'steady', WARM_UP)
    const report = await load(to, steady, 'steady', DURATION)
    return { report, memory: treeMemory(server.pid).resident }
  }
  /** Of steady clients of `to`, beside the burden on the server. */
  const beside = async (to: RunningServer, part: number): Promise<Beside> => {
    stage.upstream.capacity = upstreamCapacity ?? Number.POSITIVE_INFINITY
    const burdened = load(server, burden, `burden-${part}`, LEAD + DURATION, part)
    await load(to, steady, 'steady', LEAD)
    const spent = treeProcessorTime(server.pid)
    const report = await load(to, steady, 'steady', DURATION)
    const busy = treeProcessorTime(server.pid) - spent
    const memory = treeMemory(server.pid).resident
    const moment = { report, burden: await burdened, busy, memory }
    stage.upstream.capacity = Number.POSITIVE_INFINITY
    return moment
  }
  const inTurn = async (to: RunningServer, first: number) => {
    const moments: Moment[] = []
    const burdened: Beside[] = []
    for (let part = first; part < first + TURNS; part++) {
      moments.push(await alone(to))
      burdened.push(await beside(to, part))
    }
    return { alone: moments, beside: burdened }
  }
  const own = await inTurn(server, 2 * TURNS * turn)
  const echo = await stage.server(floor)
  const control = echo && (await inTurn(echo, (2 * turn + 1) * TURNS))
  return figuresOf(own, control, treeMemory(server.pid).resident)
}

interface Turns {
  readonly alone: readonly Moment[]
  readonly beside: readonly Beside[]
}

const figuresOf = ({ alone, beside }: Turns, control: Turns | undefined, memoryAfter: number): Figures => {
  const p99 = { alone: middle(alone, p99Of), beside: middle(beside, p99Of) }
  const echo = control && { alone: middle(control.alone, p99Of), beside: middle(control.beside, p99Of) }
  return {
    'p50 alone µs': middle(alone, ({ report }) => report.p50),
    'p99 alone µs': p99.alone,
    'p50 beside µs': middle(beside, ({ report }) => report.p50),
    'p99 beside µs': p99.beside,
    'p99 ratio': p99.beside / p99.alone,
    ...(echo && {
      'p99 echo alone µs': echo.alone,
      'p99 echo beside µs': echo.beside,
      'p99 to echo': p99.beside / echo.beside,
    }),
    'lost alone ‰': middle(alone, lostOf),
    'lost beside ‰': middle(beside, lostOf),
    'burden answered %': middle(beside, ({ burden }) => (100 * burden.received) / burden.sent),
    'CPU beside %': middle(beside, ({ busy, report }) => (100 * busy) / (report.seconds * 1000)),
    'RSS MiB': alone[0]!.memory,
    'RSS beside MiB': Math.max(...beside.map(({ memory }) => memory)),
    'RSS after both MiB': memoryAfter,
  }
}

const middle = <Item>(items: readonly Item[], figure: (item: Item) => number): number =>
  percentile(
    items.map(figure).toSorted((a, b) => a - b),
    0.5,
  )

const p99Of = ({ report }: Moment): number => report.p99

const lostOf = ({ report }: Moment): number => (1000 * report.lost) / report.sent

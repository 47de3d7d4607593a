/** One kind of question, put to all servers that can answer it, side by side in each round. */
import { treeMemory, treeProcessorTime } from './accounting.ts'
import type { BenchCase, Figures } from './bench-case.ts'
import type { Capability, Contender, ServiceEntry } from './contender.ts'
import { type Load, type LoadQuestion, type LoadReport, runLoad } from './load-generator.ts'
import type { RunningServer } from './running-server.ts'
import { contenders } from './servers/index.ts'
import type { Stage } from './stage.ts'

interface Workload {
  readonly name: string
  readonly questions: (services: readonly ServiceEntry[]) => readonly LoadQuestion[]
  /** What every reply must be: a figure of wrong answers is none. */
  readonly expect: { readonly rcode: number; readonly empty: boolean }
  /** Absent: all. */
  readonly contenders?: readonly Contender[]
  /** What a server must be able to do besides. */
  readonly needs?: Capability
}

/** Seconds, after the first question has gone to code that is compiled and caches that are full. */
const WARM_UP = 1.5
const THROUGHPUT = 1.5
const LATENCY = 1.5
/** Queries under way: enough to keep a server busy, fewer than any socket's buffer holds. */
const WINDOW = 100
/** Queries a second at which latency is measured: a busy server of a middling cluster. */
const RATE = 10_000
const SERVER_OF_REFERENCE = 'seamark'

export const defineWorkload = (workload: Workload): BenchCase => {
  const warm = new Set<RunningServer>()
  return {
    name: workload.name,
    async run(stage) {
      const rows: Record<string, Record<string, number>> = {}
      for (const contender of workload.contenders ?? contenders) {
        if (workload.needs && contender.lacks?.includes(workload.needs)) continue
        const server = await stage.server(contender)
        if (!server) continue
        const measure = measurement(workload, server, stage)
        if (!warm.has(server)) await measure({ seconds: WARM_UP, pace: { window: WINDOW } })
        warm.add(server)
        rows[contender.name] = { ...(await figuresOf(server, measure)) }
      }
      const reference = rows[SERVER_OF_REFERENCE]?.[CPU]
      if (reference !== undefined) for (const row of Object.values(rows)) row['seamark ÷ it'] = reference / row[CPU]!
      return rows
    },
  }
}

const CPU = 'CPU µs/query'

type Measure = (load: Pick<Load, 'seconds' | 'pace'>) => Promise<LoadReport>

const measurement = (workload: Workload, server: RunningServer, stage: Stage): Measure => {
  const { address, port, contender } = server
  const questions = stage.questions(workload.name, workload.questions)
  return async load => {
    const report = await runLoad({ address, port, questions, ...load })
    const problem = contender.lacks?.includes('answers') ? undefined : problemOf(report, workload)
    if (problem) throw new Error(`${workload.name}: ${contender.name} ${problem}: ${JSON.stringify(report)}`)
    return report
  }
}

/** Lost questions are a figure of their own. */
const problemOf = ({ received, empty, rcodes }: LoadReport, { expect }: Workload): string | undefined => {
  if (rcodes[expect.rcode] !== received) return 'gave other rcodes'
  return empty === (expect.empty ? received : 0) ? undefined : 'gave other answers'
}

const figuresOf = async (server: RunningServer, measure: Measure): Promise<Figures> => {
  const before = treeProcessorTime(server.pid)
  const busy = await measure({ seconds: THROUGHPUT, pace: { window: WINDOW } })
  const spent = treeProcessorTime(server.pid) - before
  const steady = await measure({ seconds: LATENCY, pace: { rate: RATE } })
  const { resident, anonymous } = treeMemory(server.pid)
  return {
    [CPU]: (spent * 1000) / busy.received,
    'queries/s': busy.received / busy.seconds,
    [`p50 µs at ${RATE}/s`]: steady.p50,
    [`p99 µs at ${RATE}/s`]: steady.p99,
    [`p99.9 µs at ${RATE}/s`]: steady.p999,
    'lost ‰': (1000 * (busy.lost + steady.lost)) / (busy.sent + steady.sent),
    'RSS MiB': resident,
    'RssAnon MiB': anonymous,
  }
}

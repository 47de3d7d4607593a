/** One kind of question, put to all servers that can answer it, side by side in each round. */
import { treeMemory, treeProcessorTime } from './accounting.ts'
import type { BenchCase } from './bench-case.ts'
import type { Capability, Contender, ServiceEntry } from './contender.ts'
import { FIGURES } from './figures.ts'
import { type Load, type LoadQuestion, type LoadReport, runLoad, type Transport } from './load-generator.ts'
import type { RunningServer } from './running-server.ts'
import { contenders } from './servers/index.ts'
import type { Stage } from './stage.ts'

interface Workload {
  readonly name: string
  readonly questions: (services: readonly ServiceEntry[]) => readonly LoadQuestion[]
  /** What the replies must be, as shares of all: a figure of wrong answers is none. What is not NOERROR is NXDOMAIN. */
  readonly expect: { readonly noerror: number; readonly empty: number }
  /** Absent: all. The first one's processor time is compared with the others'. */
  readonly contenders?: readonly Contender[]
  /** What a server must be able to do besides. */
  readonly needs?: Capability
  /** Absent: UDP. */
  readonly transport?: Transport
  /** Each question is one that nobody has asked before: the first eight octets of its name are a number. */
  readonly fresh?: boolean
  /** Queries a second at which latency is measured; absent: those of a busy server of a middling cluster. */
  readonly rate?: number
}

/** In the first round: queries after which a compiler has seen enough, and seconds of one turn of them. */
const WARM_QUERIES = 200_000
const WARM_UP = 1.5
/** In later rounds: what other cases have asked since is in the caches. */
const WARM_AGAIN = 0.3
/** So many turns at most, for servers that are slow. */
const WARM_UPS = 4
/** Seconds. */
const THROUGHPUT = 0.8
const LATENCY = 0.8
/** Queries under way: enough to keep a server busy, fewer than any socket's buffer holds. */
const WINDOW = 100
const RATE = 10_000
const NXDOMAIN = 3
/** Lost questions shift the shares of a mix. */
const TOLERANCE = 0.01

/** Whether the workload wants nothing that it lacks. */
const isAble = ({ lacks = [] }: Contender, { needs, transport = 'udp' }: Workload): boolean =>
  !(needs && lacks.includes(needs)) && (transport === 'udp' || !lacks.includes(transport))

export const defineWorkload = (workload: Workload): BenchCase => {
  const warm = new Set<RunningServer>()
  const { name, contenders: chosen = contenders, transport = 'udp', rate = RATE } = workload
  const rowOf = async (contender: Contender, stage: Stage): Promise<Record<string, number> | undefined> => {
    const server = await stage.server(contender, { encrypted: transport === 'tls' || transport === 'https' })
    if (!server) return undefined
    const measure = loading(workload, server, stage)
    const each = workload.questions(stage.services).length
    await warmUp(measure, warm.has(server) ? [each, WARM_AGAIN] : [Math.max(each, WARM_QUERIES), WARM_UP])
    warm.add(server)
    return figuresOf(server, checking(workload, server, measure), rate)
  }
  return {
    name,
    async run(stage) {
      const rows: Record<string, Record<string, number>> = {}
      for (const contender of chosen.filter(contender => isAble(contender, workload))) {
        try {
          const row = await rowOf(contender, stage)
          if (row) rows[contender.name] = row
        } catch (error) {
          // The others' figures stand without this one's.
          stage.warn((error as Error).message)
        }
      }
      const reference = Object.values(rows)[0]?.[FIGURES.processor] ?? Number.NaN
      for (const row of Object.values(rows)) row['seamark ÷ it'] = reference / row[FIGURES.processor]!
      return rows
    },
  }
}

type Measure = (load: Pick<Load, 'seconds' | 'pace'>) => Promise<LoadReport>

const loading = (workload: Workload, server: RunningServer, stage: Stage): Measure => {
  const { name, transport = 'udp', fresh = false } = workload
  const questions = stage.questions(name, workload.questions, transport)
  return load =>
    runLoad({ address: server.address, port: server.portOf(transport), transport, questions, fresh, ...load })
}

/** @throws Error when a reply is not what it must be */
const checking = (workload: Workload, { contender }: RunningServer, measure: Measure): Measure => {
  if (contender.lacks?.includes('answers')) return measure
  return async load => {
    const report = await measure(load)
    const problem = problemOf(report, workload)
    if (problem) throw new Error(`${workload.name}: ${contender.name} ${problem}: ${JSON.stringify(report)}`)
    return report
  }
}

/** A server that has just started may not know all yet: what it says is not looked at. Asks so many queries, or for so many seconds `WARM_UPS` times. */
const warmUp = async (measure: Measure, [queries, seconds]: readonly [number, number]): Promise<void> => {
  let asked = 0
  for (let turn = 0; turn < WARM_UPS && asked < queries; turn++)
    asked += (await measure({ seconds, pace: { window: WINDOW } })).sent
}

/** Lost questions are a figure of their own. */
const problemOf = ({ received, empty, rcodes }: LoadReport, { expect }: Workload): string | undefined => {
  if (received === 0) return 'does not answer'
  const noerror = rcodes[0]!
  const isAbout = (share: number, count: number): boolean => {
    const tolerance = share === 0 || share === 1 ? 0 : TOLERANCE
    return Math.abs(count / received - share) <= tolerance
  }
  if (noerror + rcodes[NXDOMAIN]! !== received || !isAbout(expect.noerror, noerror)) return 'gave other rcodes'
  return isAbout(expect.empty, empty) ? undefined : 'gave other answers'
}

const figuresOf = async (server: RunningServer, measure: Measure, rate: number): Promise<Record<string, number>> => {
  const before = treeProcessorTime(server.pid)
  const busy = await measure({ seconds: THROUGHPUT, pace: { window: WINDOW } })
  const spent = treeProcessorTime(server.pid) - before
  const steady = await measure({ seconds: LATENCY, pace: { rate } })
  const { resident, anonymous } = treeMemory(server.pid)
  return {
    [FIGURES.processor]: (spent * 1000) / busy.received,
    [FIGURES.throughput]: busy.received / busy.seconds,
    [FIGURES.p50]: steady.p50,
    [FIGURES.p99]: steady.p99,
    [FIGURES.p999]: steady.p999,
    [FIGURES.rate]: rate,
    'lost ‰': (1000 * (busy.lost + steady.lost)) / (busy.sent + steady.sent),
    [FIGURES.resident]: resident,
    [FIGURES.anonymous]: anonymous,
  }
}

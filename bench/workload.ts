/** One kind of question, put to all servers that can answer it, side by side in each round. */
import { treeMemory, treeProcessorTime } from './accounting.ts'
import type { BenchCase } from './bench-case.ts'
import type { Capability, Contender, ServiceEntry } from './contender.ts'
import { FIGURES } from './figures.ts'
import type { Load, LoadReport, Transport } from './load.ts'
import { type LoadQuestion, runLoad } from './load-generator.ts'
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
/**
 * Turns at full speed, and seconds of each: every server has one, then all have another, so that what else the machine
 * does falls on all alike and a ratio is of the same seconds. Connections are opened in each turn, which should stay a
 * small part of it. Even numbers: each other time the last is first.
 */
const TURNS = { udp: { count: 4, seconds: 0.2 }, streams: { count: 2, seconds: 0.4 } } as const
/** Seconds. */
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
  const turns = TURNS[transport === 'udp' ? 'udp' : 'streams']
  const enter = async (contender: Contender, stage: Stage): Promise<Entrant | undefined> => {
    const server = await stage.server(contender, { encrypted: transport === 'tls' || transport === 'https' })
    if (!server) return undefined
    const measure = loading(workload, server, stage)
    const each = workload.questions(stage.services).length
    await warmUp(measure, warm.has(server) ? [each, WARM_AGAIN] : [Math.max(each, WARM_QUERIES), WARM_UP])
    warm.add(server)
    return new Entrant(contender.name, server, checking(workload, server, measure))
  }
  return {
    name,
    async run(stage) {
      const rows: Record<string, Record<string, number>> = {}
      const able = chosen.filter(contender => isAble(contender, workload))
      const entrants = await eachOrWarn(able, stage, contender => enter(contender, stage))
      const finished = await takeTurns(entrants, stage, turns)
      await eachOrWarn(finished, stage, async entrant => {
        rows[entrant.name] = await entrant.figures(rate)
        return entrant
      })
      const reference = rows[chosen[0]!.name]?.[FIGURES.processor] ?? Number.NaN
      for (const row of Object.values(rows)) row['seamark ÷ it'] = reference / row[FIGURES.processor]!
      return rows
    },
  }
}

/** What came of each, one after the other. Who fails is out; the others' figures stand without its own. */
const eachOrWarn = async <Item, Made>(
  items: readonly Item[],
  stage: Stage,
  make: (item: Item) => Promise<Made | undefined>,
): Promise<Made[]> => {
  const made: Made[] = []
  for (const item of items) {
    const one = await make(item).catch((error: Error) => stage.warn(error.message))
    if (one) made.push(one)
  }
  return made
}

/** All turns at full speed; who came through them. */
const takeTurns = async (
  entrants: readonly Entrant[],
  stage: Stage,
  { count, seconds }: (typeof TURNS)['udp' | 'streams'],
): Promise<readonly Entrant[]> => {
  let left = entrants
  for (let turn = 0; turn < count; turn++) {
    left = await eachOrWarn(left.toReversed(), stage, async entrant => {
      await entrant.run(seconds)
      return entrant
    })
  }
  return left
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

/** A server in one round, and what it has done so far. */
class Entrant {
  readonly name: string
  readonly #server: RunningServer
  readonly #measure: Measure
  readonly #sum = { sent: 0, received: 0, lost: 0, seconds: 0 }
  /** Milliseconds of processor time. */
  #spent = 0

  constructor(name: string, server: RunningServer, measure: Measure) {
    this.name = name
    this.#server = server
    this.#measure = measure
  }

  /** One turn at full speed. */
  async run(seconds: number): Promise<void> {
    const before = treeProcessorTime(this.#server.pid)
    const report = await this.#measure({ seconds, pace: { window: WINDOW } })
    this.#spent += treeProcessorTime(this.#server.pid) - before
    for (const what of ['sent', 'received', 'lost', 'seconds'] as const) this.#sum[what] += report[what]
  }

  /** Of all turns, and of latency, which is measured now. */
  async figures(rate: number): Promise<Record<string, number>> {
    const { sent, received, lost, seconds } = this.#sum
    const steady = await this.#measure({ seconds: LATENCY, pace: { rate } })
    const { resident, anonymous } = treeMemory(this.#server.pid)
    return {
      [FIGURES.processor]: (this.#spent * 1000) / received,
      [FIGURES.throughput]: received / seconds,
      [FIGURES.p50]: steady.p50,
      [FIGURES.p99]: steady.p99,
      [FIGURES.p999]: steady.p999,
      [FIGURES.rate]: rate,
      'lost ‰': (1000 * (lost + steady.lost)) / (sent + steady.sent),
      [FIGURES.resident]: resident,
      [FIGURES.anonymous]: anonymous,
    }
  }
}

/**
 * Memory of a server with two workers through floods that fill all that it keeps: names of the cluster, names below it that
 * do not exist and that nobody asked for before, external names that are asked for twice and then never again, over UDP and
 * over TCP. Each is bounded by the number of its questions; the server gets as long as it needs.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { treeMemory, treeProcessorTime } from '../accounting.ts'
import type { BenchCase, Figures } from '../bench-case.ts'
import type { Load } from '../load.ts'
import { type LoadQuestion, runLoad } from '../load-generator.ts'
import { seamarkWith } from '../servers/seamark.ts'
import type { Stage } from '../stage.ts'

const server = seamarkWith('seamark, two workers', '', ['--workers', '2'])

/** Seconds of each flood. */
const DURATION = 6
const WINDOW = 100
/** External names over UDP and TCP: more than the cache and the memos hold. */
const EXTERNAL = 100_000
/** Questions between the two for one name: the answer to the first has come by then. */
const APART = 1000
/** Milliseconds after the last flood. */
const REST = 10_000

const twice = (label: string): readonly LoadQuestion[] => {
  const questions: LoadQuestion[] = []
  for (let first = 0; first < EXTERNAL; first += APART)
    for (const _ of ['unknown', 'kept'])
      for (let index = first; index < first + APART; index++)
        questions.push({ name: `${label}-${index}.example.com.`, type: 'A' })
  return questions
}

interface Flood extends Pick<Load, 'transport' | 'fresh'> {
  readonly name: string
  readonly questions: Parameters<Stage['questions']>[1]
}

const floods: readonly Flood[] = [
  { name: 'names of the cluster', questions: services => services.map(({ name }) => ({ name, type: 'A' })) },
  {
    name: 'names that are not there',
    fresh: true,
    questions: services =>
      services.map(({ name }) => ({
        name: `00000000.example.com.${name.split('.')[1]}.svc.cluster.local.`,
        type: 'A',
      })),
  },
  { name: 'external names', fresh: true, questions: () => [{ name: '00000000.example.com.', type: 'A' }] },
  { name: 'external names twice', questions: () => twice('udp') },
  { name: 'external names over TCP', transport: 'tcp', questions: () => twice('tcp') },
]

const run: BenchCase['run'] = async stage => {
  const running = await stage.server(server)
  if (!running) return {}
  const { address, port, pid } = running
  const memory = (): Figures => {
    const { resident, anonymous, peak } = treeMemory(pid)
    return { 'RSS MiB': resident, 'RssAnon MiB': anonymous, 'peak MiB': peak }
  }
  await wait(1000)
  const rows: Record<string, Figures> = { fresh: memory() }
  for (const { name, questions, transport = 'udp', fresh = false } of floods) {
    const file = stage.questions(`after-flood ${name}`, questions, transport)
    const before = treeProcessorTime(pid)
    const load = { address, port, questions: file, transport, fresh, seconds: DURATION, pace: { window: WINDOW } }
    const { received, seconds } = await runLoad(load)
    const spent = treeProcessorTime(pid) - before
    rows[`after ${name}`] = { ...memory(), qps: received / seconds, 'CPU µs': (1000 * spent) / received }
  }
  await wait(REST)
  rows['10 s later'] = memory()
  return rows
}

export default { name: 'after-flood', rounds: 1, run } satisfies BenchCase

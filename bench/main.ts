/**
 * `npm run bench [-- NAME …]`: runs the cases in `cases/` in turn, several rounds, and prints the median of each figure
 * with its least and greatest: these machines are noisy, one number alone says nothing.
 */
import { readdirSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { BenchCase } from './bench-case.ts'
import { describeMachine, describeVersions } from './machine.ts'
import { Recorder } from './recorder.ts'
import { resultTables } from './report/console.ts'
import { publishedCases } from './report/page.ts'
import { writePerformancePages, writeResults } from './report/pages.ts'
import type { Results } from './report/results.ts'
import { buildCoredns } from './servers/coredns.ts'
import { Stage } from './stage.ts'

const USAGE = `npm run bench -- [NAME …] [OPTION …]

  NAME               a case (a file of bench/cases/); without any: all
  --rounds N         how often each is run (5)
  --services N       services in the data set (1000)
  --json             print JSON
  --publish          run what docs/performance.md shows, and write it, its plots and its data anew
  --coredns PATH     a CoreDNS to compare with; otherwise that of the PATH, or the one of --build-coredns
  --build-coredns    build CoreDNS from Go modules, by the Go on the PATH, into ~/.cache/seamark/bench
  --help`

const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    'build-coredns': { type: 'boolean', default: false },
    coredns: { type: 'string' },
    help: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    services: { type: 'string', default: '1000' },
  },
})

const folder = new URL('./cases/', import.meta.url)

/** At least one. */
const count = (name: string, text: string): number => {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  console.error(`--${name}: "${text}" is not a number from 1 on`)
  process.exit(2)
}

/** A case's name is its file's; only those that are wanted are loaded. */
const loadCases = async (names: readonly string[]): Promise<BenchCase[]> => {
  const known = readdirSync(fileURLToPath(folder))
    .filter(file => file.endsWith('.ts'))
    .map(file => file.slice(0, -'.ts'.length))
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length > 0) {
    console.error(`no such case: ${unknown.join(', ')} (there are: ${known.join(', ')})`)
    process.exit(2)
  }
  const chosen = names.length === 0 ? known : names
  const modules = await Promise.all(chosen.map(name => import(new URL(`${name}.ts`, folder).href)))
  return modules.map(module => module.default as BenchCase)
}

/** One line that is written over and over, for somebody who watches; lines, where nobody does. */
const showProgress = (text: string): void => {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
}

/** Milliseconds: several times what the longest case takes in its first round. */
const CASE_DEADLINE = 240_000

const within = async <T>(limit: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${limit / 1000} s`)), limit)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const runCases = async (cases: readonly BenchCase[], rounds: number): Promise<Results> => {
  const problems = new Set<string>()
  const warn = (text: string): void => {
    if (!problems.has(text)) showProgress(`${text}\n`)
    problems.add(text)
  }
  const stage = new Stage({ services: count('services', flags.services), warn })
  const recorder = new Recorder(rounds)
  const [before] = loadavg() as [number, number, number]
  const began = performance.now()
  try {
    // Interleaved: a slow minute of the machine then falls on all cases alike.
    for (let round = 0; round < rounds; round++) {
      for (const benchCase of cases.filter(({ rounds: enough = rounds }) => round < enough)) {
        const minutes = ((performance.now() - began) / 60_000).toFixed(1)
        showProgress(`${minutes} min, round ${round + 1} of ${rounds}: ${benchCase.name}`)
        try {
          recorder.add(benchCase.name, round, await within(CASE_DEADLINE, benchCase.run(stage)))
        } catch (error) {
          warn(`${benchCase.name} failed: ${(error as Error).message}`)
        }
      }
    }
  } finally {
    await stage.close().catch(error => warn(`not everything could be closed: ${error.message}`))
  }
  return {
    date: new Date().toISOString(),
    machine: describeMachine(),
    versions: describeVersions(),
    load: [before, loadavg()[0]!],
    rounds,
    problems: [...problems],
    cases: recorder.cases,
  }
}

const run = async (): Promise<void> => {
  if (flags.publish && wanted.length > 0) {
    console.error('--publish runs what the page shows: it takes no names')
    process.exit(2)
  }
  const cases = await loadCases(flags.publish ? publishedCases : wanted)
  const results = await runCases(cases, count('rounds', flags.rounds))
  showProgress('')
  if (flags.publish) {
    writeResults(results)
    writePerformancePages()
  }
  const { processor, cores } = results.machine
  if (flags.json) console.log(JSON.stringify(results, null, 2))
  else console.log(`${processor}, ${cores} cores, Node ${results.versions.Node}, ${results.rounds} rounds`)
  if (!flags.json) console.log(resultTables(results))
  if (Object.keys(results.cases).length < cases.length) process.exitCode = 1
}

if (flags.help) console.log(USAGE)
else if (flags['build-coredns']) buildCoredns()
else {
  if (flags.coredns) process.env.SEAMARK_BENCH_COREDNS = flags.coredns
  await run()
  // What a case that was too late has left open must not keep this program.
  process.exit()
}

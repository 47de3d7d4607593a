/**
 * `npm run bench [-- NAME …]`: runs the cases in `cases/` in turn, several rounds, and prints the median of each figure
 * with its least and greatest: these machines are noisy, one number alone says nothing.
 *
 * `--json` prints JSON; `--rounds N`; `--services N` for the data set of cases with servers.
 */
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { BenchCase, Figures } from './bench-case.ts'
import { Stage } from './stage.ts'

const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
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

const loadCases = async (): Promise<BenchCase[]> => {
  const files = readdirSync(fileURLToPath(folder)).filter(file => file.endsWith('.ts'))
  const modules = await Promise.all(files.map(file => import(new URL(file, folder).href)))
  const cases = modules.map(module => module.default as BenchCase)
  const unknown = wanted.filter(name => !cases.some(benchCase => benchCase.name === name))
  if (unknown.length > 0) {
    console.error(`no such case: ${unknown.join(', ')} (there are: ${cases.map(({ name }) => name).join(', ')})`)
    process.exit(2)
  }
  return cases.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}

/** Three digits that mean something: more than that these machines do not repeat. */
const rounded = (value: number): number => Number(value.toPrecision(3))

/** One line that is written over and over, for somebody who watches. */
const showProgress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

const isTable = (result: Awaited<ReturnType<BenchCase['run']>>): result is Readonly<Record<string, Figures>> =>
  Object.values(result).some(value => typeof value === 'object')

/** Case → subject (`''`: the case itself) → figure → its values, round by round. */
class Results {
  readonly #cases = new Map<string, Map<string, Map<string, number[]>>>()

  add(name: string, result: Awaited<ReturnType<BenchCase['run']>>): void {
    const subjects = this.#cases.get(name) ?? new Map<string, Map<string, number[]>>()
    this.#cases.set(name, subjects)
    for (const [subject, row] of Object.entries(isTable(result) ? result : { '': result })) {
      const figures = subjects.get(subject) ?? new Map<string, number[]>()
      subjects.set(subject, figures)
      for (const [figure, value] of Object.entries(row)) figures.set(figure, [...(figures.get(figure) ?? []), value])
    }
  }

  rows() {
    return [...this.#cases].flatMap(([name, subjects]) =>
      [...subjects].flatMap(([subject, figures]) =>
        [...figures].map(([figure, values]) => ({
          case: name,
          subject,
          figure,
          median: rounded(median(values)),
          least: rounded(Math.min(...values)),
          greatest: rounded(Math.max(...values)),
        })),
      ),
    )
  }

  /** A case with subjects has a row for each and a column for each figure. */
  print(): void {
    for (const name of this.#cases.keys()) {
      const rows = this.rows().filter(row => row.case === name)
      console.log(`\n${name}`)
      if (rows.every(({ subject }) => subject === '')) {
        console.table(
          Object.fromEntries(rows.map(({ figure, median, least, greatest }) => [figure, { median, least, greatest }])),
        )
        continue
      }
      const table: Record<string, Record<string, string>> = {}
      for (const { subject, figure, median, least, greatest } of rows)
        (table[subject] ??= {})[figure] = `${median} (${least}–${greatest})`
      console.table(table)
    }
  }
}

const cases = await loadCases()
const totalRounds = count('rounds', flags.rounds)
const stage = new Stage({ services: count('services', flags.services), warn: text => console.error(text) })
const results = new Results()
try {
  // Interleaved: a slow minute of the machine then falls on all cases alike.
  for (let round = 1; round <= totalRounds; round++) {
    for (const benchCase of cases) {
      showProgress(`round ${round} of ${totalRounds}: ${benchCase.name}`)
      results.add(benchCase.name, await benchCase.run(stage))
    }
  }
} finally {
  await stage.close()
}
const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, rounds: totalRounds }
showProgress('')
if (flags.json) {
  console.log(JSON.stringify({ machine, date: new Date().toISOString(), rows: results.rows() }, null, 2))
} else {
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${totalRounds} rounds`)
  results.print()
}

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

/** A case's name is its file's; only those that are wanted are loaded. */
const loadCases = async (): Promise<BenchCase[]> => {
  const names = readdirSync(fileURLToPath(folder))
    .filter(file => file.endsWith('.ts'))
    .map(file => file.slice(0, -'.ts'.length))
  const unknown = wanted.filter(name => !names.includes(name))
  if (unknown.length > 0) {
    console.error(`no such case: ${unknown.join(', ')} (there are: ${names.join(', ')})`)
    process.exit(2)
  }
  const chosen = names.filter(name => wanted.length === 0 || wanted.includes(name))
  const modules = await Promise.all(chosen.map(name => import(new URL(`${name}.ts`, folder).href)))
  return modules.map(module => module.default as BenchCase)
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

  /** A case with subjects has a row for each and a column for each figure: the median, and its least and greatest. */
  print(): void {
    for (const name of this.#cases.keys()) {
      const rows = this.rows().filter(row => row.case === name)
      const subjects = [...new Set(rows.map(({ subject }) => subject))]
      const figures = [...new Set(rows.map(({ figure }) => figure))]
      const cell = (subject: string, figure: string): string => {
        const row = rows.find(candidate => candidate.subject === subject && candidate.figure === figure)
        return row ? `${row.median} (${row.least}–${row.greatest})` : ''
      }
      const isTabular = subjects.some(subject => subject !== '')
      console.log(`\n${name}`)
      if (isTabular)
        printTable([
          ['', ...figures],
          ...subjects.map(subject => [subject, ...figures.map(figure => cell(subject, figure))]),
        ])
      else printTable([['', 'median (least–greatest)'], ...figures.map(figure => [figure, cell('', figure)])])
    }
  }
}

/** Columns as wide as their widest cell; the first is the rows' names. */
const printTable = (lines: readonly (readonly string[])[]): void => {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)))
  for (const line of lines)
    console.log(
      `| ${line.map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!))).join(' | ')} |`,
    )
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

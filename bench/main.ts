/**
 * `npm run bench [-- NAME …]`: runs the cases in `cases/` in turn, several rounds, and prints the median of each figure
 * with its least and greatest: these machines are noisy, one number alone says nothing. `--json` prints JSON.
 */
import { readdirSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

interface BenchCase {
  readonly name: string
  /** Figure (with its unit in the name) → value of one round. */
  run(): Promise<Readonly<Record<string, number>>>
}

const ROUNDS = 5

const folder = new URL('./cases/', import.meta.url)
const wanted = process.argv.slice(2).filter(word => !word.startsWith('--'))
const asJson = process.argv.includes('--json')

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

const cases = await loadCases()
const rounds = new Map<string, Map<string, number[]>>(cases.map(({ name }) => [name, new Map()]))
// Interleaved: a slow minute of the machine then falls on all cases alike.
for (let round = 0; round < ROUNDS; round++) {
  for (const { name, run } of cases) {
    showProgress(`round ${round + 1} of ${ROUNDS}: ${name}`)
    for (const [figure, value] of Object.entries(await run())) {
      const figures = rounds.get(name) as Map<string, number[]>
      figures.set(figure, [...(figures.get(figure) ?? []), value])
    }
  }
}
const rows = [...rounds].flatMap(([name, figures]) =>
  [...figures].map(([figure, values]) => ({
    case: name,
    figure,
    median: rounded(median(values)),
    least: rounded(Math.min(...values)),
    greatest: rounded(Math.max(...values)),
  })),
)
const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, rounds: ROUNDS }
showProgress('')
if (asJson) {
  console.log(JSON.stringify({ machine, date: new Date().toISOString(), rows }, null, 2))
} else {
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${ROUNDS} rounds`)
  console.table(rows)
}

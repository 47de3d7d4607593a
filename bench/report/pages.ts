/** The pages and plots that come from docs/performance/results.json. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { barChart } from './bar-chart.ts'
import { charts, drawn } from './charts.ts'
import { performancePage, readmeWith } from './page.ts'
import type { Results } from './results.ts'

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))

const RESULTS = 'docs/performance/results.json'
const NOTES = 'docs/performance/notes'

/** Numbers of one array on one line. */
const formatResults = (results: Results): string =>
  `${JSON.stringify(results, null, 1).replaceAll(/\[[-\d.e+,\snul]*\]/g, array => array.replaceAll(/\s+/g, ''))}\n`

export const writeResults = (results: Results): void => writeFileSync(path(RESULTS), formatResults(results))

/** By target: what is known of why it is missed. */
const readNotes = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (existsSync(path(NOTES)) ? readdirSync(path(NOTES)) : [])
      .filter(file => file.endsWith('.md'))
      .map(file => [file.slice(0, -'.md'.length), readFileSync(path(`${NOTES}/${file}`), 'utf8')]),
  )

/** Text by path. */
export const performancePages = (): Readonly<Record<string, string>> => {
  const results = JSON.parse(readFileSync(path(RESULTS), 'utf8')) as Results
  const plots = charts.map(chart => [`docs/performance/${chart.name}.svg`, barChart(drawn(results, chart))] as const)
  return {
    'docs/performance.md': performancePage(results, readNotes()),
    'README.md': readmeWith(readFileSync(path('README.md'), 'utf8'), results),
    ...Object.fromEntries(plots),
  }
}

export const writePerformancePages = (): void => {
  for (const [name, text] of Object.entries(performancePages())) writeFileSync(path(name), text)
}

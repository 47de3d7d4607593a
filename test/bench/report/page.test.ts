/** Holds docs/performance.md and the README to what a run found, and each promise to its row. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { charts } from '../../../bench/report/charts.ts'
import { performancePage, publishedCases, readmeWith } from '../../../bench/report/page.ts'
import { performancePages } from '../../../bench/report/pages.ts'
import type { Results } from '../../../bench/report/results.ts'
import { targets, verdictOf } from '../../../bench/report/targets.ts'
import { projectRoot } from '../../support/cluster.ts'

const summary = (median: number) => ({ median, least: median, greatest: median, rounds: 5 })

const published = JSON.parse(readFileSync(join(projectRoot, 'docs/performance/results.json'), 'utf8')) as Results

const results = (cases: Results['cases']): Results => ({ ...published, cases, problems: ['knot is left out: none'] })

test('the page, its plots and the README are those of the data (npm run docs)', t => {
  for (const [path, text] of Object.entries(performancePages()))
    t.is(readFileSync(join(projectRoot, path), 'utf8'), text, path)
})

test('every target has its row', t => {
  const page = performancePages()['docs/performance.md']!
  for (const { workload, wanted } of targets) t.true(page.includes(`| ${workload} | ${wanted} |`), wanted)
  t.is(new Set(targets.map(({ id }) => id)).size, targets.length)
})

test('a limit is reached by what it says', t => {
  t.is(verdictOf({ limit: { atMost: 0.95 } }, summary(0.95)), 'reached')
  t.is(verdictOf({ limit: { atMost: 0.95 } }, summary(0.951)), 'missed')
  t.is(verdictOf({ limit: { atLeast: 1.05 } }, summary(1.05)), 'reached')
  t.is(verdictOf({ limit: { atLeast: 1.05 } }, summary(1)), 'missed')
  t.is(verdictOf({ limit: { below: 1 } }, summary(1)), 'missed')
  t.is(verdictOf({ limit: { below: 1 } }, undefined), 'not measured')
})

test('a target that is missed has a section, with what is known of it', t => {
  const cases = { change: { '': { 'p99, ms': [30] } } }
  const unexplained = performancePage(results(cases), {})
  t.regex(unexplained, /< 20 ms \| 30 \(30 to 30\) ms \| \[missed\]\(#missed-change\)/)
  t.regex(unexplained, /### Missed: change\n\n.*30 was reached\.\n\nNo profile says why yet\./)
  t.regex(performancePage(results(cases), { change: 'The store.\n' }), /was reached\.\n\nThe store\.\n/)
  t.notRegex(performancePage(results({ change: { '': { 'p99, ms': [3] } } }), {}), /missed\]/)
})

test('what did not run is said', t => {
  const page = performancePage(results({}), {})
  t.true(page.includes('## What did not run\n\n- knot is left out: none\n'))
  t.true(page.includes('| not measured |'))
})

test("the README's block is written, and nothing else of it", t => {
  const cases = { hits: { seamark: { 'CPU µs/query': [2.4] }, knot: { 'CPU µs/query': [2.8] } } }
  const readme = 'before\n<!-- performance -->\nold\n<!-- /performance -->\nafter\n'
  const written = readmeWith(readme, results(cases))
  t.regex(
    written,
    /^before\n<!-- performance -->\n[\s\S]*\| names of services \| 2.4 \| 2.8 \|[\s\S]*<!-- \/performance -->\nafter\n$/,
  )
  t.false(written.includes('old'))
})

test('cases that are published or drawn exist, and notes are of targets', t => {
  const drawn = charts.flatMap(({ cases }) => cases.map(({ name }) => name))
  for (const name of [...publishedCases, ...drawn])
    t.true(existsSync(join(projectRoot, `bench/cases/${name}.ts`)), name)
  for (const name of drawn) t.true(publishedCases.includes(name), name)
  const notes = join(projectRoot, 'docs/performance/notes')
  const known = targets.map(({ id }) => `${id}.md`)
  for (const file of existsSync(notes) ? readdirSync(notes) : []) t.true(known.includes(file), file)
})

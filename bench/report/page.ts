/** docs/performance.md and the README's figures, as text, from what a run found. */
import { FIGURES } from '../figures.ts'
import { charts, drawn } from './charts.ts'
import { type Results, summaryOf } from './results.ts'
import { formatSummary, rounded, type Summary } from './statistics.ts'
import { type Target, targets, type Verdict, verdictOf } from './targets.ts'

/** Cases that the page shows, in the order in which a round runs them: what is compared stands side by side. */
export const publishedCases: readonly string[] = [
  'hits',
  'profile',
  'nxdomain',
  'nxdomain-new',
  'empty-aaaa',
  'external',
  'search-list',
  'misses',
  'dgram',
  'data-size',
  'tcp',
  'tls',
  'https',
  'saturation',
  'change',
  'start',
  'scale',
  'memory',
  'churn',
  'store',
  'apiserver',
  'apiserver-lists',
  'apiserver-watches',
  'apiserver-start',
]

/** What no figure shows, and where it is held. */
const PROOFS = [
  {
    workload: 'changes',
    wanted: 'no stale answer after the watch event was applied',
    test: 'test/e2e/first-answer.test.ts',
  },
]

interface Outcome {
  readonly target: Target
  readonly reached: Summary | undefined
  readonly verdict: Verdict
}

const outcomesOf = (results: Results): readonly Outcome[] =>
  targets.map(target => {
    const reached = target.measure(results)
    return { target, reached, verdict: verdictOf(target, reached) }
  })

const limitOf = ({ limit, unit }: Target): string => {
  const [[kind, value]] = Object.entries(limit) as [[string, number]]
  const sign = { atMost: '≤', atLeast: '≥', below: '<' }[kind]
  return unit === '×' ? `${sign} ${value} ×` : `${sign} ${value} ${unit}`
}

const row = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

const targetTable = (outcomes: readonly Outcome[]): string =>
  table(
    ['workload', 'measured', 'wanted', 'reached', 'verdict'],
    [
      ...outcomes.map(({ target, reached, verdict }) => [
        target.workload,
        target.wanted,
        limitOf(target),
        reached ? `${formatSummary(reached)}${target.unit === '×' ? '' : ` ${target.unit}`}` : '',
        verdict === 'missed' ? `[missed](#missed-${target.id})` : verdict,
      ]),
      ...PROOFS.map(({ workload, wanted, test }) => [workload, wanted, '', '', `held by [a test](../${test})`]),
    ],
  )

const missedSection = ({ target, reached }: Outcome, note: string | undefined): string =>
  `### Missed: ${target.id}

${target.workload}: ${target.wanted}: ${limitOf(target)} was wanted, ${rounded(reached!.median)} was reached.

${note?.trim() ?? 'No profile says why yet.'}
`

/** A case's figures: a row for each subject. */
const caseTable = (results: Results, name: string): string => {
  const subjects = results.cases[name] ?? {}
  const figures = [...new Set(Object.values(subjects).flatMap(rows => Object.keys(rows)))]
  const cell = (subject: string, figure: string): string => {
    const summary = summaryOf(results, { case: name, subject, figure })
    return summary ? formatSummary(summary) : ''
  }
  return '' in subjects
    ? table(
        ['figure', 'median (least to greatest)'],
        figures.map(figure => [figure, cell('', figure)]),
      )
    : table(
        ['', ...figures],
        Object.keys(subjects).map(subject => [subject, ...figures.map(figure => cell(subject, figure))]),
      )
}

/** Load average over which a run is none to quote. */
const BUSY = 1

const conditionsOf = ({ date, machine, versions, load, rounds }: Results): string =>
  [
    ...(load[0] > BUSY
      ? ['**The machine had other work during this run: a run on a quiet one replaces these figures.**', '']
      : []),
    `- ${date.slice(0, 16).replace('T', ' ')} UTC, ${rounds === 1 ? '1 round' : `${rounds} rounds`}; load average ${rounded(load[0])} before the run, ${rounded(load[1])} after it`,
    `- ${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}`,
    `- ${Object.entries(versions)
      .map(([program, version]) => `${program} ${version}`)
      .join(', ')}`,
  ].join('\n')

/** `notes`: by a target's id, what is known of why it is missed. */
export const performancePage = (results: Results, notes: Readonly<Record<string, string>>): string => {
  const outcomes = outcomesOf(results)
  const missed = outcomes.filter(({ verdict }) => verdict === 'missed')
  const plots = charts.filter(chart => drawn(results, chart).groups.length > 0)
  const problems = results.problems.map(problem => `- ${problem.split('\n')[0]}`)
  return `<!-- Derived from docs/performance/ by \`npm run docs\`; \`npm run bench -- --publish\` measures anew. -->

# Performance

Every figure is a median with the least and the greatest of the rounds of one run, in which all servers are measured side by
side, with one worker each (CoreDNS as it starts by itself). A ratio is the median of the ratios round by round. What is
measured and how: [bench/README.md](../bench/README.md).

${conditionsOf(results)}

The data: [results.json](performance/results.json).

## Targets

${targetTable(outcomes)}

## What is missed, and why

${missed.length === 0 ? 'Nothing.\n' : missed.map(outcome => missedSection(outcome, notes[outcome.target.id])).join('\n')}
## Plots

${plots.map(({ name, title }) => `![${title}](performance/${name}.svg)`).join('\n\n')}

## Figures

${Object.keys(results.cases)
  .map(name => `### ${name}\n\n${caseTable(results, name)}\n`)
  .join('\n')}${problems.length === 0 ? '' : `\n## What did not run\n\n${problems.join('\n')}\n`}`
}

const README_BLOCK = /(<!-- performance -->\n)[\s\S]*?(<!-- \/performance -->)/

const README_SERVERS = ['seamark', 'knot', 'unbound', 'dnsmasq', 'bind', 'coredns']

const README_CASES = [
  { name: 'hits', label: 'names of services' },
  { name: 'nxdomain', label: 'search candidates (NXDOMAIN)' },
  { name: 'external', label: 'cached external names' },
]

/** The README with the figures of the results in its block. */
export const readmeWith = (readme: string, results: Results): string => {
  const figure = (name: string, subject: string): string => {
    const summary = summaryOf(results, { case: name, subject, figure: FIGURES.processor })
    return summary ? String(rounded(summary.median)) : '–'
  }
  const rows = README_CASES.map(({ name, label }) => [label, ...README_SERVERS.map(server => figure(name, server))])
  const outcomes = outcomesOf(results)
  const reached = outcomes.filter(({ verdict }) => verdict === 'reached').length
  const block = `Processor time a query over UDP, in microseconds, measured side by side on ${results.machine.cores} cores:

${table(['', ...README_SERVERS], rows)}

${reached} of ${outcomes.length} targets are reached: [all figures, and why the others are missed](docs/performance.md).
`
  return readme.replace(README_BLOCK, (_, begin: string, end: string) => `${begin}${block}${end}`)
}

import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import { pluginModules, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { metricRow, optionRow } from '../../support/plugin-docs.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const folder = new URL('../../../docs/plugins/', import.meta.url)
const pageOf = (name: string): string => readFileSync(new URL(`${name}.md`, folder), 'utf8')

const allMetrics = readFileSync(new URL('../metrics.md', folder), 'utf8')

test('every plugin has a page, and every page a plugin', t => {
  const pages = readdirSync(folder).filter(file => file !== 'README.md')
  t.deepEqual(pages.toSorted(), [...pluginModules.keys()].map(name => `${name}.md`).sort())
})

for (const [name, module] of pluginModules) {
  test(`${name}: sections in order, every option and metric as the code has it, and no other`, t => {
    const page = pageOf(name)
    const sections = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title)
    const order = ['Description', 'Syntax', 'Metrics', 'Metadata', 'Examples']
    t.deepEqual(
      sections,
      order.filter(title => sections.includes(title)),
    )
    t.true(
      page.startsWith(`# ${name}\n`) && ['Description', 'Syntax', 'Examples'].every(title => sections.includes(title)),
    )
    const rows = page.split('\n').filter(line => line.startsWith('| `'))
    const [syntax = ''] = /^## Syntax\n[\s\S]*?(?=^## )/m.exec(page) ?? []
    const options = Object.entries(module.options ?? {}).map(([option, definition]) => optionRow(option, definition))
    t.deepEqual(
      rows.filter(row => syntax.includes(row)),
      options,
    )
    for (const metric of Object.values(module.metrics ?? {})) t.true(rows.includes(metricRow(metric)), metric.name)
    // Others may be kept for the plugin by another room; all that exist are in docs/metrics.md.
    const named = rows.flatMap(row => /^\| (`(?:coredns|seamark)_\w+`)/.exec(row)?.[1] ?? [])
    for (const metric of named) t.true(allMetrics.includes(metric), metric)
    for (const option of Object.keys(module.options ?? {})) t.regex(syntax, new RegExp(`^ {4}${option}\\b`, 'm'))
  })

  test(`${name}: the examples are good`, t => {
    const examples = [...pageOf(name).matchAll(/^```corefile\n([\s\S]*?)^```/gm)].map(([, text]) => text!)
    t.true(examples.length > 0)
    // Files that an example names are not on this machine.
    for (const example of examples)
      t.deepEqual(
        problemsOf(example, testWorld(), temporaryFolder(t)).filter(problem => !/ENOENT|cannot be read/.test(problem)),
        [],
      )
  })
}

test('the Corefile’s page: its example is good, its mistakes are told as it says', t => {
  const page = readFileSync(new URL('../corefile.md', folder), 'utf8')
  const [, example = ''] = /^```corefile\n([\s\S]*?)^```/m.exec(page) ?? []
  t.deepEqual(problemsOf(example), [])
  const wrong = '. {\n erors\n cache 30s\n health {\n  lamduck 5s\n }\n}\n'
  const [, told = ''] = /^```\n(Corefile:[\s\S]*?)^```/m.exec(page) ?? []
  t.deepEqual(problemsOf(wrong), told.trimEnd().split('\n'))
})

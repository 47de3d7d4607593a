import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { configure, pluginModules, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { metricRow, optionRow } from '../../support/plugin-docs.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const folder = new URL('../../../docs/plugins/', import.meta.url)
const pageOf = (name: string): string => readFileSync(new URL(`${name}.md`, folder), 'utf8')

const allMetrics = readFileSync(new URL('../metrics.md', folder), 'utf8')

/** Resolved when the Corefile is read: it has a page as plugins do, and no module. */
const IMPORT = 'import'

test('every plugin has a page, and every page a plugin', t => {
  const pages = readdirSync(folder).filter(file => file !== 'README.md')
  t.deepEqual(pages.toSorted(), [...pluginModules.keys(), IMPORT].map(name => `${name}.md`).sort())
})

const examplesOf = (name: string): readonly string[] =>
  [...pageOf(name).matchAll(/^```corefile\n([\s\S]*?)^```/gm)].map(([, text]) => text!)

test('import: the examples are good, and bring what they say', t => {
  const [snippet = '', files = '', ...others] = examplesOf(IMPORT)
  t.deepEqual(others, [])
  t.deepEqual(problemsOf(snippet), [])
  t.regex(problemsOf(snippet.replace('198.51.100.2', 'x_y'))[0] ?? '', /^Corefile:4: forward: .*x_y/)
  const root = temporaryFolder(t)
  t.deepEqual(problemsOf(files, testWorld(), root), [])
  mkdirSync(join(root, 'custom'))
  writeFileSync(join(root, 'custom', 'a.override'), 'cache 30\n')
  writeFileSync(join(root, 'custom', 'b.server'), 'example.org {\n whoami\n}\n')
  const { listeners, plugins } = configure(files, testWorld(), root)
  t.is(listeners.length, 1)
  t.deepEqual(plugins.map(({ name }) => name).sort(), ['cache', 'errors', 'forward', 'whoami'])
  writeFileSync(join(root, 'custom', 'b.server'), 'example.org {\n whoamy\n}\n')
  t.regex(problemsOf(files, testWorld(), root)[0] ?? '', /custom\/b\.server:2: unknown directive "whoamy"/)
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
    const examples = examplesOf(name)
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

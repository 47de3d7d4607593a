/** The Corefile from its text to set-up plugins; nothing is opened. */
import assert from 'node:assert'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configurationOf } from '#resolver/configuration.ts'
import { formatProblem } from '#resolver/corefile/syntax.ts'
import { pluginOrder } from '#resolver/plugins/order.ts'
import { pluginModules, testWorld } from '../../support/dns-environment.ts'
import { staticSource } from '../../support/static-cluster.ts'
import { mutated } from '../mutate.ts'
import { mutateLines } from '../mutate-lines.ts'
import type { FuzzTarget } from '../target.ts'

const root = join(import.meta.dirname, '../../..')
let folder: string

/** Every Corefile that we ship and every example of the plugins' pages. */
const seeds = (): readonly Buffer[] => {
  const examples = join(root, 'configs/examples')
  const files = readdirSync(examples).filter(name => name.endsWith('.Corefile'))
  const pages = join(root, 'docs/plugins')
  const blocks = readdirSync(pages).flatMap(name => [
    ...readFileSync(join(pages, name), 'utf8').matchAll(/```corefile\n(.*?)```/gs),
  ])
  return [...files.map(name => readFileSync(join(examples, name))), ...blocks.map(([, text]) => Buffer.from(text!))]
}

const words = [
  ...pluginOrder,
  ...['{', '}', '{ ', ' }', '\n', '\\\n', '"', '\\"', '#', ',', ' ', '(snip) {\n', 'import snip 1 2', '{args.0}'],
  ...['{args[9]}', '{$HOME}', '{%HOME%}', '{$NONE:x}', '10.0.0.0/9', 'fd00::/7', '0.0.0.0/0', ':53', 'tls://', '-1'],
  ...['0', '1h', '99999999999999999999', '1e9', '0x10', '(a+)+$', '(?P<n>a)', '(?i)', '[[:alpha:]]', '{{ .Name }}'],
  ...['{{ if eq .Type "A" }}', '{{ end }}', 'example.org', '*', '\ufeff', '\0', 'ü'],
].map(text => Buffer.from(text))

export const corefileTarget: FuzzTarget = {
  name: 'corefile',
  seedForm: 'text',
  words,
  seeds,
  mutate: (numbers, input, other) =>
    numbers.below(2) === 0 ? mutateLines(numbers, input, other) : mutated(numbers, input, words),
  async start() {
    folder = mkdtempSync(join(tmpdir(), 'seamark-test-'))
  },
  run(input) {
    const text = input.toString('utf8')
    const world = testWorld({ cluster: staticSource([]), variables: { HOME: 'home' } })
    const loaded = configurationOf({ text, name: 'Corefile', folder }, world, pluginModules)
    if (loaded.ok) return
    assert(loaded.problem.length > 0, 'refused without a reason')
    const lines = text.split('\n').length
    for (const problem of loaded.problem) {
      const { file, line } = problem.position
      assert(file !== 'Corefile' || (line >= 1 && line <= lines), `line ${line} of ${lines}`)
      assert(problem.message !== '' && !problem.message.includes('[object'), formatProblem(problem))
    }
  },
  async close() {
    rmSync(folder, { recursive: true })
  },
}

import test from 'ava'
import { DirectiveReader } from '#resolver/corefile/directive-reader.ts'
import { parseCorefile } from '#resolver/corefile/parser.ts'
import { type Asked, decide, readRule } from '#resolver/policy/rule.ts'

const rulesOf = (...lines: string[]) => {
  const text = `. {\n policy {\n${lines.join('\n')}\n }\n}`
  const parsed = parseCorefile(text, { file: 'Corefile', folder: '/', variables: {} })
  if (!parsed.ok) throw new Error(parsed.problem.message)
  const directive = parsed.value.blocks[0]!.directives[0]!
  const reader = new DirectiveReader(directive)
  const rules = directive.properties.map(line => readRule(reader, line))
  const read = reader.finish(() => rules)
  if (!read.ok) throw new Error(read.problem.message)
  return read.value
}

const db: Asked = { name: 'db.stock.svc.cluster.local.', inCluster: true, namespace: 'stock' }
const apex: Asked = { name: 'cluster.local.', inCluster: true, namespace: undefined }
const outside: Asked = { name: 'www.example.org.', inCluster: false, namespace: undefined }

const labels: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  shop: { team: 'sales', tier: '' },
  stock: { team: 'sales' },
}

const isolated = ['allow to own namespace:shared', 'hide to cluster']

const cases: Readonly<
  Record<
    string,
    readonly [lines: string[], client: string | undefined, asked: Asked, outcome: ReturnType<typeof decide>]
  >
> = {
  'no line': [[], 'shop', db, 'allow'],
  'a line for everything': [['refuse'], 'shop', outside, 'refuse'],
  stars: [['hide from * to *'], undefined, apex, 'hide'],
  'from a namespace': [['hide from shop'], 'shop', db, 'hide'],
  'from another namespace': [['hide from shop'], 'stock', db, 'allow'],
  'from one of several': [['hide from lab shop to external'], 'shop', outside, 'hide'],
  'from unknown': [['refuse from unknown'], undefined, db, 'refuse'],
  'from unknown, but known': [['refuse from unknown'], 'shop', db, 'allow'],
  'to its own': [isolated, 'stock', db, 'allow'],
  'to another': [isolated, 'shop', db, 'hide'],
  'to the cluster’s own names': [isolated, 'shop', apex, 'allow'],
  'to the outside': [isolated, 'shop', outside, 'allow'],
  'to a namespace': [['refuse to namespace:stock'], 'shop', db, 'refuse'],
  'to a zone': [['hide to example.org'], 'shop', outside, 'hide'],
  'to another zone': [['hide to example.net'], 'shop', outside, 'allow'],
  'external is not the cluster': [['hide to external'], 'shop', db, 'allow'],
  'the first that fits': [['allow to example.org', 'refuse to external'], 'shop', outside, 'allow'],
  'from a label': [['hide from label:team=sales'], 'shop', db, 'hide'],
  'from a label with no value': [['hide from label:tier='], 'shop', db, 'hide'],
  'from another value of the label': [['hide from label:team=it'], 'shop', db, 'allow'],
  'from a label that nobody has': [['hide from label:constructor=sales'], 'shop', db, 'allow'],
  'to a label': [['hide to label:team=sales'], 'shop', db, 'hide'],
  'to a label, of a namespace that has none': [
    ['hide to label:team=sales'],
    'shop',
    { ...db, namespace: 'lab' },
    'allow',
  ],
  'to a label, outside': [['hide to label:team=sales'], 'shop', outside, 'allow'],
  'unknown, from a label': [['hide from label:team=sales'], undefined, db, 'unclear'],
  'unknown, where it matters': [isolated, undefined, db, 'unclear'],
  'unknown, where nothing depends on it': [isolated, undefined, outside, 'allow'],
  'unknown, where all lines say the same': [['hide to own', 'hide to cluster'], undefined, db, 'hide'],
  'unknown, and no line after': [['refuse from shop'], undefined, db, 'unclear'],
  'unknown, settled before': [['allow from unknown', ...isolated], undefined, db, 'allow'],
}

for (const [about, [lines, client, asked, outcome]] of Object.entries(cases))
  test(about, t =>
    t.is(decide(rulesOf(...lines), { namespace: client, labelsOf: name => labels[name] ?? {} }, asked), outcome),
  )

test('tells what is wrong', t => {
  const problem = (line: string) => t.throws(() => rulesOf(line))?.message ?? ''
  t.regex(problem('hide form shop'), /"form" is neither "from" nor "to"; did you mean "from"\?/)
  t.regex(problem('hide from'), /"from" needs a value/)
  t.regex(problem('hide from Shop'), /"Shop" is not the name of a namespace/)
  t.regex(problem('hide to namespace:a.b'), /"a.b" is not the name of a namespace/)
  t.regex(problem('hide to label:team'), /"label:team" is not a label/)
  t.regex(problem('hide to a..b'), /a\.\.b/)
})

/** What expressions may cost at worst: the numbers that Kubernetes 1.35 gives, for a schema with limits and one without. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { compile } from '#cluster/api/cel/compile.ts'
import { celType } from '#cluster/api/custom/cel-type.ts'
import { declaredSizes, mostOften } from '#cluster/api/custom/declared-sizes.ts'
import { readSchema, type SchemaProps } from '#cluster/api/custom/schema.ts'
import { PROPERTIES } from '../../../apiserver/oracle/expressions.ts'
import { unlimited } from './unlimited.ts'

/** Beyond what numbers count one by one, and far beyond every limit. */
const BEYOND = 2 ** 52

const worst = (rule: string, props: SchemaProps): number => {
  const schema = readSchema(props)
  const self = celType(schema, false)
  const declared = declaredSizes(schema, false)
  if (!self || !declared) throw new Error('no such type')
  const compiled = compile(rule, { self, oldSelf: self }, { declared })
  if (!compiled.ok) throw new Error(`${rule}: ${compiled.problem}`)
  return compiled.value.worst
}

const lines = readFileSync(new URL('./estimates.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')

test('an expression is estimated to cost what Kubernetes says', t => {
  const schemas = [PROPERTIES, unlimited(PROPERTIES)].map(properties => ({ type: 'object', properties }))
  for (const line of lines) {
    const [, ...told] = /^(\S+) (\S+) (.*)$/.exec(line) ?? []
    const rule = told.pop() ?? ''
    const actual = schemas.map(props => worst(rule, props)).map(cost => (cost > BEYOND ? 'beyond' : String(cost)))
    t.deepEqual(actual, told, rule)
  }
  t.true(lines.length > 250)
})

test('without sizes nothing is estimated', t => {
  const compiled = compile('[1, 2].all(x, x > 1)', {})
  t.is(compiled.ok && compiled.value.worst, 0)
})

test('what must be there makes things larger, and fewer of them fit a request', t => {
  const text = { type: 'string' }
  const sizes = (props: SchemaProps) => declaredSizes(readSchema(props), false)!
  const both = { type: 'object', properties: { name: text, more: text }, required: ['name', 'more'] }
  const filled = { ...both, properties: { name: text, more: { ...text, default: 'a' } } }
  const shortest = [text, { type: 'integer' }, { type: 'boolean' }, { type: 'object' }, both, filled].map(
    props => sizes(props).shortest,
  )
  // "" 0 true {} {"name":"","more":"",} {"name":"",}
  t.deepEqual(shortest, [2, 1, 4, 2, 22, 12])
  t.is(mostOften(sizes(both)), Math.floor((3 * 1024 * 1024) / 23))
  t.is(sizes({ type: 'array', items: both }).most, Math.floor((3 * 1024 * 1024 - 2) / 23))
  t.is(sizes({ type: 'object', additionalProperties: both }).most, Math.floor((3 * 1024 * 1024 - 2) / 28))
})

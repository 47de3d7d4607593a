/** The structured merge on its own: values and sets, without objects, requests or times. */
import test from 'ava'
import fc from 'fast-check'
import { checkConfiguration } from '#cluster/apiserver/apply/check-configuration.ts'
import { compare } from '#cluster/apiserver/apply/compare.ts'
import { difference, type FieldSet, isEmptySet, ordered, pathsOf, union } from '#cluster/apiserver/apply/field-set.ts'
import { fieldsOf } from '#cluster/apiserver/apply/fields-of.ts'
import { merge } from '#cluster/apiserver/apply/merge.ts'
import { DEDUCED, structRule } from '#cluster/apiserver/apply/merge-rule.ts'
import { removeFields } from '#cluster/apiserver/apply/remove-fields.ts'
import { ofType } from '../../../support/arbitrary-object.ts'

const POD = 'core/v1.Pod'
const rule = structRule(POD)
/** Pods that fit their type: no item of a list twice. */
const pods = ofType(POD, 4)
  .map(pod => JSON.parse(JSON.stringify(pod)) as Record<string, unknown>)
  .filter(pod => checkConfiguration(pod, POD) === undefined)

const container = (name: string, fields: object = {}) => ({ name, ...fields })
const pod = (...containers: object[]) => ({ spec: { containers } })
const names = (value: unknown) =>
  (value as { spec: { containers: { name: string }[] } }).spec.containers.map(({ name }) => name)

test('nothing differs from itself', t => {
  fc.assert(
    fc.property(pods, value => {
      const { added, modified, removed } = compare(value, structuredClone(value), rule)
      t.true([added, modified, removed].every(isEmptySet))
    }),
  )
})

test('what one comparison calls added, the reverse calls removed', t => {
  fc.assert(
    fc.property(pods, pods, (a, b) => {
      const [there, back] = [compare(a, b, rule), compare(b, a, rule)]
      t.deepEqual(ordered(there.added), ordered(back.removed))
      t.deepEqual(ordered(there.modified), ordered(back.modified))
    }),
  )
})

test('merging is idempotent, and the result has what the configuration names', t => {
  fc.assert(
    fc.property(pods, pods, (current, applied) => {
      const once = merge(current, applied, rule)
      t.deepEqual(merge(once, applied, rule), once)
      const missing = difference(fieldsOf(applied, rule), fieldsOf(once, rule))
      // An empty map over one that is not leaves it as it is.
      t.deepEqual(
        pathsOf(missing).filter(path => hasValue(applied, path)),
        [],
      )
      const { added, modified } = compare(once, merge(once, applied, rule), rule)
      t.true(isEmptySet(union(added, modified)))
    }),
  )
})

test('merging nothing changes nothing, and no merge takes a field away', t => {
  fc.assert(
    fc.property(pods, pods, (current, applied) => {
      const { removed } = compare(current, merge(current, applied, rule) ?? {}, rule)
      const nulls = fieldsOf(applied, rule)
      t.deepEqual(pathsOf(difference(removed, nulls)), [])
      t.deepEqual(merge(current, {}, rule) ?? {}, current)
    }),
  )
})

test('removing all fields leaves none, and arguments stay as they are', t => {
  fc.assert(
    fc.property(pods, value => {
      const before = JSON.stringify(value)
      const left = removeFields(value, fieldsOf(value, rule), rule)
      t.is(JSON.stringify(value), before)
      const kept = pathsOf(fieldsOf(left, rule)).filter(path => hasValue(left, path))
      t.deepEqual(kept, [])
    }),
  )
})

/** Whether something besides null stands there. */
const hasValue = (value: unknown, path: readonly string[]): boolean => {
  let at: unknown = value
  for (const element of path) {
    if (!element.startsWith('f:') || typeof at !== 'object' || at === null) return false
    at = (at as Record<string, unknown>)[element.slice(2)]
  }
  return at !== null && at !== undefined && !(typeof at === 'object' && Object.keys(at).length === 0)
}

test('lists: the configuration’s order among its items, neighbours kept', t => {
  const order = (current: string, applied: string) => {
    const value = (text: string) => pod(...[...text].map(name => container(name)))
    return names(merge(value(current), value(applied), rule)).join('')
  }
  t.is(order('abc', 'abc'), 'abc')
  t.is(order('abc', 'cba'), 'cba')
  t.is(order('abc', 'b'), 'abc')
  t.is(order('ab', 'cd'), 'abcd')
  t.is(order('abcd', 'db'), 'acdb')
  t.is(order('axb', 'ba'), 'xba')
})

test('a comparison tells the whole besides its parts where it came or went', t => {
  const before = pod(container('a', { image: 'x' }))
  const after = pod(container('a', { image: 'y' }), container('b', { image: 'z', resources: {} }))
  const b: FieldSet = { '.': {}, 'f:image': {}, 'f:name': {}, 'f:resources': {} }
  const { added, modified, removed } = compare(before, after, rule)
  t.deepEqual(ordered(added), { 'f:spec': { 'f:containers': { 'k:{"name":"b"}': b } } })
  t.deepEqual(modified, { 'f:spec': { 'f:containers': { 'k:{"name":"a"}': { 'f:image': {} } } } })
  t.deepEqual(removed, {})
})

test('of what no type knows, an object that comes for something else is told besides its fields', t => {
  const [list, map] = [{ a: [1] }, { a: { x: 1 } }]
  t.is(pathsOf(compare(list, map, DEDUCED).added).length, 1)
  t.false(isEmptySet(compare(list, map, DEDUCED).modified))
  t.deepEqual(ordered(compare(map, list, DEDUCED).removed), ordered(compare(list, map, DEDUCED).added))
  t.deepEqual(ordered(compare(map, list, DEDUCED).modified), ordered(compare(list, map, DEDUCED).modified))
})

test('keys that an item lacks are their defaults', t => {
  const value = pod(container('a', { ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }] }))
  const ports = [
    'f:spec f:containers k:{"name":"a"} f:ports k:{"containerPort":80,"protocol":"TCP"}',
    'f:spec f:containers k:{"name":"a"} f:ports k:{"containerPort":80,"protocol":"UDP"}',
  ]
  const found = pathsOf(fieldsOf(value, rule)).map(steps => steps.join(' '))
  for (const port of ports) t.true(found.includes(port))
})

test('duplicates are one whole until they are none', t => {
  const item = 'k:{"name":"a"}'
  const at = (set: FieldSet) => set['f:spec']?.['f:containers']?.[item]
  const twice = pod(container('a', { image: 'x' }), container('a', { image: 'y' }))
  const once = pod(container('a', { image: 'x' }))
  t.deepEqual(at(compare(once, twice, rule).added), {})
  t.deepEqual(at(compare(twice, once, rule).removed), {})
  t.deepEqual(compare(twice, structuredClone(twice), rule).modified, {})
  t.deepEqual(at(fieldsOf(twice, rule)), {})
})

const problem = (value: unknown, type = POD) => checkConfiguration(value, type)

test('a configuration that does not fit is told in the words that people know', t => {
  t.is(problem({ spec: { containers: [{ name: 'a' }] } }), undefined)
  t.is(problem({ spec: { nodename: 'x' } }), '.spec.nodename: field not declared in schema')
  t.is(problem({ spec: 'x' }), '.spec: expected map, got &{x}')
  t.is(problem({ spec: { containers: {} } }), '.spec.containers: expected list, got &{map[]}')
  t.is(problem({ spec: { priority: 'x' } }), '.spec.priority: expected numeric (int or float), got string')
  t.is(problem({ spec: { hostNetwork: 'x' } }), '.spec.hostNetwork: expected boolean, got &{x}')
  t.is(
    problem({ data: { a: 1 } }, 'core/v1.ConfigMap'),
    '.data.a: expected string, got &value.valueUnstructured{Value:1}',
  )
  t.is(problem(pod(container('a'), container('a'))), '.spec.containers: duplicate entries for key [name="a"]')
  t.is(
    problem(pod({ image: 'x' })),
    '.spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key fields)',
  )
  t.is(
    problem({ spec: { tolerations: [{ x: 1 }] }, status: 1 }),
    'errors:\n  .spec.tolerations[0].x: field not declared in schema\n  .status: expected map, got &{1}',
  )
})

test('nothing that strangers apply makes the check throw', t => {
  fc.assert(fc.property(fc.jsonValue(), value => void problem(value)))
  t.pass()
})

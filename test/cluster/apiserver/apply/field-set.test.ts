import test from 'ava'
import fc from 'fast-check'
import {
  asMember,
  difference,
  differenceBelow,
  type FieldSet,
  fieldSet,
  hasPath,
  intersection,
  NO_FIELDS,
  ordered,
  pathsOf,
  union,
} from '#cluster/apiserver/apply/field-set.ts'
import { describePath, sortElements } from '#cluster/apiserver/apply/path-element.ts'
import { readFieldSet } from '#cluster/apiserver/apply/read-field-set.ts'

const element = fc.constantFrom(
  'f:a',
  'f:b',
  'f:__proto__',
  'k:{"name":"x"}',
  'k:{"containerPort":80,"protocol":"TCP"}',
  'k:{"containerPort":8080,"protocol":"TCP"}',
  'v:"x"',
  'v:9',
  'v:80',
  'v:true',
  'i:0',
)
const path = fc.array(element, { minLength: 1, maxLength: 4 })
const paths = fc.array(path, { maxLength: 8 })
const sets = paths.map(fieldSet)

const keyOf = (steps: readonly string[]): string => steps.join(' ')
const members = (set: FieldSet): string[] => pathsOf(set).map(keyOf).sort()
const distinct = (texts: readonly string[]): string[] => [...new Set(texts)].sort()
const equal = (a: FieldSet, b: FieldSet): boolean => JSON.stringify(ordered(a)) === JSON.stringify(ordered(b))
const startsWith = (long: string, short: string): boolean => long === short || long.startsWith(`${short} `)

test('a set holds the paths that it was made of, and no other', t => {
  fc.assert(
    fc.property(paths, path, (given, other) => {
      const set = fieldSet(given)
      t.deepEqual(members(set), distinct(given.map(keyOf)))
      for (const steps of given) t.true(hasPath(set, steps))
      t.is(
        hasPath(set, other),
        given.some(steps => keyOf(steps) === keyOf(other)),
      )
    }),
  )
})

test('a set survives being written and read', t => {
  fc.assert(
    fc.property(sets, set => {
      const read = readFieldSet(JSON.parse(JSON.stringify(ordered(set))))
      t.deepEqual(read && members(read), members(set))
    }),
  )
})

test('union, intersection and difference are those of the sets of paths', t => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      const [left, right] = [members(a), members(b)]
      t.deepEqual(members(union(a, b)), distinct([...left, ...right]))
      t.deepEqual(
        members(intersection(a, b)),
        left.filter(steps => right.includes(steps)),
      )
      t.deepEqual(
        members(difference(a, b)),
        left.filter(steps => !right.includes(steps)),
      )
    }),
  )
})

test('laws: union and intersection commute, the parts make the whole, nothing owned is lost', t => {
  fc.assert(
    fc.property(sets, sets, sets, (a, b, c) => {
      t.true(equal(union(a, b), union(b, a)))
      t.true(equal(union(a, union(b, c)), union(union(a, b), c)))
      t.true(equal(intersection(a, b), intersection(b, a)))
      t.true(equal(union(difference(a, b), intersection(a, b)), a))
      t.true(equal(difference(a, a), NO_FIELDS))
      t.true(equal(union(a, NO_FIELDS), a))
    }),
  )
})

test('a difference below takes members with all that lies under them', t => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      const gone = members(b)
      const kept = members(a).filter(steps => !gone.some(other => startsWith(steps, other)))
      t.deepEqual(members(differenceBelow(a, b)), kept)
    }),
  )
})

test('operands stay as they are', t => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      const before = JSON.stringify([a, b])
      for (const operation of [union, intersection, difference, differenceBelow]) operation(a, b)
      ordered(a)
      asMember(a)
      t.is(JSON.stringify([a, b]), before)
    }),
  )
})

test('steps stand in the order of FieldsV1', t => {
  const set = fieldSet(
    [
      'v:"b"',
      'v:"a"',
      'v:9',
      'v:80',
      'v:true',
      'i:10',
      'i:9',
      'k:{"port":8080}',
      'k:{"port":80,"protocol":"UDP"}',
      'k:{"port":80,"protocol":"TCP"}',
      'k:{"port":80}',
      'f:b',
      'f:a',
      'f:B',
    ].map(step => [step]),
  )
  t.deepEqual(Object.keys(ordered(set)), [
    'f:B',
    'f:a',
    'f:b',
    'k:{"port":80}',
    'k:{"port":80,"protocol":"TCP"}',
    'k:{"port":80,"protocol":"UDP"}',
    'k:{"port":8080}',
    'v:9',
    'v:80',
    'v:"a"',
    'v:"b"',
    'v:true',
    'i:9',
    'i:10',
  ])
})

test('the order of steps does not depend on how they came', t => {
  fc.assert(
    fc.property(fc.uniqueArray(element), steps => {
      t.deepEqual(sortElements(steps.toReversed()), sortElements(steps))
    }),
  )
})

test('what strangers send: one spelling a step, unknown kinds left out, nonsense refused', t => {
  t.deepEqual(readFieldSet({ 'k:{"b":1, "a":2}': {}, 'k:{"a":2,"b":1}': { 'f:x': {} } }), {
    'k:{"a":2,"b":1}': { '.': {}, 'f:x': {} },
  })
  t.deepEqual(readFieldSet({ 'f:a': { 'z:new': {} }, '.': {} }), { 'f:a': {} })
  t.deepEqual(readFieldSet({ 'f:a': null }), { 'f:a': {} })
  t.deepEqual(readFieldSet({ 'f:a': { '.': {}, 'f:b': {} } }), { 'f:a': { '.': {}, 'f:b': {} } })
  const nonsense = [{ a: {} }, { f: {} }, { 'f:a': 1 }, { 'k:[]': {} }, { 'v:': {} }, { 'i:x': {} }, [], 'f:a', 1]
  for (const value of nonsense) t.is(readFieldSet(value), undefined, JSON.stringify(value))
  t.is(readFieldSet(JSON.parse('{"__proto__":{}}')), undefined)
  fc.assert(fc.property(fc.jsonValue(), value => void readFieldSet(value)))
})

test('a path is told as errors tell it', t => {
  const steps = ['f:spec', 'f:ports', 'k:{"protocol":"TCP","port":80}', 'f:name', 'v:"x"', 'i:3']
  t.is(describePath(steps), '.spec.ports[port=80,protocol="TCP"].name[="x"][3]')
})

import test from 'ava'
import fc from 'fast-check'
import { BadStreamError, JsonLines } from '#watcher/json-lines.ts'
import { JsonList } from '#watcher/json-list.ts'

/** The same bytes, cut anywhere. */
const cut = (text: string, places: readonly number[]): Buffer[] => {
  const bytes = Buffer.from(text)
  const sorted = [...new Set(places.map(place => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted].map((start, index) => bytes.subarray(start, sorted[index] ?? bytes.length))
}

// JSON.stringify turns -0 into 0.
const json = fc.jsonValue().map(value => JSON.parse(JSON.stringify(value)))
const awkward = fc.constantFrom('"items":[', '\\', '\\"', '}', ']', '{', 'é', '😀', '\u2028', 'items', '\n')
// V8 of Node 24 reads a key that begins with an escape as the key "\\" once it has seen that one: not ours to test.
const key = fc.oneof(fc.string(), awkward).filter(text => text !== '\\')
const object = fc
  .dictionary(key, fc.oneof(json, awkward), { noNullPrototype: true })
  .map(value => JSON.parse(JSON.stringify(value)))
const cuts = fc.array(fc.nat(10_000), { maxLength: 30 })

test('lines: values come out whole and in order wherever the bytes are cut', t => {
  fc.assert(
    fc.property(fc.array(object), cuts, fc.boolean(), (values, places, lastNewline) => {
      const text = values.map(value => JSON.stringify(value)).join('\n') + (lastNewline ? '\n' : '')
      const seen: unknown[] = []
      const lines = new JsonLines(value => seen.push(value))
      for (const chunk of cut(text, places)) lines.push(chunk)
      lines.end()
      t.deepEqual(seen, values)
    }),
  )
})

test('lines: a value is told in the call that brings its newline', t => {
  const seen: unknown[] = []
  const lines = new JsonLines(value => seen.push(value))
  lines.push(Buffer.from('{"a":1'))
  t.deepEqual(seen, [])
  lines.push(Buffer.from('}\n{"b":2}\n{"c"'))
  t.deepEqual(seen, [{ a: 1 }, { b: 2 }])
})

test('lines: half a last line is dropped, no JSON and too long lines end the stream', t => {
  const lines = new JsonLines(() => t.fail(), 100)
  lines.push(Buffer.from('{"a":'))
  t.notThrows(() => lines.end())
  t.throws(() => lines.push(Buffer.from('nonsense\n')), { instanceOf: BadStreamError, message: /no JSON/ })
  t.throws(() => lines.push(Buffer.alloc(101, 'x')), { instanceOf: BadStreamError, message: /longer than 100/ })
  const inTwo = new JsonLines(() => t.fail(), 100)
  inTwo.push(Buffer.alloc(60, 'x'))
  t.throws(() => inTwo.push(Buffer.from(`${'x'.repeat(60)}\n`)), { message: /longer than 100/ })
})

test('lists: items come out one by one, the rest at the end, wherever the bytes are cut and whatever is around', t => {
  fc.assert(
    fc.property(
      object,
      fc.array(object),
      object,
      fc.constantFrom(undefined, 1, '\t'),
      cuts,
      (a, items, z, space, at) => {
        const { items: _a, ...before } = a
        const { items: _z, ...after } = z
        const list = { ...before, items, metadata: { resourceVersion: '7', ...before }, ...after }
        const seen: unknown[] = []
        const scanner = new JsonList(item => seen.push(item))
        for (const chunk of cut(JSON.stringify(list, null, space), at)) scanner.push(chunk)
        // As text: copying an object with a key `__proto__` would test the copying.
        t.is(JSON.stringify(scanner.end()), JSON.stringify({ ...list, items: [] }))
        t.deepEqual(seen, items)
      },
    ),
    { numRuns: 500 },
  )
})

test('lists: null items, no items, an object named items inside', t => {
  const read = (text: string) => {
    const items: unknown[] = []
    const scanner = new JsonList(item => items.push(item))
    scanner.push(Buffer.from(text))
    return { rest: scanner.end(), items }
  }
  t.deepEqual(read('{"items":null,"kind":"L"}'), { rest: { items: null, kind: 'L' }, items: [] })
  t.deepEqual(read('{"kind":"L"}'), { rest: { kind: 'L' }, items: [] })
  t.deepEqual(read('{"metadata":{"items":[{"a":1}]},"items":[{"b":{"items":[{}]}}]}'), {
    rest: { metadata: { items: [{ a: 1 }] }, items: [] },
    items: [{ b: { items: [{}] } }],
  })
})

test('lists: what is cut off, no JSON, or too long is refused', t => {
  const feed = (text: string, maximum?: number) => {
    const scanner = new JsonList(() => {}, maximum)
    scanner.push(Buffer.from(text))
    return scanner.end()
  }
  for (const text of [
    '',
    '{"items":[{"a":1}',
    '{"items":[{"a":',
    '{"items":[1]}',
    '{"items":[{x}]}',
    '{"a":"',
    '<html>',
  ]) {
    t.throws(() => feed(text), { instanceOf: BadStreamError }, text)
  }
  t.throws(() => feed(`{"items":[{"a":"${'x'.repeat(200)}"}]}`, 100), { message: /longer than 100/ })
  t.throws(() => feed(`{"a":"${'x'.repeat(200)}"}`, 100), { message: /longer than 100/ })
})

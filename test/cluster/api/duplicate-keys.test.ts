import test from 'ava'
import fc from 'fast-check'
import { findDuplicates } from '#cluster/api/duplicate-keys.ts'

const scan = (text: string) => findDuplicates(text, JSON.parse(text), 100)

const cases: readonly [string, readonly string[], number][] = [
  ['1', [], 0],
  ['{}', [], 1],
  ['{"a":1,"b":1}', [], 1],
  ['{"a":1,"a":1}', ['a'], 1],
  ['{"a":1,"a":1,"a":2}', ['a'], 1],
  ['{"a":{"b":1,"b":2},"c":[{"d":1},{"d":1,"d":2}]}', ['a.b', 'c[1].d'], 3],
  ['{"a":"a","b":"a"}', [], 1],
  ['{"a":"{:,[","b":":"}', [], 1],
  ['{"__proto__":{"a":1},"b":1}', [], 2],
  ['{"__proto__":1,"__proto__":2}', ['__proto__'], 1],
  ['{"a":["a","a"]}', [], 2],
  ['{"\\u0061":1,"a":2}', ['a'], 1],
  ['{"a\\"":1,"a\\\\":2,"a\\"":3}', ['a"'], 1],
  ['{"a":"\\\\","a":"{\\"a\\":1,\\"a\\":2}"}', ['a'], 1],
  ['[[{"x":[[1],{"y":1,"y":1}]}]]', ['[0][0].x[1].y'], 5],
]

for (const [text, duplicates, depth] of cases) {
  test(text, t => t.deepEqual(scan(text), { duplicates: [...duplicates], depth }))
}

test('JSON that was made of a value has no repeated key', t => {
  fc.assert(fc.property(fc.json(), text => scan(text).duplicates.length === 0))
  t.pass()
})

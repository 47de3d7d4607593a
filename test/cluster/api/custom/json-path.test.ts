import test from 'ava'
import { compileJsonPath } from '#cluster/api/custom/json-path.ts'

const OBJECT = {
  status: {
    conditions: [
      { type: 'Ready', status: 'True', age: 3 },
      { type: 'Odd == name', status: 'False', age: 9 },
    ],
  },
}

const CASES: readonly (readonly [string, readonly unknown[]])[] = [
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  ["{.status.conditions[?( @.type == 'Odd == name' )].status}".slice(1, -1), ['False']],
  ['.status.conditions[?(@.age>=4)].type', ['Odd == name']],
  ['.status.conditions[?(@.age<4)].type', ['Ready']],
  ['.status.conditions[?(@.none)].type', []],
  ['.status.conditions[?(@.status)].type', ['Ready', 'Odd == name']],
  ['.status.conditions[?(@.type==)].type', []],
  ['.status.conditions[?(=="Ready")].type', []],
  ['.status.conditions[?].type', []],
]

test('a filter compares a field with a value, or asks whether it is there', t => {
  for (const [path, found] of CASES) t.deepEqual(compileJsonPath(path)(OBJECT), found, path)
})

test('a path of any length is read once', t => {
  const gap = ' '.repeat(500_000)
  t.deepEqual(compileJsonPath(`.status.conditions[?(${gap}!${gap}>${gap}<${gap}<=)].type`)(OBJECT), [])
  t.deepEqual(compileJsonPath(`.status.conditions[?(${gap}@.type${gap}==${gap}"Ready"${gap})].age`)(OBJECT), [3])
})

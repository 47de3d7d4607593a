import test from 'ava'
import { jsonPatch } from '#cluster/apiserver/patches/json.ts'

const current = { metadata: { name: 'a', labels: { x: '1' } }, spec: { ports: [{ port: 80 }, { port: 81 }] } }

test('operations apply in order, and the object given stays as it was', t => {
  const before = structuredClone(current)
  const result = jsonPatch.apply(
    current,
    [
      { op: 'test', path: '/metadata/name', value: 'a' },
      { op: 'add', path: '/metadata/labels/a~1b', value: '2' },
      { op: 'remove', path: '/spec/ports/0' },
      { op: 'replace', path: '/spec/ports/0/port', value: 82 },
      // As Kubernetes: a member of an object need not be there.
      { op: 'replace', path: '/metadata/namespace', value: 'b' },
      { op: 'copy', from: '/metadata/labels/x', path: '/metadata/labels/y' },
      { op: 'move', from: '/metadata/labels/x', path: '/metadata/labels/z' },
    ],
    'core/v1.Service',
  )
  t.deepEqual(result, {
    ok: true,
    value: {
      metadata: { name: 'a', namespace: 'b', labels: { 'a/b': '2', y: '1', z: '1' } },
      spec: { ports: [{ port: 82 }] },
    },
  })
  t.deepEqual(current, before)
})

const refusals: readonly [string, unknown, number][] = [
  ['a failed test', [{ op: 'test', path: '/metadata/name', value: 'b' }], 422],
  ['removal of what is not there', [{ op: 'remove', path: '/spec/none' }], 422],
  ['replacement below what is not there', [{ op: 'replace', path: '/spec/none/deep', value: 1 }], 422],
  ['replacement of what a list does not have', [{ op: 'replace', path: '/spec/ports/2', value: {} }], 422],
  ['addition below what is not there', [{ op: 'add', path: '/spec/none/deep', value: 1 }], 422],
  ['an index out of bounds', [{ op: 'add', path: '/spec/ports/7', value: {} }], 422],
  ['a copy from nowhere', [{ op: 'copy', from: '/none', path: '/spec/x' }], 422],
  ['a move of the whole into itself', [{ op: 'move', from: '', path: '/spec/clusterIP' }], 422],
  ['a move of a part into itself', [{ op: 'move', from: '/spec', path: '/spec/ports/0/spec' }], 422],
  ['a way through a prototype', [{ op: 'add', path: '/__proto__/polluted', value: true }], 422],
  ['a way through a constructor', [{ op: 'add', path: '/constructor/prototype/polluted', value: true }], 422],
  ['removal of the whole', [{ op: 'remove', path: '' }], 422],
  ['a scalar for the whole', [{ op: 'replace', path: '', value: 1 }], 422],
  ['no list', { op: 'remove', path: '/spec' }, 400],
  ['no operation', [{ path: '/spec' }], 422],
  ['an unknown operation', [{ op: 'burn', path: '/spec' }], 422],
  ['a copy that does not say from where', [{ op: 'copy', path: '/spec' }], 422],
  ['an operation that is nothing', [null], 422],
  ['operations that are no objects', [1], 400],
]

for (const [title, patch, code] of refusals) {
  test(`${title} is refused with ${code}`, t => {
    const result = jsonPatch.apply(current, patch, 'core/v1.Service')
    t.false(result.ok)
    if (!result.ok) t.is(result.problem.code, code)
    t.is((Object.prototype as Record<string, unknown>).polluted, undefined)
  })
}

test('10,000 operations are taken, one more is too large', t => {
  const operations = (count: number) =>
    Array.from({ length: count }, () => ({ op: 'test', path: '/metadata/name', value: 'a' }))
  t.true(jsonPatch.apply(current, operations(10_000), '').ok)
  const result = jsonPatch.apply(current, operations(10_001), '')
  t.false(result.ok)
  if (!result.ok) {
    t.is(result.problem.code, 413)
    t.is(
      result.problem.message,
      'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    )
  }
})

test('copies that double the object end before memory does', t => {
  const operations = Array.from({ length: 60 }, (_, index) => ({
    op: 'copy',
    from: '/spec',
    path: `/spec/copy${index}`,
  }))
  const result = jsonPatch.apply(current, operations, '')
  t.false(result.ok)
  if (!result.ok) t.is(result.problem.code, 413)
})

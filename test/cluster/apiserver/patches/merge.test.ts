import test from 'ava'
import { mergePatch } from '#cluster/apiserver/patches/merge.ts'

/** RFC 7386 Appendix A, the rows whose result is an object. */
const cases: readonly [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

for (const [current, patch, expected] of cases) {
  test(`${JSON.stringify(current)} with ${JSON.stringify(patch)}`, t => {
    const before = structuredClone({ current, patch })
    t.deepEqual(mergePatch.apply(current, patch, ''), { ok: true, value: expected })
    t.deepEqual({ current, patch }, before)
  })
}

test('what is no object, and what names a prototype, is refused', t => {
  for (const patch of [null, [], 'x', JSON.parse('{"a":{"__proto__":{"polluted":1}}}'), { constructor: {} }]) {
    const result = mergePatch.apply({}, patch, '')
    t.false(result.ok)
    if (!result.ok) t.is(result.problem.code, 400)
  }
  t.is((Object.prototype as Record<string, unknown>).polluted, undefined)
})

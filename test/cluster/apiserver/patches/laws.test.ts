import test from 'ava'
import fc from 'fast-check'
import { PATCH_FORMATS } from '#cluster/apiserver/patches/index.ts'
import { strategicMergePatch } from '#cluster/apiserver/patches/strategic.ts'
import { ofType } from '../../../support/arbitrary-object.ts'

const TYPE = 'core/v1.Pod'
const pods = ofType(TYPE, 4).map(pod => JSON.parse(JSON.stringify(pod)) as Record<string, unknown>)
const directive = fc.constantFrom(
  '$patch',
  '$retainKeys',
  '$setElementOrder/containers',
  '$deleteFromPrimitiveList/finalizers',
  'containers',
  'name',
  'labels',
  '__proto__',
)

test('no patch makes a format throw, change its arguments or reach a prototype', t => {
  const patch = fc.oneof(
    fc.jsonValue(),
    fc.record({ spec: fc.dictionary(directive, fc.jsonValue()), metadata: fc.dictionary(directive, fc.jsonValue()) }),
    pods,
  )
  fc.assert(
    fc.property(pods, patch, fc.constantFrom(...PATCH_FORMATS), (current, given, format) => {
      const before = JSON.stringify([current, given])
      format.apply(current, given, TYPE)
      t.is(JSON.stringify([current, given]), before)
      t.deepEqual(Object.keys(Object.prototype), [])
    }),
    { numRuns: 300 },
  )
})

test('an empty strategic patch changes nothing', t => {
  fc.assert(
    fc.property(pods, current => {
      t.deepEqual(strategicMergePatch.apply(current, {}, TYPE), { ok: true, value: current })
    }),
  )
})

test('a strategic patch applied twice is the same as once', t => {
  const list = fc.uniqueArray(fc.constantFrom<string>('a', 'b', 'c', 'd'), { maxLength: 4 })
  const containers = list.map(names => names.map((name, index) => ({ name, image: `i:${index}` })))
  fc.assert(
    fc.property(containers, containers, (before, after) => {
      const patch = { spec: { '$setElementOrder/containers': after.map(({ name }) => ({ name })), containers: after } }
      const once = strategicMergePatch.apply({ spec: { containers: before } }, patch, TYPE)
      t.true(once.ok)
      if (!once.ok) return
      t.deepEqual(strategicMergePatch.apply(once.value, patch, TYPE), once)
      const names = (once.value.spec as { containers?: { name: string }[] }).containers?.map(({ name }) => name) ?? []
      t.deepEqual(names.toSorted(), [...new Set([...before, ...after].map(({ name }) => name))].sort())
      const wanted = after.map(({ name }) => name)
      t.deepEqual(
        names.filter(name => wanted.includes(name)),
        wanted,
        'the patch’s order holds among its items',
      )
    }),
  )
})

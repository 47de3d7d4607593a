import test from 'ava'
import fc from 'fast-check'
import type { Kind } from '#cluster/api/kind.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { managedFieldsAfterUpdate } from '#cluster/apiserver/apply/field-manager.ts'
import { shapeOf } from '#cluster/apiserver/apply/object-shape.ts'

const same: readonly [unknown, unknown][] = [
  [{ a: 'one' }, { a: 'another' }],
  [{ a: 1 }, { a: 2 }],
  [{ a: { b: 'one' } }, { a: { b: 'two' } }],
  [{ a: [{ b: 'one' }] }, { a: [{ b: 'one' }] }],
]

const different: readonly [unknown, unknown][] = [
  [{ a: 'one' }, { b: 'one' }],
  [{ a: 'one' }, { a: '' }],
  [{ a: 'one' }, { a: '0' }],
  [{ a: 'one' }, { a: '0s' }],
  [{ a: 1 }, { a: 0 }],
  [{ a: 1 }, { a: 'one' }],
  [{ a: true }, { a: false }],
  [{ a: 'one' }, { a: null }],
  [{ a: {} }, { a: [] }],
  [{ a: [] }, { a: [''] }],
  [{ a: ['one'] }, { a: ['two'] }],
  [{ a: [1] }, { a: [2] }],
  [{ a: ['b', 'c'] }, { a: ['b1:c'] }],
  [{ a: [{ b: 'one' }] }, { a: [{ b: 'two' }] }],
  [{ a: 'ab' }, { a: 'one', ab: 'one' }],
  [{ a: 'long', b: 'long' }, { 'a$1:b': 'long' }],
  [{ a: { b: 'long' } }, { a: {}, b: 'long' }],
]

test('values that have the same fields have the same shape, whatever stands in them', t => {
  for (const [left, right] of same) t.is(shapeOf(left as object), shapeOf(right as object))
  for (const [left, right] of different)
    t.not(shapeOf(left as object), shapeOf(right as object), JSON.stringify([left, right]))
})

const text = fc.constantFrom('', '0', '0s', 'x', 'TCP', 'another')
const number = fc.constantFrom(0, 1, 80)
const optional = <T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) => fc.record(model, { requiredKeys: [] })
const metadata = optional({
  name: text,
  generateName: text,
  labels: fc.dictionary(text, text, { maxKeys: 3 }),
  finalizers: fc.array(text, { maxLength: 3 }),
  ownerReferences: fc.array(optional({ uid: text, name: text, controller: fc.boolean() }), { maxLength: 2 }),
  generation: number,
})
const ports = fc.array(
  optional({ name: text, port: number, containerPort: number, protocol: text, targetPort: fc.oneof(number, text) }),
  { maxLength: 3 },
)
const spec = optional({
  hostNetwork: fc.boolean(),
  nodeName: text,
  type: text,
  securityContext: fc.constant({}),
  selector: fc.dictionary(text, text, { maxKeys: 2 }),
  externalIPs: fc.array(text, { maxLength: 3 }),
  terminationGracePeriodSeconds: number,
  ports,
  containers: fc.array(
    optional({
      name: text,
      image: text,
      ports,
      command: fc.array(text, { maxLength: 2 }),
      resources: optional({ limits: fc.dictionary(text, text, { maxKeys: 2 }) }),
    }),
    { maxLength: 2 },
  ),
})

const ownersOf = (kind: Kind, object: ApiObject) =>
  managedFieldsAfterUpdate(
    { kind, versions: [kind], subresource: undefined, manager: 'test', time: '2026-01-01T00:00:00Z' },
    undefined,
    object,
  )

test('what is remembered of a shape is what each object of that shape has by itself', t => {
  fc.assert(
    fc.property(fc.constantFrom(podKind, serviceKind), metadata, spec, (kind, meta, body) => {
      const object = { apiVersion: 'v1', kind: kind.kind, metadata: meta, spec: body } as unknown as ApiObject
      // Who asks for owners to be forgotten has none before, and nothing is remembered of that.
      const forgetful = { ...object, metadata: { ...object.metadata, managedFields: [] } }
      t.deepEqual(ownersOf(kind, object), ownersOf(kind, forgetful))
      t.is(JSON.stringify(ownersOf(kind, object)), JSON.stringify(ownersOf(kind, forgetful)))
    }),
    { numRuns: 2000 },
  )
})

import test from 'ava'
import fc from 'fast-check'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import { encodeStored, StoredObject } from '#cluster/apiserver/storage/stored-object.ts'

const CONFIG_MAP = KINDS.find(kind => kind.resource === 'configmaps')!

const configMap = fc.record({
  name: fc.stringMatching(/^[a-z]{1,9}$/),
  annotations: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
  data: fc.dictionary(fc.string(), fc.string({ unit: 'binary' }), { maxKeys: 3 }),
  first: fc.nat(),
  later: fc.nat(),
})

test('law: the JSON says what the object is, at each of its versions', t => {
  fc.assert(
    fc.property(configMap, ({ name, annotations, data, first, later }) => {
      const metadata = { name, namespace: 'default', annotations }
      const written = { kind: 'ConfigMap', apiVersion: apiVersionOf(CONFIG_MAP), metadata, data } as ApiObject
      const value = encodeStored(CONFIG_MAP, written)
      const stored = StoredObject.decode(CONFIG_MAP, `default/${name}`, { value, modRevision: first })
      for (const [version, { json, object, itemTail }] of [
        [first, stored],
        [later, stored.at(later)],
        [first, stored.at(later).at(first)],
      ] as const) {
        const expected = JSON.stringify({ ...written, metadata: { resourceVersion: String(version), ...metadata } })
        t.is(json.toString(), expected)
        t.deepEqual(JSON.parse(expected), JSON.parse(JSON.stringify(object)))
        t.true(expected.endsWith(itemTail.toString()) && itemTail.toString().startsWith('"metadata":{'))
      }
    }),
  )
})

import test from 'ava'
import fc from 'fast-check'
import { decodeValue } from '#cluster/api/decode-value.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import { encodeStored, encodeWritten, StoredObject } from '#cluster/apiserver/storage/stored-object.ts'
import { ofType } from '../../../support/arbitrary-object.ts'
import { unicodeText } from '../../../support/unicode-text.ts'

const CONFIG_MAP = KINDS.find(kind => kind.resource === 'configmaps')!

const configMap = fc.record({
  name: fc.stringMatching(/^[a-z]{1,9}$/),
  annotations: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
  data: fc.dictionary(fc.string(), unicodeText(10), { maxKeys: 3 }),
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
      for (const [version, { json, object, itemTail, metadataJson }] of [
        [first, stored],
        [later, stored.at(later)],
        [first, stored.at(later).at(first)],
      ] as const) {
        const expected = JSON.stringify({ ...written, metadata: { resourceVersion: String(version), ...metadata } })
        t.is(json.toString(), expected)
        t.deepEqual(JSON.parse(expected), JSON.parse(JSON.stringify(object)))
        t.is(metadataJson.toString(), JSON.stringify(JSON.parse(expected).metadata))
        t.true(expected.endsWith(itemTail.toString()) && itemTail.toString().startsWith('"metadata":{'))
      }
    }),
  )
})

/** JSON knows no -0; what it would leave out silently shows here. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, inner) => (inner === undefined ? 'undefined' : inner)))

test('law: what this process has written is in memory as it would be read', t => {
  for (const kind of KINDS.filter(each => !each.storage)) {
    fc.assert(
      fc.property(ofType(kind.type, 4), given => {
        const decoded = decodeValue(given, kind.type)
        if (!decoded.ok) return
        const { value } = decoded.value
        const identity = { kind: kind.kind, apiVersion: apiVersionOf(kind) }
        const metadata = { ...(value.metadata as object | undefined), name: 'it' }
        const object = encodeObject<ApiObject>({ ...value, ...identity, metadata }, kind.type)
        const stored = StoredObject.decode(kind, 'it', { value: encodeWritten(kind, object), modRevision: 7 })
        t.is(stored.object, object, 'nothing is read')
        t.deepEqual(plain(stored.object), JSON.parse(stored.json.toString()))
        t.true(stored.isStoredAs(encodeStored(kind, object)))
      }),
      { numRuns: 30 },
    )
  }
})

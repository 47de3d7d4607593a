import test from 'ava'
import type { Converter, Kind } from '#cluster/api/kind.ts'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { unexplained } from '#cluster/api/status.ts'
import { servedObject, servedObjects, writtenObject } from '#cluster/apiserver/storage/served-objects.ts'
import { encodeStored, StoredObject } from '#cluster/apiserver/storage/stored-object.ts'
import { accepted, refused } from '#lib/result.ts'

const kindWith = (convert: Converter['convert']): Kind => ({
  ...configMapKind,
  storage: {
    group: '',
    resource: 'configmaps',
    toStored: object => ({ ...object }),
    fromStored: object => ({ ...object }),
    converter: { storedAs: 'v0', convert },
  },
})

const objectOf = (name: string, text: string): ApiObject =>
  ({ kind: 'ConfigMap', apiVersion: 'v0', metadata: { name, namespace: 'n' }, data: { text } }) as ApiObject

const storedOf = (kind: Kind, count: number, text = ''): StoredObject[] =>
  Array.from({ length: count }, (_, index) => {
    const value = encodeStored(kind, objectOf(`o${index}`, text))
    return StoredObject.decode(kind, `n/o${index}`, { value, modRevision: index + 1 })
  })

/** A webhook that does right, and the sizes of its reviews. */
const honest = () => {
  const sizes: number[] = []
  const kind = kindWith(async (objects, apiVersion) => {
    sizes.push(objects.length)
    return accepted(objects.map(object => ({ ...structuredClone(object), apiVersion, data: { converted: 'yes' } })))
  })
  return { kind, sizes }
}

test('objects are converted in order, by bounded reviews, once', async t => {
  const { kind, sizes } = honest()
  const stored = storedOf(kind, 1200)
  const served = await servedObjects(kind, stored)
  t.true(served.ok)
  if (!served.ok) return
  t.deepEqual(
    served.value.map(({ key, revision }) => [key, revision]),
    stored.map(({ key, revision }) => [key, revision]),
  )
  t.like(JSON.parse(served.value[7]!.json.toString()), {
    apiVersion: 'v1',
    metadata: { name: 'o7', resourceVersion: '8' },
    data: { converted: 'yes' },
  })
  t.true(Object.isFrozen(served.value[7]!.object.metadata))
  t.deepEqual(sizes, [500, 500, 200])
  const [one, other] = await Promise.all([servedObject(kind, stored[3]!), servedObject(kind, stored[3]!)])
  t.true(one.ok && other.ok && one.value === served.value[3] && other.value === one.value)
  t.is(sizes.length, 3)
})

test('a review is bounded in bytes as well; what is larger goes alone', async t => {
  const { kind, sizes } = honest()
  await servedObjects(kind, storedOf(kind, 10, 'x'.repeat(1_000_000)))
  t.deepEqual(sizes, [4, 4, 2])
  await servedObjects(kind, storedOf(kind, 2, 'x'.repeat(5_000_000)))
  t.deepEqual(sizes.slice(3), [1, 1])
})

test('what was converted is stored as what memory has, and what failed is tried again', async t => {
  let away = true
  const kind = kindWith(async (objects, apiVersion) =>
    away
      ? refused(unexplained('away'))
      : accepted(objects.map(object => ({ ...structuredClone(object), apiVersion, data: {} }))),
  )
  const [stored] = storedOf(kind, 1)
  t.like(await servedObject(kind, stored!), { ok: false, problem: { message: 'away' } })
  away = false
  const served = await servedObject(kind, stored!)
  t.true(served.ok && served.value.isStoredAs(encodeStored(kind, objectOf('o0', ''))))
  t.false(served.ok && served.value.isStoredAs(encodeStored(kind, objectOf('o0', 'other'))))
})

test('what is in the stored version already is written as it is', async t => {
  const { kind, sizes } = honest()
  const object = objectOf('a', '')
  const same = await writtenObject(kind, object)
  t.true(same.ok && same.value === object)
  t.like(await writtenObject(kind, { ...object, apiVersion: 'v1' }), { value: { apiVersion: 'v0' } })
  t.deepEqual(sizes, [1])
})

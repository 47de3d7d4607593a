import test from 'ava'
import fc from 'fast-check'
import { PbfWriter } from 'pbf'
import { decodeValue } from '#cluster/api/decode-value.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { KINDS } from '#cluster/api/kinds/index.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import { encodeMessage, envelope } from '#cluster/api/protobuf/encode.ts'
import { listMetadata } from '#cluster/apiserver/forms/form.ts'
import { partialMetadata, partialMetadataForms } from '#cluster/apiserver/forms/partial-metadata.ts'
import { protobufForm, protobufMetadataForm } from '#cluster/apiserver/forms/protobuf.ts'
import { type IncludeObject, tableForm } from '#cluster/apiserver/forms/table.ts'
import { encodeStored, StoredObject } from '#cluster/apiserver/storage/stored-object.ts'
import type { ObjectList } from '#cluster/apiserver/verbs/list.ts'
import { ofType } from '../../../support/arbitrary-object.ts'
import { unicodeText } from '../../../support/unicode-text.ts'
import { VirtualClock } from '../../../support/virtual-clock.ts'

/** What could be taken for the end of something, or is no text of its own in every encoding. */
const hostile = fc.oneof(
  fc.constantFrom('}', '{', '"', '\\', '\\"}', '"}]}', '{"a":"}', '\u2028', '\ud800', 'Käse', '\u0000', '__proto__'),
  unicodeText(6),
)
const names = fc.dictionary(hostile, hostile, { maxKeys: 3 })
/** Larger than what a protobuf's writer has room for, or than it leaves for the next. */
const long = fc.constantFrom(0, 0, 0, 0, 0, 0, 20_000, 40_000, 70_000)

/** Columns need not bear what validation refuses, such as a Deployment without a selector. */
const hasCells = (kind: Kind, object: ApiObject): boolean => {
  try {
    for (const { value } of kind.columns) value(object, 0)
    return true
  } catch {
    return false
  }
}

const written = (kind: Kind): fc.Arbitrary<ApiObject | undefined> =>
  fc.tuple(ofType(kind.type, 3), names, names, long).map(([given, labels, annotations, size]) => {
    const decoded = decodeValue(given, kind.type)
    if (!decoded.ok) return undefined
    const { value } = decoded.value
    const identity = { kind: kind.kind, apiVersion: apiVersionOf(kind) }
    const more = {
      name: 'it',
      labels,
      annotations: size > 0 ? { ...annotations, long: 'x'.repeat(size) } : annotations,
    }
    const metadata = { ...(value.metadata as object | undefined), ...more }
    const object = encodeObject<ApiObject>({ ...value, ...identity, metadata }, kind.type)
    return hasCells(kind, object) ? object : undefined
  })

/** As it is read, at a later revision, and as what another version's conversion gave: its members in another order. */
const states = (kind: Kind, object: ApiObject, index: number): StoredObject => {
  const stored = StoredObject.decode(kind, 'it', { value: encodeStored(kind, object), modRevision: index + 1 })
  if (index % 3 === 1) return stored.at(index + 100)
  if (index % 3 === 0) return stored
  const { metadata, ...rest } = structuredClone(stored.object)
  const turned = Object.fromEntries(Object.entries(metadata).reverse())
  return stored.as({ ...rest, metadata: turned } as unknown as ApiObject)
}

const lists = (kind: Kind): fc.Arbitrary<ObjectList> =>
  fc.tuple(fc.array(written(kind), { maxLength: 5 }), fc.boolean()).map(([objects, more]) => ({
    items: objects.filter(object => object !== undefined).map((object, index) => states(kind, object, index)),
    resourceVersion: '77',
    continue: more ? '"}' : '',
    remainingItemCount: more ? 3 : undefined,
  }))

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const parse = (text: { toString(): string }) => JSON.parse(text.toString())
const INCLUDES: readonly IncludeObject[] = ['Metadata', 'Object', 'None']
const BYTES = 2

/** The message of a list, written as one. */
const listMessage = (list: ObjectList, items: readonly Uint8Array[]): Uint8Array => {
  const writer = new PbfWriter()
  writer.writeTag(1, BYTES)
  writer.writeBytes(encodeMessage(listMetadata(list), 'meta/v1.ListMeta'))
  for (const item of items) {
    writer.writeTag(2, BYTES)
    writer.writeBytes(item)
  }
  return writer.finish()
}

for (const kind of KINDS) {
  const holds = (law: (list: ObjectList) => void) => fc.assert(fc.property(lists(kind), law), { numRuns: 6 })
  const title = `${kind.group}/${kind.version} ${kind.kind}`

  test(`law: a list of metadata and the rows of a table are those of each object: ${title}`, t => {
    holds(list => {
      const metadata = listMetadata(list)
      const partial = parse(partialMetadataForms.v1.list(kind, list))
      t.deepEqual(partial.metadata, metadata)
      t.deepEqual(partial.items, plain(list.items.map(({ object }) => partialMetadata(object.metadata, 'v1'))))
      for (const include of INCLUDES) {
        const form = tableForm({ include, version: 'v1' }, new VirtualClock())
        const { rows, ...head } = parse(form.list(kind, list))
        const each = list.items.map(stored => parse(form.object(kind, stored)))
        t.deepEqual(head.metadata, metadata)
        t.deepEqual(
          rows,
          each.flatMap(({ rows: own }) => own),
        )
        for (const { columnDefinitions } of each) t.deepEqual(head.columnDefinitions, columnDefinitions)
      }
    })
  })

  test(`law: a list in pieces of protobuf is the list written as one: ${title}`, t => {
    const identity = { apiVersion: apiVersionOf(kind), kind: `${kind.kind}List` }
    const partial = { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadataList' }
    holds(list => {
      const wholes = list.items.map(({ object }) => encodeMessage(object, kind.type))
      const inPieces = protobufForm.list(kind, list)
      t.is(inPieces.toString(), envelope(identity, listMessage(list, wholes)).toString())
      t.is(inPieces.length, envelope(identity, listMessage(list, wholes)).length)
      const metas = list.items.map(({ object: { metadata } }) =>
        encodeMessage({ metadata }, 'meta/v1.PartialObjectMetadata'),
      )
      const metadataInPieces = protobufMetadataForm.list(kind, list)
      t.is(metadataInPieces.toString(), envelope(partial, listMessage(list, metas)).toString())
    })
  })
}

/** Metadata only: meta.k8s.io PartialObjectMetadata. */
import type { ObjectMeta } from '#cluster/api/object.ts'
import { type Form, listMetadata } from './form.ts'
import { jsonFrame } from './json-frame.ts'
import { Segments } from './segments.ts'

export const partialMetadata = (metadata: ObjectMeta): Record<string, unknown> => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
})

/** What stands ahead of the metadata's JSON; a brace ends it. */
export const PARTIAL_METADATA = '{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":'

const FIRST = Buffer.from(PARTIAL_METADATA)
const NEXT = Buffer.from(`},${PARTIAL_METADATA}`)
const END = Buffer.from('}]}')
const END_OF_NOTHING = Buffer.from(']}')

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

export const partialMetadataForm: Form = {
  id: 'metadata',
  firstDiffers: false,
  object: (_kind, { object }) => bytes(partialMetadata(object.metadata)),
  list: (_kind, list) => {
    const head = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: listMetadata(list) }
    const parts: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)]
    for (const [index, { metadataJson }] of list.items.entries()) parts.push(index === 0 ? FIRST : NEXT, metadataJson)
    parts.push(list.items.length === 0 ? END_OF_NOTHING : END)
    return new Segments(parts)
  },
  watched: ({ object }) => bytes(partialMetadata(object.metadata)),
  bookmark: (_kind, metadata) => bytes({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }),
  frame: jsonFrame,
}

/** Metadata only: meta.k8s.io PartialObjectMetadata. */
import type { ObjectMeta } from '#cluster/api/object.ts'
import { type Form, listMetadata } from './form.ts'
import { jsonFrame } from './json-frame.ts'

export const partialMetadata = (metadata: ObjectMeta): Record<string, unknown> => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
})

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

export const partialMetadataForm: Form = {
  id: 'metadata',
  firstDiffers: false,
  object: (_kind, { object }) => bytes(partialMetadata(object.metadata)),
  list: (_kind, list) =>
    bytes({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: listMetadata(list),
      items: list.items.map(({ object }) => partialMetadata(object.metadata)),
    }),
  watched: ({ object }) => bytes(partialMetadata(object.metadata)),
  bookmark: (_kind, metadata) => bytes({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }),
  frame: jsonFrame,
}

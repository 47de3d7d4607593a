/** Metadata only: meta.k8s.io PartialObjectMetadata. */
import type { ObjectMeta } from '#cluster/api/object.ts'
import { type Form, listMetadata } from './form.ts'
import { jsonFrame } from './json-frame.ts'
import type { MetaVersion } from './meta-version.ts'
import { Segments } from './segments.ts'

export const partialMetadata = (metadata: Partial<ObjectMeta>, version: MetaVersion): Record<string, unknown> => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata,
})

/** What stands ahead of the metadata's JSON; a brace ends it. */
export const partialMetadataHead = (version: MetaVersion): string =>
  `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}","metadata":`

const END = Buffer.from('}]}')
const END_OF_NOTHING = Buffer.from(']}')

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

const formOf = (version: MetaVersion): Form => {
  const head = partialMetadataHead(version)
  const first = Buffer.from(head)
  const next = Buffer.from(`},${head}`)
  return {
    id: version === 'v1' ? 'metadata' : `metadata/${version}`,
    firstDiffers: false,
    object: (_kind, { object }) => bytes(partialMetadata(object.metadata, version)),
    list: (_kind, list) => {
      const apiVersion = `meta.k8s.io/${version}`
      const head = { kind: 'PartialObjectMetadataList', apiVersion, metadata: listMetadata(list) }
      const parts: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)]
      for (const [index, { metadataJson }] of list.items.entries()) parts.push(index === 0 ? first : next, metadataJson)
      parts.push(list.items.length === 0 ? END_OF_NOTHING : END)
      return new Segments(parts)
    },
    watched: ({ object }) => bytes(partialMetadata(object.metadata, version)),
    bookmark: (_kind, metadata) => bytes(partialMetadata(metadata, version)),
    frame: jsonFrame,
  }
}

export const partialMetadataForms: Readonly<Record<MetaVersion, Form>> = {
  v1: formOf('v1'),
  v1beta1: formOf('v1beta1'),
}

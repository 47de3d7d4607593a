/** Rows for people: meta.k8s.io Table, with the kind's columns (`kubectl get`). */

import type { Column, Kind } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import type { Clock } from '#lib/clock.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { type BookmarkMetadata, type Form, listMetadata } from './form.ts'
import { jsonFrame } from './json-frame.ts'
import type { MetaVersion } from './meta-version.ts'
import { partialMetadata, partialMetadataHead } from './partial-metadata.ts'
import { Segments } from './segments.ts'

/** What each row carries besides its cells. */
export type IncludeObject = 'Metadata' | 'Object' | 'None'

const NAME_COLUMN: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Unique within a namespace; set when the object is made, and never changed.',
  priority: 0,
  value: ({ metadata }) => metadata.name ?? '',
}

const columnsOf = ({ columns }: Kind): readonly Column[] =>
  columns.some(({ name }) => name === 'Name') ? columns : [NAME_COLUMN, ...columns]

const definitions = (kind: Kind): unknown[] =>
  columnsOf(kind).map(({ name, type, format, description, priority }) => ({
    name,
    type,
    // The client prints names in its own way (`pod/NAME`), so it must know them.
    format: name === 'Name' ? 'name' : format,
    description,
    priority,
  }))

/** What the client asked for. */
export interface TableOptions {
  readonly include: IncludeObject
  readonly version: MetaVersion
}

const rowObject = (object: ApiObject, { include, version }: TableOptions): unknown => {
  if (include === 'None') return null
  return include === 'Object' ? object : partialMetadata(object.metadata, version)
}

/** The JSON of a row's object, of what is serialised already: what is made of it, and what stands around it. */
const objectJson = ({ include, version }: TableOptions) => {
  switch (include) {
    case 'None':
      return { before: 'null', middle: () => undefined, after: '' }
    case 'Object':
      return { before: '', middle: ({ json }: StoredObject) => json, after: '' }
    case 'Metadata':
      return {
        before: partialMetadataHead(version),
        middle: ({ metadataJson }: StoredObject) => metadataJson,
        after: '}',
      }
  }
}

interface TableParts {
  readonly metadata: Record<string, unknown>
  readonly columnDefinitions: unknown[] | null
  readonly rows: unknown[]
}

/** KEP-3157: whether it ends the initial events, which its client has to see whatever it asked for. */
const endsInitial = ({ annotations }: BookmarkMetadata): boolean => annotations !== undefined

export const tableForm = (options: TableOptions, clock: Clock): Form => {
  const { include, version } = options
  const identity = { kind: 'Table', apiVersion: `meta.k8s.io/${version}` }
  const table = (parts: TableParts): Buffer => Buffer.from(JSON.stringify({ ...identity, ...parts }))
  const row = (kind: Kind, object: ApiObject, now: number): unknown => ({
    cells: columnsOf(kind).map(column => column.value(object, now)),
    object: rowObject(object, options),
  })
  const single = (kind: Kind, object: ApiObject, columnDefinitions: unknown[] | null): Buffer => {
    const { resourceVersion } = object.metadata
    const metadata = resourceVersion === undefined ? {} : { resourceVersion }
    return table({ metadata, columnDefinitions, rows: [row(kind, object, clock.now())] })
  }
  return {
    id: `table/${include}${version === 'v1' ? '' : `/${version}`}`,
    firstDiffers: true,
    frame: jsonFrame,
    object: (kind, { object }) => single(kind, object, definitions(kind)),
    list: (kind, list) => {
      const now = clock.now()
      const columns = columnsOf(kind)
      const { before, middle, after } = objectJson(options)
      const head = { ...identity, metadata: listMetadata(list), columnDefinitions: definitions(kind) }
      const parts: Buffer[] = []
      let text = `${JSON.stringify(head).slice(0, -1)},"rows":[`
      for (const [index, stored] of list.items.entries()) {
        const cells = columns.map(column => column.value(stored.object, now))
        text += `${index === 0 ? '' : ','}{"cells":${JSON.stringify(cells)},"object":${before}`
        const object = middle(stored)
        if (object) {
          parts.push(Buffer.from(text), object)
          text = ''
        }
        text += `${after}}`
      }
      parts.push(Buffer.from(`${text}]}`))
      return new Segments(parts)
    },
    watched: ({ kind, object }, first) => single(kind, object, first ? definitions(kind) : null),
    bookmark: (kind, metadata, first) => {
      const object: ApiObject = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata }
      const cells = columnsOf(kind).map(() => '')
      const shown = include === 'None' && endsInitial(metadata) ? { ...options, include: 'Metadata' as const } : options
      const rows = [{ cells, object: rowObject(object, shown) }]
      const columnDefinitions = first ? definitions(kind) : null
      return table({ metadata: { resourceVersion: metadata.resourceVersion }, columnDefinitions, rows })
    },
  }
}

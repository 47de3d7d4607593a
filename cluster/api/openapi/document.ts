/**
 * The OpenAPI v3 documents, one a group and version, made of types.json and the kinds when first asked for. kubectl reads
 * them for `explain`, for what the server can check itself, and for how lists merge when it makes a patch.
 */
import { createHash } from 'node:crypto'
import type { Kind } from '../kind.ts'
import { KINDS } from '../kinds/index.ts'
import { REVIEWS } from '../reviews.ts'
import { scaleKind } from '../scale.ts'
import { kindPaths, listName, type PathItem } from './paths.ts'
import { type JsonSchema, reference, SchemaCollector } from './schemas.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'

/** The Kubernetes API that types.json states. */
const API_VERSION = 'v1.35.0'

export interface OpenApiDocument {
  readonly openapi: '3.0.0'
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, PathItem>>
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> }
}

/** `api/v1`, `apis/discovery.k8s.io/v1`: the document's place below `/openapi/v3/`. */
const placeOf = ({ group, version }: Kind): string => (group === '' ? `api/${version}` : `apis/${group}/${version}`)

const byPlace = Map.groupBy([...KINDS, ...REVIEWS], placeOf)

const identify = ({ group, version, kind }: Pick<Kind, 'group' | 'version' | 'kind'>) => [{ group, kind, version }]

const addIdentified = (collector: SchemaCollector, kind: Kind): string => {
  const name = collector.add(kind.type)
  Object.assign(collector.schemas[name]!, { 'x-kubernetes-group-version-kind': identify(kind) })
  return name
}

const addKind = (collector: SchemaCollector, kind: Kind): void => {
  const name = addIdentified(collector, kind)
  // What only answers is never listed.
  if (kind.verbs) return
  const listMeta = collector.add('meta/v1.ListMeta')
  collector.define(listName(kind), {
    type: 'object',
    description: `A list of ${kind.kind}.`,
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { allOf: [reference(listMeta)] },
      items: { type: 'array', items: { allOf: [reference(name)] } },
    },
    'x-kubernetes-group-version-kind': identify({ ...kind, kind: `${kind.kind}List` }),
  })
}

const makeDocument = (place: string, kinds: readonly Kind[]): OpenApiDocument => {
  const collector = new SchemaCollector()
  const paths: Record<string, PathItem> = {}
  for (const kind of kinds) {
    addKind(collector, kind)
    if (kind.scale) addIdentified(collector, scaleKind)
    Object.assign(paths, kindPaths(kind, `/${place}`))
  }
  for (const type of ['Status', 'DeleteOptions', 'WatchEvent']) collector.add(`meta/v1.${type}`)
  collector.define(`${META}.Patch`, { type: 'object', description: 'A patch, in the format that its media type says.' })
  const sorted = Object.fromEntries(Object.entries(collector.schemas).sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    openapi: '3.0.0',
    info: { title: 'Seamark', version: API_VERSION },
    paths,
    components: { schemas: sorted },
  }
}

const made = new Map<string, string>()

/** The document's JSON. `place`: what the index names. Undefined for what the API does not serve. */
export const openApiDocument = (place: string): string | undefined => {
  const known = made.get(place)
  if (known !== undefined) return known
  const kinds = byPlace.get(place)
  if (!kinds) return undefined
  const text = JSON.stringify(makeDocument(place, kinds))
  made.set(place, text)
  return text
}

export interface OpenApiIndex {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>
}

/** The answer to `/openapi/v3`. A document's URL carries its hash, so that clients may keep it for ever. */
export const openApiIndex = (): OpenApiIndex => ({
  paths: Object.fromEntries(
    [...byPlace.keys()].map(place => {
      const hash = createHash('sha256')
        .update(openApiDocument(place) ?? '')
        .digest('hex')
        .toUpperCase()
      return [place, { serverRelativeURL: `/openapi/v3/${place}?hash=${hash}` }]
    }),
  ),
})

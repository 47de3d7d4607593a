/**
 * The OpenAPI v3 documents, one a group and version, made of types.json and the kinds when first asked for. kubectl reads
 * them for `explain`, for what the server can check itself, and for how lists merge when it makes a patch.
 */
import { createHash } from 'node:crypto'
import { componentStatusKind } from '../component-status.ts'
import type { Kind } from '../kind.ts'
import { KINDS } from '../kinds/index.ts'
import { REVIEWS } from '../reviews.ts'
import { scaleKind } from '../scale.ts'
import { customSchema } from './custom-schema.ts'
import { kindPaths, listName, type PathItem } from './paths.ts'
import { type JsonSchema, kindComponent, reference, SchemaCollector } from './schemas.ts'

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

const BUILT_IN: readonly Kind[] = [componentStatusKind, ...KINDS, ...REVIEWS]
const NONE: readonly Kind[] = []

const identify = ({ group, version, kind }: Pick<Kind, 'group' | 'version' | 'kind'>) => [{ group, kind, version }]

const addIdentified = (collector: SchemaCollector, kind: Kind): string => {
  const name = kind.namesItems
    ? collector.define(kindComponent(kind), customSchema(kind, collector))
    : collector.add(kind.type)
  Object.assign(collector.schemas[name]!, { 'x-kubernetes-group-version-kind': identify(kind) })
  return name
}

const addKind = (collector: SchemaCollector, kind: Kind): void => {
  const name = addIdentified(collector, kind)
  // What only answers is never listed.
  if (kind.verbs?.includes('list') === false) return
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
    'x-kubernetes-group-version-kind': identify({ ...kind, kind: kind.listKind ?? `${kind.kind}List` }),
  })
}

const makeDocument = (place: string, kinds: readonly Kind[]): OpenApiDocument => {
  const collector = new SchemaCollector()
  const paths: Record<string, PathItem> = {}
  for (const kind of kinds) {
    addKind(collector, kind)
    if (kind.scale) addIdentified(collector, scaleKind)
    for (const posted of Object.values(kind.posts ?? {})) addIdentified(collector, posted)
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

/** The documents of one set of kinds, each made when first asked for. */
class Documents {
  readonly #byPlace: ReadonlyMap<string, readonly Kind[]>
  readonly #made = new Map<string, string>()

  constructor(kinds: readonly Kind[]) {
    this.#byPlace = Map.groupBy(kinds, placeOf)
  }

  get places(): readonly string[] {
    return [...this.#byPlace.keys()]
  }

  /** How many kinds are at a place. */
  sizeOf(place: string): number {
    return this.#byPlace.get(place)?.length ?? 0
  }

  /** What is there as in `others` is theirs. */
  at(place: string, others?: Documents): string | undefined {
    const known = this.#made.get(place)
    if (known !== undefined) return known
    const kinds = this.#byPlace.get(place)
    if (!kinds) return undefined
    const theirs = others?.sizeOf(place) === kinds.length ? others.at(place) : undefined
    const text = theirs ?? JSON.stringify(makeDocument(place, kinds))
    this.#made.set(place, text)
    return text
  }
}

const builtIn = new Documents(BUILT_IN)
const withCustom = new WeakMap<readonly Kind[], Documents>()

const documentsOf = (custom: readonly Kind[]): Documents => {
  if (custom.length === 0) return builtIn
  const known = withCustom.get(custom)
  if (known) return known
  const made = new Documents([...BUILT_IN, ...custom])
  withCustom.set(custom, made)
  return made
}

/**
 * The document's JSON. `place`: what the index names. `custom`: kinds that are served besides what is built in, the same
 * array while nothing changes. Undefined for what the API does not serve.
 */
export const openApiDocument = (place: string, custom: readonly Kind[] = NONE): string | undefined =>
  documentsOf(custom).at(place, custom.length === 0 ? undefined : builtIn)

export interface OpenApiIndex {
  readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>>
}

/** The answer to `/openapi/v3`. A document's URL carries its hash, so that clients may keep it for ever. */
export const openApiIndex = (custom: readonly Kind[] = NONE): OpenApiIndex => ({
  paths: Object.fromEntries(
    documentsOf(custom).places.map(place => {
      const hash = createHash('sha256')
        .update(openApiDocument(place, custom) ?? '')
        .digest('hex')
        .toUpperCase()
      return [place, { serverRelativeURL: `/openapi/v3/${place}?hash=${hash}` }]
    }),
  ),
})

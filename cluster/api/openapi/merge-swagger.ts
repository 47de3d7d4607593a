/**
 * One OpenAPI v2 document of this server's and others': their paths, and the definitions that those need. A definition
 * that is another one under the same name here is renamed, as kube-aggregator does (`NAME_v2`), with what refers to it.
 */
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../own-property.ts'
import type { JsonSchema } from './schemas.ts'
import type { Swagger } from './swagger.ts'
import { encodeSwagger } from './swagger-protobuf.ts'

/** What of another server's document is told here. */
export interface RemoteSwagger {
  readonly paths: Swagger['paths']
  readonly definitions: Swagger['definitions']
}

const DEFINITIONS = '#/definitions/'
const PARAMETERS = '#/parameters/'

const membersOf = (value: unknown): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(isObject(value) ? value : {}).filter(([, member]) => isObject(member))) as Record<
    string,
    JsonSchema
  >

/** Names of the definitions that are referred to anywhere inside. */
const referencesIn = (value: unknown): Set<string> => {
  const names = new Set<string>()
  const waiting = [value]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue
    const { $ref } = next as { readonly $ref?: unknown }
    if (typeof $ref === 'string' && $ref.startsWith(DEFINITIONS)) names.add($ref.slice(DEFINITIONS.length))
    for (const inner of Object.values(next)) if (inner !== null && inner !== undefined) waiting.push(inner)
  }
  return names
}

/** Levels of a document; schemas of schemas of schemas have a tenth of it. */
const MAX_DEPTH = 500

/** Throws for what would take the stack of those who walk it. */
const checkDepth = (value: unknown): void => {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new Error('the document is nested too deep')
    level = level.flatMap(each => (typeof each === 'object' && each !== null ? Object.values(each) : []))
  }
}

/** What stands in the place of the whole reference. (A schema may have a property of the name `$ref`.) */
class Instead {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

/** The value with each reference as `replace` has it. */
const withReferences = <T>(value: T, replace: (reference: string) => string | Instead): T =>
  JSON.parse(JSON.stringify(value), (name, inner: unknown) => {
    if (name === '$ref' && typeof inner === 'string') return replace(inner)
    const { $ref } = isObject(inner) ? (inner as { readonly $ref?: unknown }) : {}
    return $ref instanceof Instead ? $ref.value : inner
  }) as T

const needed = (paths: unknown, definitions: Readonly<Record<string, JsonSchema>>): Record<string, JsonSchema> => {
  const found = new Map<string, JsonSchema>()
  const waiting = [...referencesIn(paths)]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name) || !Object.hasOwn(definitions, name)) continue
    found.set(name, definitions[name]!)
    waiting.push(...referencesIn(definitions[name]))
  }
  return Object.fromEntries(found)
}

/**
 * What lies below `base` (`/apis/GROUP/VERSION`), parameters in their places. Throws for what is no document, or one that
 * could not be told on.
 */
export const readRemoteSwagger = (document: unknown, base: string): RemoteSwagger => {
  checkDepth(document)
  if (!isObject(document) || document.swagger !== '2.0') throw new Error('the answer is no OpenAPI v2 document')
  const shared = membersOf(document.parameters)
  const mine = Object.entries(membersOf(document.paths)).filter(
    ([path]) => path === base || path.startsWith(`${base}/`),
  )
  const paths = withReferences(Object.fromEntries(mine), reference => {
    const parameter = reference.startsWith(PARAMETERS) ? shared[reference.slice(PARAMETERS.length)] : undefined
    return parameter ? new Instead(parameter) : reference
  })
  const remote = { paths, definitions: needed(paths, membersOf(document.definitions)) }
  encodeSwagger({ swagger: '2.0', info: { title: '', version: '' }, securityDefinitions: {}, security: [], ...remote })
  return remote
}

/** Names that mean something else here, and those whose definitions mention such a name. */
const conflicts = (own: Swagger['definitions'], other: Swagger['definitions']): Set<string> => {
  const names = Object.keys(other).filter(name => Object.hasOwn(own, name))
  const found = new Set(names.filter(name => !isDeepStrictEqual(own[name], other[name])))
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const name of names) if ([...referencesIn(other[name])].some(inner => found.has(inner))) found.add(name)
  }
  return found
}

/** One that nobody has, or who has it means the same. */
const freeName = (name: string, schema: JsonSchema, taken: Swagger['definitions']): string => {
  for (let number = 2; ; number++) {
    const other = `${name}_v${number}`
    if (!Object.hasOwn(taken, other) || isDeepStrictEqual(taken[other], schema)) return other
  }
}

const mergeOne = (own: Swagger, remote: RemoteSwagger): Swagger => {
  const renamed = new Map<string, string>()
  for (const name of conflicts(own.definitions, remote.definitions))
    renamed.set(name, freeName(name, remote.definitions[name] ?? {}, own.definitions))
  const { paths, definitions } = withReferences(remote, reference => {
    const other = reference.startsWith(DEFINITIONS) ? renamed.get(reference.slice(DEFINITIONS.length)) : undefined
    return other === undefined ? reference : DEFINITIONS + other
  })
  const called = Object.entries(definitions).map(([name, schema]) => [renamed.get(name) ?? name, schema] as const)
  return {
    ...own,
    // A path that is served here is told as it is here.
    paths: { ...paths, ...own.paths },
    definitions: { ...own.definitions, ...Object.fromEntries(called) },
  }
}

export const mergeSwagger = (own: Swagger, remotes: readonly RemoteSwagger[]): Swagger => remotes.reduce(mergeOne, own)

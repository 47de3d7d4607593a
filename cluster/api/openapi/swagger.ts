/**
 * The OpenAPI v2 document (Swagger 2.0) of all that is served: the v3 documents in one, said in the older words. What v2
 * cannot say (one of several forms, null) is left out, so that it never forbids what the server takes.
 */
import type { Kind } from '../kind.ts'
import { isObject } from '../own-property.ts'
import { type OpenApiDocument, openApiDocument, openApiIndex } from './document.ts'
import type { JsonSchema } from './schemas.ts'

type JsonObject = Record<string, unknown>

export interface Swagger {
  readonly swagger: '2.0'
  readonly info: OpenApiDocument['info']
  readonly paths: Readonly<Record<string, JsonObject>>
  readonly definitions: Readonly<Record<string, JsonSchema>>
  readonly securityDefinitions: JsonObject
  readonly security: readonly JsonObject[]
}

const COMPONENTS = '#/components/schemas/'
const IDENTITY = 'x-kubernetes-group-version-kind'

/** What a schema of v2 may say besides extensions; `items` and the like are converted. Kubernetes tells defaults in v3 alone. */
const PLAIN = new Set([
  ...['format', 'title', 'description', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum'],
  ...['exclusiveMinimum', 'maxLength', 'minLength', 'pattern', 'maxItems', 'minItems', 'uniqueItems'],
  ...['maxProperties', 'minProperties', 'required', 'enum', 'type', 'example', 'externalDocs'],
])

const ofEach = (value: unknown): JsonObject =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, convertSchema(inner)])) : {}

const convertMember = (name: string, value: unknown): JsonObject => {
  if (PLAIN.has(name) || name.startsWith('x-')) return { [name]: value }
  switch (name) {
    case '$ref':
      return { $ref: String(value).replace(COMPONENTS, '#/definitions/') }
    // A reference with neighbours, which v2 takes as it is.
    case 'allOf':
      return Array.isArray(value) && value.length === 1 ? convertSchema(value[0]) : {}
    // A number or a text: v2 has no more than the format to say so.
    case 'oneOf':
      return { type: 'string' }
    case 'properties':
      return { properties: ofEach(value) }
    case 'items':
      return { items: convertSchema(value) }
    case 'additionalProperties':
      return { additionalProperties: typeof value === 'boolean' ? value : convertSchema(value) }
    default:
      return {}
  }
}

const convertSchema = (schema: unknown): JsonObject => {
  if (!isObject(schema)) return {}
  const said = Object.entries(schema).map(([name, value]) => convertMember(name, value))
  const converted: JsonObject = Object.assign({}, ...said)
  const open = schema.nullable === true || schema['x-kubernetes-int-or-string'] === true
  // Null is of no type in v2.
  if (open)
    for (const name of ['type', 'items', 'properties', 'additionalProperties', 'required']) delete converted[name]
  return converted
}

const convertParameter = (given: unknown): JsonObject => {
  const { schema, ...rest } = given as { readonly schema?: object }
  return { ...rest, ...schema }
}

const contentOf = (value: unknown): { readonly types: string[]; readonly schema: JsonObject } | undefined => {
  const content = isObject(value) && isObject(value.content) ? Object.entries(value.content) : []
  const [first] = content
  if (!first) return undefined
  return { types: content.map(([type]) => type), schema: convertSchema((first[1] as JsonObject).schema) }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** `listCoreV1NamespacedPod`: in one document for all groups, the group is a part of the name. */
const operationId = (id: string, identity: unknown): string => {
  const { group, version } = identity as { readonly group: string; readonly version: string }
  const parts = group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.')
  return id.replace(/^(?:deleteCollection|[a-z]+)/, verb => verb + [...parts, version].map(capital).join(''))
}

const convertOperation = (given: JsonObject): JsonObject => {
  const { parameters = [], requestBody, responses, operationId: id, ...rest } = given
  const body = contentOf(requestBody)
  const answers = Object.entries(responses as JsonObject).map(([code, answer]) => {
    const { description } = answer as { readonly description: string }
    const content = contentOf(answer)
    return { code, types: content?.types ?? [], answer: { description, ...(content && { schema: content.schema }) } }
  })
  const required = isObject(requestBody) && requestBody.required === true
  const inBody = body ? [{ name: 'body', in: 'body', ...(required && { required }), schema: body.schema }] : []
  return {
    ...rest,
    operationId: operationId(String(id), given[IDENTITY]),
    consumes: body?.types ?? ['*/*'],
    produces: [...new Set(answers.flatMap(({ types }) => types))],
    parameters: [...inBody, ...(parameters as unknown[]).map(convertParameter)],
    responses: Object.fromEntries(answers.map(({ code, answer }) => [code, answer])),
  }
}

const convertPath = (item: JsonObject): JsonObject => {
  const { parameters = [], ...verbs } = item
  const converted = Object.entries(verbs).map(([verb, given]) => [verb, convertOperation(given as JsonObject)])
  return { ...Object.fromEntries(converted), parameters: (parameters as unknown[]).map(convertParameter) }
}

const TOKEN = { description: 'Bearer token', type: 'apiKey', name: 'authorization', in: 'header' }

const makeSwagger = (documents: readonly OpenApiDocument[]): Swagger => {
  const paths: Record<string, JsonObject> = {}
  const definitions: Record<string, JsonSchema> = {}
  for (const document of documents) {
    for (const [path, item] of Object.entries(document.paths)) paths[path] = convertPath(item)
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      // A kind that another group's types mention is said to be one only in the document of its own.
      if (!definitions[name] || schema[IDENTITY]) definitions[name] = convertSchema(schema)
    }
  }
  const sorted = <T>(entries: Record<string, T>): Record<string, T> =>
    Object.fromEntries(Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    swagger: '2.0',
    info: documents[0]?.info ?? { title: '', version: '' },
    paths: sorted(paths),
    definitions: sorted(definitions),
    securityDefinitions: { BearerToken: TOKEN },
    security: [{ BearerToken: [] }],
  }
}

const NONE: readonly Kind[] = []

/** Made anew each time. `custom`: kinds that are served besides what is built in. */
export const swaggerDocument = (custom: readonly Kind[] = NONE): Swagger =>
  makeSwagger(
    Object.keys(openApiIndex(custom).paths).map(
      place => JSON.parse(openApiDocument(place, custom) ?? '{}') as OpenApiDocument,
    ),
  )

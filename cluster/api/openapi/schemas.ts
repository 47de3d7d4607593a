/** Component schemas of the OpenAPI documents, from types.json, with the extensions that kubectl and clients read. */
import type { Kind } from '../kind.ts'
import { type FieldSchema, mayVary, type Scalar, type Shape, typeSchema } from '../schema.ts'
import { API_VERSION_DESCRIPTION, DESCRIPTIONS, KIND_DESCRIPTION } from './descriptions.ts'
import { publishedEnum } from './published-enum.ts'

export type JsonSchema = Record<string, unknown>

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'
const JSON_VALUE = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON'
const RAW = 'io.k8s.apimachinery.pkg.runtime.RawExtension'

/** Scalars that are types of their own in Kubernetes's documents. */
const NAMED_SCALARS: Readonly<Partial<Record<Scalar, string>>> = {
  quantity: QUANTITY,
  intOrString: INT_OR_STRING,
  time: `${META}.Time`,
  microTime: `${META}.MicroTime`,
  object: RAW,
  any: JSON_VALUE,
}

const NAMED_SCALAR_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  [QUANTITY]: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  [INT_OR_STRING]: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  [`${META}.Time`]: { type: 'string', format: 'date-time' },
  [`${META}.MicroTime`]: { type: 'string', format: 'date-time' },
  [RAW]: { type: 'object' },
  [`${META}.FieldsV1`]: { type: 'object' },
  [JSON_VALUE]: {},
}

const PLAIN_SCALARS: Readonly<Partial<Record<Scalar, JsonSchema>>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  duration: { type: 'string' },
}

/** Groups whose types Kubernetes keeps beside the servers of them. */
const HOMES: Readonly<Record<string, string>> = {
  'apiextensions.k8s.io': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  'apiregistration.k8s.io': 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
}

/** `core/v1.Service` → `io.k8s.api.core.v1.Service`. */
const componentName = (type: string): string => {
  const [group = '', rest = ''] = type.split('/')
  if (group === 'meta') return `${META}.${rest.slice(rest.indexOf('.') + 1)}`
  return `${HOMES[group] ?? `io.k8s.api.${group.split('.')[0]}`}.${rest}`
}

/** The component of a kind; that of a custom resource is named by its group, read from its end. */
export const kindComponent = ({ type, group, version, kind, namesItems }: Kind): string =>
  namesItems ? `${group.split('.').toReversed().join('.')}.${version}.${kind}` : componentName(type)

/** Whose free-form field is a type of its own. */
const FIELDS_OWNER = 'meta/v1.ManagedFieldsEntry'

/** A field, and the type that it is of. */
interface Place {
  readonly field: FieldSchema
  readonly type: string
}

export const reference = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

/** Collects the schemas of everything that the types asked for refer to. */
export class SchemaCollector {
  readonly schemas: Record<string, JsonSchema> = {}

  /** The component's name; the schema is there when this returns. */
  add(type: string): string {
    const name = componentName(type)
    if (this.schemas[name]) return name
    const schema: JsonSchema = mayVary({ form: 'struct', type }) ? {} : { type: 'object' }
    this.schemas[name] = schema
    // What writes its own JSON has no fields there.
    if (schema.type === undefined) return name
    const { root, fields, structType } = typeSchema(type)
    if (DESCRIPTIONS[type]) schema.description = DESCRIPTIONS[type]
    const required = fields.filter(field => field.required).map(field => field.name)
    if (required.length > 0) schema.required = required
    const properties: Record<string, JsonSchema> = {}
    if (root) {
      properties.apiVersion = { type: 'string', description: API_VERSION_DESCRIPTION }
      properties.kind = { type: 'string', description: KIND_DESCRIPTION }
    }
    for (const field of fields) properties[field.name] = this.#property(field, type)
    schema.properties = properties
    if (structType) schema['x-kubernetes-map-type'] = structType
    return name
  }

  /** A component that stands in no types.json. */
  define(name: string, schema: JsonSchema): string {
    this.schemas[name] = schema
    return name
  }

  #property(field: FieldSchema, type: string): JsonSchema {
    const description = DESCRIPTIONS[`${type}.${field.name}`]
    const schema: JsonSchema = { ...(description ? { description } : {}), ...this.#shape(field.shape, { field, type }) }
    if (field.default !== undefined) schema.default = field.default
    if (field.listType) schema['x-kubernetes-list-type'] = field.listType
    if (field.listKeys.length > 0) schema['x-kubernetes-list-map-keys'] = field.listKeys
    if (field.mapType ?? field.structType) schema['x-kubernetes-map-type'] = field.mapType ?? field.structType
    if (field.patchStrategies.length > 0) schema['x-kubernetes-patch-strategy'] = field.patchStrategies.join(',')
    if (field.patchMergeKey) schema['x-kubernetes-patch-merge-key'] = field.patchMergeKey
    return schema
  }

  #shape(shape: Shape, place: Place): JsonSchema {
    switch (shape.form) {
      case 'scalar':
        return this.#scalar(shape.scalar, place)
      case 'list':
        return { type: 'array', items: this.#shape(shape.item, place) }
      case 'map':
        return { type: 'object', additionalProperties: this.#shape(shape.item, place) }
      case 'struct':
        // A reference cannot have neighbours in OpenAPI 3.0; descriptions and extensions stand beside allOf.
        return { allOf: [reference(this.add(shape.type))] }
    }
  }

  #scalar(scalar: Scalar, { field, type }: Place): JsonSchema {
    const named = type === FIELDS_OWNER && scalar === 'object' ? `${META}.FieldsV1` : NAMED_SCALARS[scalar]
    if (named) {
      this.schemas[named] ??= NAMED_SCALAR_SCHEMAS[named] ?? {}
      return { allOf: [reference(named)] }
    }
    const values = publishedEnum(field, type)
    return { ...PLAIN_SCALARS[scalar], ...(values ? { enum: values } : {}) }
  }
}

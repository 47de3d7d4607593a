/** Component schemas of the OpenAPI documents, from types.json, with the extensions that kubectl and clients read. */
import type { Kind } from '../kind.ts'
import { type FieldSchema, type Scalar, type Shape, typeSchema } from '../schema.ts'
import { closedEnum } from '../structure.ts'
import { API_VERSION_DESCRIPTION, DESCRIPTIONS, KIND_DESCRIPTION } from './descriptions.ts'

export type JsonSchema = Record<string, unknown>

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'
const RAW = 'io.k8s.apimachinery.pkg.runtime.RawExtension'

/** Scalars that are types of their own in Kubernetes's documents. */
const NAMED_SCALARS: Readonly<Partial<Record<Scalar, string>>> = {
  quantity: QUANTITY,
  intOrString: INT_OR_STRING,
  time: `${META}.Time`,
  microTime: `${META}.MicroTime`,
  object: RAW,
}

const NAMED_SCALAR_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  [QUANTITY]: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  [INT_OR_STRING]: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  [`${META}.Time`]: { type: 'string', format: 'date-time' },
  [`${META}.MicroTime`]: { type: 'string', format: 'date-time' },
  [RAW]: { type: 'object' },
}

const PLAIN_SCALARS: Readonly<Partial<Record<Scalar, JsonSchema>>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
  duration: { type: 'string' },
  any: {},
}

/** `core/v1.Service` → `io.k8s.api.core.v1.Service`. */
const componentName = (type: string): string => {
  const [group = '', rest = ''] = type.split('/')
  return group === 'meta' ? `${META}.${rest.slice(rest.indexOf('.') + 1)}` : `io.k8s.api.${group.split('.')[0]}.${rest}`
}

/** The component of a kind; that of a custom resource is named by its group, read from its end. */
export const kindComponent = ({ type, group, version, kind, namesItems }: Kind): string =>
  namesItems ? `${group.split('.').toReversed().join('.')}.${version}.${kind}` : componentName(type)

export const reference = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })

/** Collects the schemas of everything that the types asked for refer to. */
export class SchemaCollector {
  readonly schemas: Record<string, JsonSchema> = {}

  /** The component's name; the schema is there when this returns. */
  add(type: string): string {
    const name = componentName(type)
    if (this.schemas[name]) return name
    const schema: JsonSchema = { type: 'object' }
    this.schemas[name] = schema
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
    const schema: JsonSchema = { ...(description ? { description } : {}), ...this.#shape(field.shape, field) }
    if (field.default !== undefined) schema.default = field.default
    if (field.listType) schema['x-kubernetes-list-type'] = field.listType
    if (field.listKeys.length > 0) schema['x-kubernetes-list-map-keys'] = field.listKeys
    if (field.mapType ?? field.structType) schema['x-kubernetes-map-type'] = field.mapType ?? field.structType
    if (field.patchStrategies.length > 0) schema['x-kubernetes-patch-strategy'] = field.patchStrategies.join(',')
    if (field.patchMergeKey) schema['x-kubernetes-patch-merge-key'] = field.patchMergeKey
    return schema
  }

  #shape(shape: Shape, field: FieldSchema): JsonSchema {
    switch (shape.form) {
      case 'scalar':
        return this.#scalar(shape.scalar, field)
      case 'list':
        return { type: 'array', items: this.#shape(shape.item, field) }
      case 'map':
        return { type: 'object', additionalProperties: this.#shape(shape.item, field) }
      case 'struct':
        // A reference cannot have neighbours in OpenAPI 3.0; descriptions and extensions stand beside allOf.
        return { allOf: [reference(this.add(shape.type))] }
    }
  }

  #scalar(scalar: Scalar, field: FieldSchema): JsonSchema {
    const named = NAMED_SCALARS[scalar]
    if (named) {
      this.schemas[named] ??= NAMED_SCALAR_SCHEMAS[named] ?? {}
      return { allOf: [reference(named)] }
    }
    const values = field.enum === undefined ? undefined : closedEnum(field.enum)
    return { ...PLAIN_SCALARS[scalar], ...(values ? { enum: values } : {}) }
  }
}

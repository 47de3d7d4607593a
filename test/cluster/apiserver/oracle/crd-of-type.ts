/** A CustomResourceDefinition that has the fields of a built-in type, so that Kubernetes' machinery can serve it. */
import { type FieldSchema, type Scalar, type Shape, typeSchema } from '#cluster/api/schema.ts'

type Schema = Record<string, unknown>

const SCALARS: Readonly<Record<Scalar, Schema>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number' },
  bytes: { type: 'string', format: 'byte' },
  quantity: { 'x-kubernetes-int-or-string': true },
  intOrString: { 'x-kubernetes-int-or-string': true },
  time: { type: 'string', format: 'date-time' },
  microTime: { type: 'string', format: 'date-time' },
  duration: { type: 'string' },
  object: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  any: { 'x-kubernetes-preserve-unknown-fields': true },
}

const ofShape = (shape: Shape): Schema => {
  switch (shape.form) {
    case 'scalar':
      return { ...SCALARS[shape.scalar] }
    case 'list':
      return { type: 'array', items: ofShape(shape.item) }
    case 'map':
      return { type: 'object', additionalProperties: ofShape(shape.item) }
    case 'struct':
      return schemaOfType(shape.type)
  }
}

const requireKeys = (schema: Schema, keys: readonly string[]): void => {
  const items = schema.items as { properties: Record<string, Schema>; required?: string[] }
  const required = keys.filter(key => items.properties[key]?.default === undefined)
  if (required.length > 0) items.required = required
}

const ofField = (field: FieldSchema): Schema => {
  const schema = ofShape(field.shape)
  if (field.default !== undefined) schema.default = field.default
  if (field.listType) schema['x-kubernetes-list-type'] = field.listType
  if (field.listKeys.length > 0) {
    schema['x-kubernetes-list-map-keys'] = field.listKeys
    requireKeys(schema, field.listKeys)
  }
  const whole = field.mapType ?? field.structType
  if (whole) schema['x-kubernetes-map-type'] = whole
  return schema
}

export const schemaOfType = (type: string): Schema => {
  const { fields, structType } = typeSchema(type)
  const properties = fields.filter(({ name }) => name !== 'metadata').map(field => [field.name, ofField(field)])
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(structType ? { 'x-kubernetes-map-type': structType } : {}),
  }
}

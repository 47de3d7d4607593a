/**
 * A schema as types: each object of it one, for what works by the types of fields (server-side apply, and the checks of
 * what is applied).
 */
import { isObject } from '../own-property.ts'
import {
  defineTypeSchema,
  type FieldSchema,
  forgetTypeSchema,
  type Scalar,
  type Shape,
  type TypeSchema,
} from '../schema.ts'
import type { Schema } from './schema.ts'

const SCALARS: Readonly<Record<string, Scalar>> = {
  string: 'string',
  boolean: 'boolean',
  integer: 'int64',
  number: 'double',
}

const ANYTHING: Shape = { form: 'scalar', scalar: 'any', isDeduced: true }

class TypeMaker {
  readonly names: string[] = []

  shape(schema: Schema, name: string): Shape {
    const { type = '', format = '' } = schema.props
    if (schema.isIntOrString) return ANYTHING
    if (type === 'array') return { form: 'list', item: schema.items ? this.shape(schema.items, `${name}[]`) : ANYTHING }
    if (type === 'object') return this.#object(schema, name)
    if (type === 'string' && format !== '' && format !== 'byte') return { form: 'scalar', scalar: 'intOrString' }
    const scalar = SCALARS[type]
    return scalar ? { form: 'scalar', scalar } : ANYTHING
  }

  #object(schema: Schema, name: string): Shape {
    if (isObject(schema.additional)) {
      return { form: 'map', item: this.shape(schema.additional as unknown as Schema, `${name}{}`) }
    }
    if (schema.additional === true || (schema.preservesUnknown && schema.properties.size === 0 && !schema.isEmbedded)) {
      return { form: 'map', item: ANYTHING }
    }
    this.define(schema, name, schema.isEmbedded)
    return { form: 'struct', type: name }
  }

  define(schema: Schema, name: string, isResource: boolean): void {
    const fields = [...schema.properties]
      .filter(([property]) => !isResource || !['apiVersion', 'kind', 'metadata'].includes(property))
      .map(([property, inner]) => this.#field(property, inner, `${name}.${property}`))
    if (isResource) fields.push(fieldOf('metadata', { form: 'struct', type: 'meta/v1.ObjectMeta' }))
    const type: TypeSchema = {
      name,
      goName: name.slice(name.lastIndexOf('.') + 1),
      root: isResource,
      structType: undefined,
      fields,
      byName: new Map(fields.map(field => [field.name, field])),
      isOpen: schema.preservesUnknown,
    }
    defineTypeSchema(type)
    this.names.push(name)
  }

  #field(property: string, schema: Schema, name: string): FieldSchema {
    const { props } = schema
    const listType = props['x-kubernetes-list-type']
    return {
      ...fieldOf(property, this.shape(schema, name)),
      listType: listType === 'set' || listType === 'map' || listType === 'atomic' ? listType : undefined,
      listKeys: props['x-kubernetes-list-map-keys'] ?? [],
      mapType: props['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : undefined,
      structType: props['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : undefined,
      default: props.default,
    }
  }
}

const fieldOf = (name: string, shape: Shape): FieldSchema => ({
  name,
  shape,
  required: false,
  omit: 'empty',
  pointer: true,
  listType: undefined,
  listKeys: [],
  mapType: undefined,
  structType: undefined,
  patchStrategies: [],
  patchMergeKey: undefined,
  enum: undefined,
  default: undefined,
  rules: [],
})

/** Makes the types of a resource known under names that begin with `name`. Returns the way to forget them. */
export const defineTypes = (schema: Schema, name: string): (() => void) => {
  const maker = new TypeMaker()
  maker.define(schema, name, true)
  return () => {
    for (const made of maker.names) forgetTypeSchema(made)
  }
}

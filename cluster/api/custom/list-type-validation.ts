/** What Kubernetes's extensions for lists and maps ask of a schema. */
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { isObject } from '../own-property.ts'
import type { SchemaProps } from './schema.ts'

const key = (path: string, name: string): string => `${path}[${name}]`

const mustBe = (type: string, props: SchemaProps, path: string, extension: string): FieldError[] => {
  if (props[extension] === undefined || props.type === type) return []
  const detail = `must be ${type} if ${extension} is specified`
  return [props.type ? fieldInvalid(`${path}.type`, props.type, detail) : fieldRequired(`${path}.type`, detail)]
}

const checkSet = ({ items }: SchemaProps, path: string): FieldError[] => {
  if (!isObject(items)) return []
  const item = items as SchemaProps
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
  const listType = item['x-kubernetes-list-type']
  if (item.type === 'array' && listType !== undefined && listType !== 'atomic') {
    return [fieldInvalid(`${path}.items.x-kubernetes-list-type`, listType, detail)]
  }
  return item.type === 'object' && item['x-kubernetes-map-type'] !== 'atomic'
    ? [fieldInvalid(`${path}.items.x-kubernetes-map-type`, listType ?? null, detail)]
    : []
}

const checkMapKeys = (props: SchemaProps, path: string): FieldError[] => {
  const keys = props['x-kubernetes-list-map-keys'] ?? []
  const items = isObject(props.items) ? (props.items as SchemaProps) : undefined
  const errors: FieldError[] = []
  if (keys.length === 0) {
    errors.push(
      fieldRequired(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'),
    )
  }
  if (props.items === undefined) {
    return [...errors, fieldRequired(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map')]
  }
  if (!items) return errors
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map"
    return [...errors, fieldInvalid(`${path}.items.type`, items.type ?? '', detail)]
  }
  for (const [index, name] of keys.entries()) errors.push(...checkMapKey({ keys, index, name }, items, path))
  return errors
}

const checkMapKey = (
  { keys, index, name }: { readonly keys: readonly string[]; readonly index: number; readonly name: string },
  items: SchemaProps,
  path: string,
): FieldError[] => {
  const at = `${path}.x-kubernetes-list-map-keys`
  const property = items.properties?.[name]
  const errors: FieldError[] = []
  if (!property) errors.push(fieldInvalid(at, keys, 'entries must all be names of item properties'))
  else if (property.type === 'array' || property.type === 'object') {
    const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
    errors.push(fieldInvalid(`${key(`${path}.items.properties`, name)}.type`, items.type, detail))
  }
  if (keys.indexOf(name) !== index) errors.push(fieldInvalid(at, keys, 'must not contain duplicate entries'))
  if (!property) return errors
  const below = key(`${path}.items.properties`, name)
  if (!items.required?.includes(name) && property.default === undefined) {
    const detail = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
    errors.push(fieldRequired(`${below}.default`, detail))
  }
  if (property.nullable) {
    errors.push(
      fieldForbidden(`${below}.nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'),
    )
  }
  return errors
}

export const checkListType = (props: SchemaProps, path: string): FieldError[] => {
  const type = props['x-kubernetes-list-type']
  const keys = props['x-kubernetes-list-map-keys'] ?? []
  const at = `${path}.x-kubernetes-list-type`
  const errors = mustBe('array', props, path, 'x-kubernetes-list-type')
  if (errors.length === 0 && type === 'set') errors.push(...checkSet(props, path))
  if (type !== undefined && !['atomic', 'set', 'map'].includes(type)) {
    errors.push(fieldNotSupported(at, type, ['atomic', 'set', 'map']))
  }
  if (keys.length > 0 && type !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    errors.push(type === undefined ? fieldRequired(at, detail) : fieldInvalid(at, type, detail))
  }
  if (type === 'map') errors.push(...checkMapKeys(props, path))
  if ((type === 'map' || type === 'set') && isObject(props.items) && (props.items as SchemaProps).nullable) {
    errors.push(fieldForbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`))
  }
  return errors
}

export const checkMapType = (props: SchemaProps, path: string): FieldError[] => {
  const type = props['x-kubernetes-map-type']
  const errors = mustBe('object', props, path, 'x-kubernetes-map-type')
  if (type !== undefined && type !== 'atomic' && type !== 'granular') {
    errors.push(fieldNotSupported(`${path}.x-kubernetes-map-type`, type, ['atomic', 'granular']))
  }
  return errors
}

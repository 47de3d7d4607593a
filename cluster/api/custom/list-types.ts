/** Items of lists that are sets or maps stand there once. */
import { type FieldError, fieldDuplicate, fieldInvalid } from '../field-error.ts'
import { isObject } from '../own-property.ts'
import { childPath, type Schema } from './schema.ts'

/** The first repetition of each, by index. */
const repetitions = (identities: readonly string[]): number[] => {
  const seen = new Map<string, number>()
  const found: number[] = []
  for (const [index, identity] of identities.entries()) {
    const times = (seen.get(identity) ?? 0) + 1
    seen.set(identity, times)
    if (times === 2) found.push(index)
  }
  return found
}

const keyOf = (item: unknown, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(keys.flatMap(key => (isObject(item) && Object.hasOwn(item, key) ? [[key, item[key]]] : [])))

const validateMap = (list: readonly unknown[], keys: readonly string[], path: string): FieldError[] => {
  const odd = list.findIndex(item => item !== null && !isObject(item))
  if (odd >= 0) return [fieldInvalid(`${path}[${odd}]`, list[odd], 'must be an object for an array of list-type map')]
  const found = list.map(item => keyOf(item, keys.toSorted()))
  return repetitions(found.map(key => JSON.stringify(key))).map(index =>
    fieldDuplicate(`${path}[${index}]`, found[index]),
  )
}

const validateList = (list: readonly unknown[], { props }: Schema, path: string): FieldError[] => {
  const type = props['x-kubernetes-list-type']
  if (type === 'map') return validateMap(list, props['x-kubernetes-list-map-keys'] ?? [], path)
  if (type !== 'set') return []
  return repetitions(list.map(item => JSON.stringify(item))).map(index =>
    fieldDuplicate(`${path}[${index}]`, list[index]),
  )
}

export const validateListTypes = (value: unknown, schema: Schema, path = ''): FieldError[] => {
  if (Array.isArray(value)) {
    const { items } = schema
    const inner = items ? value.flatMap((item, index) => validateListTypes(item, items, `${path}[${index}]`)) : []
    return [...validateList(value, schema, path), ...inner]
  }
  if (!isObject(value)) return []
  const { additional } = schema
  return Object.entries(value).flatMap(([key, inner]) => {
    const property = schema.properties.get(key)
    if (property) return validateListTypes(inner, property, childPath(path, key))
    return isObject(additional) ? validateListTypes(inner, additional as unknown as Schema, `${path}[${key}]`) : []
  })
}

/** Defaults that the types themselves state (`protocol: TCP`). Rules that need more than one field are the kinds'. */
import { isObject } from './own-property.ts'
import { type FieldSchema, type Shape, typeSchema } from './schema.ts'

/** Types that have a default, themselves or somewhere inside: all others need no walk. */
const fruitful = new Map<string, boolean>()

const hasDefaults = (type: string): boolean => {
  const known = fruitful.get(type)
  if (known !== undefined) return known
  // Until shown otherwise: a type that holds itself adds nothing by that.
  fruitful.set(type, false)
  const result = typeSchema(type).fields.some(field => field.default !== undefined || hasDefaultsInside(field.shape))
  fruitful.set(type, result)
  return result
}

const hasDefaultsInside = (shape: Shape): boolean => {
  if (shape.form === 'scalar') return false
  return shape.form === 'struct' ? hasDefaults(shape.type) : hasDefaultsInside(shape.item)
}

const isAbsent = (value: unknown, { pointer }: FieldSchema): boolean =>
  value === undefined || value === null || (!pointer && value === '')

const walk = (value: unknown, shape: Shape): void => {
  if (shape.form === 'struct') {
    if (isObject(value)) applySchemaDefaults(value, shape.type)
  } else if (shape.form !== 'scalar' && hasDefaultsInside(shape)) {
    if (typeof value !== 'object' || value === null) return
    for (const item of Object.values(value)) walk(item, shape.item)
  }
}

const fields = new Map<string, readonly FieldSchema[]>()

/** Those of a type that have a default, or may have one inside. */
const fruitfulFields = (type: string): readonly FieldSchema[] => {
  const known = fields.get(type)
  if (known) return known
  const all = hasDefaults(type) ? typeSchema(type).fields : []
  const found = all.filter(field => field.default !== undefined || hasDefaultsInside(field.shape))
  fields.set(type, found)
  return found
}

/** Fills `object`, read as the type named in types.json, in place. */
export const applySchemaDefaults = (object: Record<string, unknown>, type: string): void => {
  for (const field of fruitfulFields(type)) {
    if (field.default !== undefined && isAbsent(object[field.name], field)) object[field.name] = field.default
    else if (object[field.name] !== undefined) walk(object[field.name], field.shape)
  }
}

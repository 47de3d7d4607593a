/**
 * Of a JSON object, all that says which fields it has: the names in it, which values are zero, and whatever stands in a
 * list, where items are told apart by their values.
 *
 * Promised: values of equal shape have the same set of fields, once they are read as the same type.
 */

/** Characters; a zero of any type is no longer (`0s`), so that what is as short stands in the shape itself. */
const SHORT = 2

const scalarShape = (value: unknown, inList: boolean): string => {
  if (typeof value === 'string') return inList || value.length <= SHORT ? `"${value.length}:${value}` : '$'
  return typeof value === 'number' && value !== 0 && !inList ? '#' : `${value},`
}

const shapeWithin = (value: unknown, inList: boolean): string => {
  if (typeof value !== 'object' || value === null) return scalarShape(value, inList)
  if (Array.isArray(value)) {
    let shape = '['
    for (const item of value) shape += shapeWithin(item, true)
    return `${shape}]`
  }
  let shape = '{'
  // With the length ahead no name can be taken for more than one.
  for (const key in value)
    shape += `${key.length}:${key}${shapeWithin((value as Record<string, unknown>)[key], inList)}`
  return `${shape}}`
}

export const shapeOf = (value: object): string => shapeWithin(value, false)

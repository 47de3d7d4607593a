/** Formats in the schemas of a CustomResourceDefinition that nobody looks at. */
import type { ApiObject } from '../object.ts'
import { specOf } from './definition.ts'
import { formatCheck } from './formats.ts'
import { readSchema, type Schema } from './schema.ts'

const innerOf = ({ items, properties, additional, allOf, anyOf, oneOf, not }: Schema): Schema[] => [
  ...(items ? [items] : []),
  ...allOf,
  ...anyOf,
  ...oneOf,
  ...(not ? [not] : []),
  ...properties.values(),
  ...(typeof additional === 'object' ? [additional] : []),
]

const unrecognizedIn = (schema: Schema): string[] => {
  const { type, format } = schema.props
  const own = type === 'string' && format && !formatCheck(format) ? [format] : []
  return [...own, ...innerOf(schema).flatMap(unrecognizedIn)]
}

const unrecognizedOf = (definition: ApiObject): string[] =>
  (specOf(definition).versions ?? []).flatMap(({ schema }) =>
    schema?.openAPIV3Schema ? unrecognizedIn(readSchema(schema.openAPIV3Schema)) : [],
  )

/** Those that were there before are not told of again. */
export const formatWarnings = (definition: ApiObject, current: ApiObject | undefined): string[] => {
  const known = new Set(current ? unrecognizedOf(current) : [])
  return unrecognizedOf(definition)
    .filter(format => !known.has(format))
    .map(format => `unrecognized format ${JSON.stringify(format)}`)
}

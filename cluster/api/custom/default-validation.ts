/** Whether defaults in a schema are values of it: nothing that would be pruned, nothing that would be refused. */
import { isDeepStrictEqual } from 'node:util'
import { type FieldError, fieldInvalid } from '../field-error.ts'
import { isObject } from '../own-property.ts'
import { applyDefaults } from './defaults.ts'
import { validateEmbedded } from './embedded.ts'
import { validateListTypes } from './list-types.ts'
import { prune } from './prune.ts'
import { validateRules } from './rules.ts'
import type { Schema } from './schema.ts'
import { validateValue } from './validate-value.ts'

const checkDefault = (schema: Schema, path: string): FieldError[] => {
  const value = structuredClone(schema.default)
  if (isObject(value)) {
    const pruned = structuredClone(value)
    prune(pruned, schema, false)
    if (!isDeepStrictEqual(pruned, value)) return [fieldInvalid(path, value, 'must not have unknown fields')]
  }
  if (value === null && !schema.isNullable) return []
  applyDefaults(value, schema)
  const errors = [...validateValue(value, schema), ...validateListTypes(value, schema)]
  if (isObject(value)) errors.push(...validateEmbedded(value, schema))
  if (errors.length === 0 && isObject(value)) errors.push(...validateRules(value, schema))
  return errors.map(error => ({
    ...error,
    field: error.field === '<nil>' ? path : `${path}.${error.field}`,
  }))
}

/** All of a schema's. */
export const validateDefaults = (schema: Schema, path: string): FieldError[] => [
  ...(schema.default === undefined ? [] : checkDefault(schema, `${path}.default`)),
  ...[...schema.properties].flatMap(([name, inner]) => validateDefaults(inner, `${path}.properties[${name}]`)),
  ...(schema.items ? validateDefaults(schema.items, `${path}.items`) : []),
  ...(isObject(schema.additional)
    ? validateDefaults(schema.additional as unknown as Schema, `${path}.additionalProperties`)
    : []),
]

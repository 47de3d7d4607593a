/**
 * What types.json itself forbids: required fields that are absent, values outside a closed set. Kubernetes states these
 * rules in hand-written code field by field; here they follow from the facts. Status is the writer's own business and not
 * looked into, as in Kubernetes; metadata has its own file.
 */
import { runTimeType } from './custom/run-time-type.ts'
import { type FieldError, fieldNotSupported, fieldRequired } from './field-error.ts'
import { isObject } from './own-property.ts'
import {
  enumValues,
  type FieldSchema,
  mayVary,
  type Shape,
  shapeOfValue,
  type TypeSchema,
  typeSchema,
} from './schema.ts'

/** Sets that Kubernetes only names some values of: any other is taken, or judged by a rule of its own. */
const OPEN_ENUMS = new Set([
  'coordination.k8s.io/v1.CoordinatedLeaseStrategy',
  'core/v1.FinalizerName',
  'core/v1.NamespaceConditionType',
  'core/v1.NodeAddressType',
  'core/v1.NodeConditionType',
  'core/v1.PodConditionType',
  'core/v1.ResourceName',
  'core/v1.SecretType',
  'core/v1.StorageMedium',
])

/** Required by the schema, but Kubernetes takes the empty string. */
const MAY_BE_EMPTY = new Set(['core/v1.HTTPHeader.value', 'core/v1.Sysctl.value'])

const NOT_LOOKED_INTO = new Set(['metadata', 'status'])

const closedEnums = new Map<string, readonly string[] | undefined>()

/** The values of a set that nothing may leave, sorted; undefined for an open one. */
const closedEnum = (name: string): readonly string[] | undefined => {
  if (!closedEnums.has(name)) {
    const values = enumValues(name).filter(value => value !== '')
    closedEnums.set(name, OPEN_ENUMS.has(name) ? undefined : values.sort())
  }
  return closedEnums.get(name)
}

/** A list, map or struct cannot tell absent from empty, a number absent from zero: those rules are the kinds'. */
const isMissing = (value: unknown, field: FieldSchema, type: string): boolean => {
  if (!field.required) return false
  if (field.pointer) return value === undefined || value === null
  const isText = field.shape.form === 'scalar' && field.shape.scalar === 'string'
  return isText && (value === undefined || value === '') && !MAY_BE_EMPTY.has(`${type}.${field.name}`)
}

const checkEnum = (value: unknown, path: string, values: readonly string[]): FieldError[] => {
  if (Array.isArray(value)) return value.flatMap((item, index) => checkEnum(item, `${path}[${index}]`, values))
  return typeof value === 'string' && value !== '' && !values.includes(value)
    ? [fieldNotSupported(path, value, values)]
    : []
}

const checkShape = (value: unknown, declared: Shape, path: string): FieldError[] => {
  const shape = shapeOfValue(declared, value)
  if (shape.form === 'scalar') return []
  if (shape.form === 'struct') return isObject(value) ? checkStruct(value, shape.type, path) : []
  if (shape.item.form === 'scalar') return []
  const { item } = shape
  if (Array.isArray(value)) return value.flatMap((element, index) => checkShape(element, item, `${path}[${index}]`))
  return isObject(value)
    ? Object.entries(value).flatMap(([key, element]) => checkShape(element, item, `${path}[${key}]`))
    : []
}

const pathOf = (path: string, { name }: FieldSchema): string => (path === '' ? name : `${path}.${name}`)

interface FieldCheck {
  readonly field: FieldSchema
  readonly values: readonly string[] | undefined
  /** Whether something absent is missed. */
  readonly isNeeded: boolean
}

const checks = new WeakMap<TypeSchema, readonly FieldCheck[]>()

const hasChecksInside = (shape: Shape, seen: Set<string>): boolean => {
  if (shape.form === 'scalar') return false
  if (shape.form !== 'struct') return hasChecksInside(shape.item, seen)
  // A type that holds itself adds nothing by that.
  if (seen.has(shape.type)) return false
  seen.add(shape.type)
  if (mayVary(shape)) return true
  return typeSchema(shape.type).fields.some(
    field => field.required || field.enum !== undefined || hasChecksInside(field.shape, seen),
  )
}

/** The fields of a type about which there is something to say, themselves or somewhere inside. */
const checksOf = (schema: TypeSchema): readonly FieldCheck[] => {
  const known = checks.get(schema)
  if (known) return known
  const found = schema.fields
    .filter(({ name }) => !schema.root || !NOT_LOOKED_INTO.has(name))
    .map(field => ({
      field,
      values: field.enum === undefined ? undefined : closedEnum(field.enum),
      isNeeded: isMissing(undefined, field, schema.name),
    }))
    .filter(({ field, values }) => field.required || values || hasChecksInside(field.shape, new Set()))
  checks.set(schema, found)
  return found
}

const checkStruct = (value: Record<string, unknown>, type: string, path: string): FieldError[] => {
  const errors: FieldError[] = []
  for (const { field, values, isNeeded } of checksOf(typeSchema(type))) {
    const inner = value[field.name]
    // Most fields are neither there nor missed: no path is made for those.
    if (inner === undefined || inner === null) {
      if (isNeeded) errors.push(fieldRequired(pathOf(path, field)))
      continue
    }
    const at = pathOf(path, field)
    if (isMissing(inner, field, type)) errors.push(fieldRequired(at))
    errors.push(...(values ? checkEnum(inner, at, values) : checkShape(inner, field.shape, at)))
  }
  return errors
}

const isSoundEnum = (value: unknown, values: readonly string[]): boolean =>
  Array.isArray(value)
    ? value.every(item => isSoundEnum(item, values))
    : typeof value !== 'string' || value === '' || values.includes(value)

const isSoundShape = (value: unknown, declared: Shape): boolean => {
  const shape = shapeOfValue(declared, value)
  if (shape.form === 'scalar') return true
  if (shape.form === 'struct') return !isObject(value) || isSound(value, shape.type)
  const { item } = shape
  if (item.form === 'scalar' || typeof value !== 'object' || value === null) return true
  return Array.isArray(value)
    ? value.every(element => isSoundShape(element, item))
    : Object.values(value).every(element => isSoundShape(element, item))
}

/** Whether `checkStruct` has nothing to say, found without a path to say it of: nearly always so. */
const isSound = (value: Record<string, unknown>, type: string): boolean => {
  for (const { field, values, isNeeded } of checksOf(typeSchema(type))) {
    const inner = value[field.name]
    if (inner === undefined || inner === null) {
      if (isNeeded) return false
      continue
    }
    if (isMissing(inner, field, type)) return false
    if (values ? !isSoundEnum(inner, values) : !isSoundShape(inner, field.shape)) return false
  }
  return true
}

/** What was made at run time has a schema of its own to answer to. `object`: decoded, so that every value has its type. */
export const validateStructure = (object: Record<string, unknown>, type: string): FieldError[] =>
  runTimeType(type) || isSound(object, type) ? [] : checkStruct(object, type, '')

/**
 * The canonical form of an object: what Kubernetes would print for it. Fields in the source's order, maps by key, zero
 * values left out or printed as the type says (`endpoints: null`, `metadata: {}`, `firstTimestamp: null`). Whatever is
 * stored and served has this form, so that equal objects have equal bytes.
 */
import { runTimeType } from './custom/run-time-type.ts'
import { isObject, setOwn } from './own-property.ts'
import { type FieldSchema, type Scalar, type Shape, shapeOfValue, type TypeSchema, typeSchema } from './schema.ts'

/** What Go prints for a zero value that nothing leaves out. */
const ZEROS: Readonly<Record<Scalar, unknown>> = {
  string: '',
  boolean: false,
  int32: 0,
  int64: 0,
  double: 0,
  bytes: null,
  quantity: '0',
  intOrString: 0,
  time: null,
  microTime: null,
  duration: '0s',
  object: null,
  any: null,
}

/** Structs in Go, which omitempty does not leave out. */
const STRUCT_SCALARS: ReadonlySet<Scalar> = new Set([
  'quantity',
  'intOrString',
  'time',
  'microTime',
  'duration',
  'object',
])

const isZero = (value: unknown, shape: Shape): boolean => {
  if (value === undefined || value === null) return true
  switch (shape.form) {
    case 'scalar':
      return value === ZEROS[shape.scalar] || value === ''
    case 'list':
      return Array.isArray(value) && value.length === 0
    case 'map':
      return Object.keys(value).length === 0
    case 'struct':
      return isObject(value) && typeSchema(shape.type).fields.every(field => isFieldZero(value[field.name], field))
  }
}

const isFieldZero = (value: unknown, field: FieldSchema): boolean =>
  field.pointer ? value === undefined || value === null : isZero(value, field.shape)

const isLeftOut = (value: unknown, field: FieldSchema): boolean => {
  const absent = value === undefined || value === null
  if (field.omit === 'never') return false
  if (field.pointer) return absent
  if (field.omit === 'zero') return isZero(value, field.shape)
  if (field.shape.form === 'struct') return false
  if (field.shape.form === 'scalar' && STRUCT_SCALARS.has(field.shape.scalar)) return false
  return isZero(value, field.shape)
}

const zeroOf = (field: FieldSchema): unknown => {
  if (field.pointer) return null
  switch (field.shape.form) {
    case 'scalar':
      return ZEROS[field.shape.scalar]
    case 'struct':
      return encodeStruct({}, field.shape.type)
    default:
      return null
  }
}

const encodeShape = (value: unknown, declared: Shape): unknown => {
  const shape = shapeOfValue(declared, value)
  switch (shape.form) {
    case 'scalar':
      return value
    case 'list':
      return Array.isArray(value) ? value.map(item => encodeShape(item, shape.item)) : value
    case 'map': {
      if (!isObject(value)) return value
      const map: Record<string, unknown> = {}
      for (const key of Object.keys(value).sort())
        if (value[key] !== undefined) setOwn(map, key, encodeShape(value[key], shape.item))
      return map
    }
    case 'struct':
      return isObject(value) ? encodeStruct(value, shape.type) : value
  }
}

const encodeField = (value: unknown, field: FieldSchema): unknown => {
  if (value === undefined || value === null) return zeroOf(field)
  // A list or map without members is nil after a trip through Kubernetes's storage.
  if (field.shape.form !== 'struct' && field.shape.form !== 'scalar' && isZero(value, field.shape)) return null
  return encodeShape(value, field.shape)
}

/** What of a field follows from its type alone. */
interface FieldPlan {
  readonly name: string
  readonly field: FieldSchema
  /** Left out where it is not there, as most fields of most objects are. */
  readonly mayBeAbsent: boolean
  /** What is there is printed as it is. */
  readonly isScalar: boolean
  /** Of a scalar: whether it is left out where it is zero, and what that is besides the empty text. */
  readonly omitsZero: boolean
  readonly zero: unknown
}

interface StructPlan {
  readonly root: boolean
  readonly fields: readonly FieldPlan[]
}

const plans = new WeakMap<TypeSchema, StructPlan>()

/** Types are made and forgotten while the server runs; a plan lasts as long as its schema. */
const planOf = (schema: TypeSchema): StructPlan => {
  const known = plans.get(schema)
  if (known) return known
  const plan = {
    root: schema.root,
    fields: schema.fields.map(field => {
      const { name, shape } = field
      const isScalar = shape.form === 'scalar'
      const mayBeAbsent = isLeftOut(undefined, field)
      const zero = isScalar ? ZEROS[shape.scalar] : undefined
      return { name, field, mayBeAbsent, isScalar, omitsZero: isScalar && isLeftOut('', field), zero }
    }),
  }
  plans.set(schema, plan)
  return plan
}

const encodeStruct = (value: Record<string, unknown>, type: string): Record<string, unknown> => {
  const { root, fields } = planOf(typeSchema(type))
  const struct: Record<string, unknown> = {}
  if (root) {
    if (value.kind !== undefined) struct.kind = value.kind
    if (value.apiVersion !== undefined) struct.apiVersion = value.apiVersion
  }
  for (const { name, field, mayBeAbsent, isScalar, omitsZero, zero } of fields) {
    const raw = value[name]
    if (raw === undefined && mayBeAbsent) continue
    if (isScalar && raw !== undefined && raw !== null) {
      if (!omitsZero || (raw !== zero && raw !== '')) struct[name] = raw
    } else if (!isLeftOut(raw, field)) struct[name] = encodeField(raw, field)
  }
  return struct
}

/** A canonical copy of `object`, read as the type named in types.json. Fields that the type lacks are dropped. */
export const encodeObject = <T extends Record<string, unknown>>(object: T, type: string): T =>
  (runTimeType(type)?.encode(object) ?? encodeStruct(object, type)) as T

/**
 * Reads a JSON value as a type of the API: what the type does not know is left out and told, what has the wrong type is
 * a problem in the words of Go's JSON decoder (clients and people know them). The result is a copy in the type's field
 * order; null means absent; times and quantities come out as Kubernetes prints them.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import { runTimeType } from './custom/run-time-type.ts'
import { isObject, setOwn } from './own-property.ts'
import { formatQuantity, parseQuantity, QUANTITY_SYNTAX } from './quantity.ts'
import { type FieldSchema, type Scalar, type Shape, shapeOfValue, typeSchema } from './schema.ts'
import { formatMicroTime, formatTime, parseTimestamp } from './timestamp.ts'

export interface Decoded {
  readonly value: Record<string, unknown>
  /** Paths of fields that the type does not have: `spec.foo`, `spec.ports[0].foo`. */
  readonly unknownFields: readonly string[]
}

/** Where the reader stands; paths become text only when there is something to say. */
interface Cursor {
  readonly path: (string | number)[]
  /** Go's errorContext: the struct around the value. */
  struct: string
  readonly unknownFields: string[]
  /** The first problem; later ones are not looked for. */
  problem: string | undefined
}

/** As Kubernetes bounds it, so that an object of junk does not become a response of junk. */
const MAX_UNKNOWN_FIELDS = 100

const GO_SCALARS: Readonly<Record<Scalar, string>> = {
  string: 'string',
  boolean: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  intOrString: 'int32',
  time: 'string',
  microTime: 'string',
  duration: 'string',
  object: 'runtime.RawExtension',
  any: 'interface {}',
}

const unqualified = (name: string): string => name.slice(name.lastIndexOf('/') + 1)

const goType = (shape: Shape, named?: string): string => {
  switch (shape.form) {
    case 'scalar':
      return shape.scalar === 'string' && named !== undefined ? unqualified(named) : GO_SCALARS[shape.scalar]
    case 'list':
      return `[]${goType(shape.item, named)}`
    case 'map':
      return `map[string]${goType(shape.item, named)}`
    case 'struct':
      return unqualified(shape.type)
  }
}

const goValue = (value: unknown): string => {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value
}

const pathText = (path: readonly (string | number)[]): string => {
  let text = ''
  for (const step of path) text += typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`
  return text
}

const mismatch = (cursor: Cursor, described: string, type: string): undefined => {
  const fields = cursor.path.filter(step => typeof step === 'string').join('.')
  cursor.problem ??=
    fields === ''
      ? `json: cannot unmarshal ${described} into Go value of type ${type}`
      : `json: cannot unmarshal ${described} into Go struct field ${cursor.struct}.${fields} of type ${type}`
  return undefined
}

const refuse = (cursor: Cursor, problem: string): undefined => {
  cursor.problem ??= problem
  return undefined
}

/** Values that write their own decoding in Kubernetes do not know which field they are. */
const foreign = (cursor: Cursor, value: unknown, type: string): undefined =>
  refuse(cursor, `json: cannot unmarshal ${goValue(value)} into Go value of type ${type}`)

const INTEGER_RANGES = { int32: 2 ** 31, int64: 2 ** 63 } as const

const readInteger = (value: unknown, scalar: 'int32' | 'int64', cursor: Cursor): number | undefined => {
  if (typeof value !== 'number') return mismatch(cursor, goValue(value), scalar)
  const limit = INTEGER_RANGES[scalar]
  if (!Number.isInteger(value) || value < -limit || value >= limit) return mismatch(cursor, `number ${value}`, scalar)
  return value
}

const readTime = (value: unknown, scalar: 'time' | 'microTime', cursor: Cursor): string | undefined => {
  if (typeof value !== 'string') return foreign(cursor, value, 'string')
  const microseconds = parseTimestamp(value)
  if (microseconds !== undefined) return scalar === 'time' ? formatTime(microseconds) : formatMicroTime(microseconds)
  const layout = scalar === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00'
  return refuse(cursor, `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(value)}`)
}

const readQuantity = (value: unknown, cursor: Cursor): string | undefined => {
  if (typeof value !== 'string' && typeof value !== 'number') return refuse(cursor, QUANTITY_SYNTAX)
  const quantity = parseQuantity(String(value).trim())
  return quantity ? formatQuantity(quantity) : refuse(cursor, QUANTITY_SYNTAX)
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

const readBytes = (value: unknown, cursor: Cursor): string | undefined => {
  if (typeof value !== 'string') return mismatch(cursor, goValue(value), '[]uint8')
  // Go ignores line ends inside base64.
  const text = value.replaceAll(/[\r\n]/g, '')
  if (BASE64.test(text)) return text
  const bad = /[^A-Za-z0-9+/]/.exec(text)
  return refuse(cursor, `illegal base64 data at input byte ${bad?.index ?? text.length}`)
}

const readScalar = (value: unknown, scalar: Scalar, cursor: Cursor, named: string | undefined): unknown => {
  switch (scalar) {
    case 'string':
      return typeof value === 'string' ? value : mismatch(cursor, goValue(value), named ? unqualified(named) : 'string')
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(cursor, goValue(value), 'bool')
    case 'int32':
    case 'int64':
      return readInteger(value, scalar, cursor)
    case 'double':
      return typeof value === 'number' ? value : mismatch(cursor, goValue(value), 'float64')
    case 'bytes':
      return readBytes(value, cursor)
    case 'quantity':
      return readQuantity(value, cursor)
    case 'intOrString':
      if (typeof value === 'string') return value
      if (typeof value !== 'number') return foreign(cursor, value, 'int32')
      return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : foreign(cursor, value, 'int32')
    case 'time':
    case 'microTime':
      return readTime(value, scalar, cursor)
    case 'duration':
      return typeof value === 'string' ? value : foreign(cursor, value, 'string')
    case 'object':
    case 'any':
      return value
  }
}

const readList = (value: unknown, item: Shape, cursor: Cursor, field: FieldSchema): unknown => {
  if (!Array.isArray(value)) return mismatch(cursor, goValue(value), goType({ form: 'list', item }, field.enum))
  const list: unknown[] = []
  for (let index = 0; index < value.length && cursor.problem === undefined; index++) {
    cursor.path.push(index)
    // Go reads null into an element as its zero value.
    const element = value[index] ?? zeroElement(item)
    list.push(element === undefined ? null : readShape(element, item, cursor, field))
    cursor.path.pop()
  }
  return list
}

const zeroElement = (shape: Shape): unknown => {
  if (shape.form === 'struct' || shape.form === 'map') return {}
  if (shape.form === 'list') return []
  return shape.scalar === 'string' ? '' : undefined
}

const readMap = (value: unknown, item: Shape, cursor: Cursor, field: FieldSchema): unknown => {
  if (!isObject(value)) return mismatch(cursor, goValue(value), goType({ form: 'map', item }, field.enum))
  const map: Record<string, unknown> = {}
  // Go prints map keys sorted.
  for (const key of Object.keys(value).sort()) {
    if (cursor.problem !== undefined) break
    const element = value[key] ?? zeroElement(item)
    // Map keys are part of the path of an unknown field, but not of Go's field stack.
    if (item.form === 'scalar') {
      setOwn(map, key, element === undefined ? null : readScalar(element, item.scalar, cursor, field.enum))
    } else {
      cursor.path.push(key)
      setOwn(map, key, readShape(element, item, cursor, field))
      cursor.path.pop()
    }
  }
  return map
}

const noteUnknown = (value: Record<string, unknown>, known: ReadonlySet<string>, cursor: Cursor): void => {
  for (const key of Object.keys(value)) {
    if (known.has(key) || cursor.unknownFields.length >= MAX_UNKNOWN_FIELDS) continue
    cursor.unknownFields.push(pathText([...cursor.path, key]))
  }
}

const knownFields = new Map<string, ReadonlySet<string>>()

const fieldNames = (type: string): ReadonlySet<string> => {
  const known = knownFields.get(type)
  if (known) return known
  const schema = typeSchema(type)
  const names = new Set(schema.byName.keys())
  if (schema.root) names.add('apiVersion').add('kind')
  knownFields.set(type, names)
  return names
}

const readStruct = (value: unknown, type: string, cursor: Cursor): Record<string, unknown> | undefined => {
  if (!isObject(value)) return mismatch(cursor, goValue(value), unqualified(type))
  const schema = typeSchema(type)
  const outer = cursor.struct
  const struct: Record<string, unknown> = {}
  let seen = 0
  if (schema.root) {
    for (const name of ['kind', 'apiVersion']) {
      if (!Object.hasOwn(value, name)) continue
      seen++
      if (typeof value[name] === 'string') struct[name] = value[name]
    }
  }
  for (const field of schema.fields) {
    if (!Object.hasOwn(value, field.name)) continue
    seen++
    const raw = value[field.name]
    if (raw === null || raw === undefined || cursor.problem !== undefined) continue
    cursor.struct = schema.goName
    cursor.path.push(field.name)
    const read = readShape(raw, field.shape, cursor, field)
    cursor.path.pop()
    if (read !== undefined) struct[field.name] = read
  }
  cursor.struct = outer
  if (seen !== Object.keys(value).length) noteUnknown(value, fieldNames(type), cursor)
  return struct
}

const readShape = (value: unknown, declared: Shape, cursor: Cursor, field: FieldSchema): unknown => {
  const shape = shapeOfValue(declared, value)
  switch (shape.form) {
    case 'scalar':
      return readScalar(value, shape.scalar, cursor, field.enum)
    case 'list':
      return readList(value, shape.item, cursor, field)
    case 'map':
      return readMap(value, shape.item, cursor, field)
    case 'struct':
      return readStruct(value, shape.type, cursor)
  }
}

/**
 * Reads `value` as the type named in types.json. The problem is the sentence that Go's decoder would end with, without
 * what Kubernetes puts before it. Integers beyond 2^53 lose their last digits, as in all of JavaScript.
 */
export const decodeValue = (value: unknown, type: string): Result<Decoded, string> => {
  const made = runTimeType(type)
  if (made) return made.decode(value)
  const cursor: Cursor = { path: [], struct: typeSchema(type).goName, unknownFields: [], problem: undefined }
  const read = readStruct(value, type, cursor)
  if (cursor.problem !== undefined || read === undefined) return refused(cursor.problem ?? 'json: cannot unmarshal')
  return accepted({ value: read, unknownFields: cursor.unknownFields })
}

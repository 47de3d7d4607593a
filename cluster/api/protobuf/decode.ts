/**
 * Request bodies in Kubernetes's protobuf (`application/vnd.kubernetes.protobuf`), which kubectl's `create` commands
 * send: the envelope `k8s\0` + runtime.Unknown, then the object by the field numbers of types.json. What comes out is the
 * JSON value that a client would have sent instead, so that all that follows is the same for both.
 *
 * Go's encoder writes zero values too; where JSON would leave a field out, so does this.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import { type FieldSchema, findType, type Scalar, type Shape, typeSchema, wireFields } from '../schema.ts'
import {
  bytesOf,
  integerOf,
  MalformedMessage,
  readMessage,
  textOf,
  type WireEntry,
  type WireValue,
} from './wire-reader.ts'

export const PROTOBUF_MEDIA_TYPE = 'application/vnd.kubernetes.protobuf'

/** First bytes of every message (k8s.io/apimachinery, "runtime/serializer/protobuf"). */
const MAGIC = Buffer.from('k8s\0')

/** No type of the API nests deeper, and no walk over it exhausts the stack. */
const MAX_DEPTH = 100

const NANOSECONDS = 1_000_000_000n

/** The fields of one of the small messages that stand for a scalar, the last of each number. */
const smallMessage = (value: WireValue): Map<number, WireValue> =>
  new Map(readMessage(bytesOf(value)).map(entry => [entry.number, entry.value]))

const integerIn = (message: Map<number, WireValue>, number: number): bigint => {
  const value = message.get(number)
  return value ? integerOf(value) : 0n
}

const textIn = (message: Map<number, WireValue>, number: number): string => {
  const value = message.get(number)
  return value ? textOf(value) : ''
}

/** meta/v1.Time, MicroTime: seconds and nanoseconds since 1970; both 0: no time. */
const decodeTime = (value: WireValue, digits: 0 | 6): string | null => {
  const message = smallMessage(value)
  const [seconds, nanoseconds] = [integerIn(message, 1), integerIn(message, 2)]
  if (seconds === 0n && nanoseconds === 0n) return null
  const date = new Date(Number(seconds) * 1000)
  if (Number.isNaN(date.getTime())) throw new MalformedMessage('a time is out of range')
  const fraction = digits === 0 ? '' : `.${String(nanoseconds / 1000n).padStart(6, '0')}`
  return `${date.toISOString().slice(0, 19)}${fraction}Z`
}

/** meta/v1.Duration, in nanoseconds: `90s`, `0.5s`. */
const decodeDuration = (value: WireValue): string => {
  const all = integerIn(smallMessage(value), 1)
  const size = all < 0n ? -all : all
  const fraction = String(size % NANOSECONDS)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${all < 0n ? '-' : ''}${size / NANOSECONDS}${fraction ? `.${fraction}` : ''}s`
}

/** util/intstr.IntOrString: which of the two, the number, the text. */
const decodeIntOrString = (value: WireValue): number | string => {
  const message = smallMessage(value)
  return integerIn(message, 1) === 0n ? Number(BigInt.asIntN(32, integerIn(message, 2))) : textIn(message, 3)
}

const decodeRawJson = (value: WireValue): unknown => {
  const text = textIn(smallMessage(value), 1)
  if (text === '') return null
  try {
    return JSON.parse(text)
  } catch {
    throw new MalformedMessage('embedded JSON is malformed')
  }
}

const decodeDouble = (value: WireValue): number => {
  if (value.wire !== 'fixed64') throw new MalformedMessage('a 64-bit field was expected')
  return value.value.readDoubleLE()
}

const decodeScalar: Readonly<Record<Scalar, (value: WireValue) => unknown>> = {
  string: textOf,
  boolean: value => integerOf(value) !== 0n,
  int32: value => Number(BigInt.asIntN(32, integerOf(value))),
  int64: value => Number(integerOf(value)),
  double: decodeDouble,
  bytes: value => bytesOf(value).toString('base64'),
  quantity: value => textIn(smallMessage(value), 1),
  intOrString: decodeIntOrString,
  time: value => decodeTime(value, 0),
  microTime: value => decodeTime(value, 6),
  duration: decodeDuration,
  object: decodeRawJson,
  any: decodeRawJson,
}

const zeroOf = (shape: Shape): unknown => {
  if (shape.form !== 'scalar') return {}
  return shape.scalar === 'boolean' ? false : shape.scalar.startsWith('int') || shape.scalar === 'double' ? 0 : ''
}

const SCHEMA = 'apiextensions.k8s.io/v1.JSONSchemaProps'

/** Types of Go that have a field for each of two forms here, and are one or the other in JSON. */
const UNIONS: Readonly<Record<string, (fields: readonly WireEntry[], depth: number) => unknown>> = {
  [`${SCHEMA}OrBool`]: (fields, depth) => {
    const schema = fields.findLast(({ number }) => number === 2)
    const allows = fields.findLast(({ number }) => number === 1)
    if (schema) return decodeStruct(SCHEMA, bytesOf(schema.value), depth)
    return allows !== undefined && integerOf(allows.value) !== 0n
  },
  [`${SCHEMA}OrArray`]: (fields, depth) => {
    const single = fields.findLast(({ number }) => number === 1)
    if (single) return decodeStruct(SCHEMA, bytesOf(single.value), depth)
    return fields.filter(({ number }) => number === 2).map(({ value }) => decodeStruct(SCHEMA, bytesOf(value), depth))
  },
  [`${SCHEMA}OrStringArray`]: (fields, depth) => {
    const schema = fields.findLast(({ number }) => number === 1)
    if (schema) return decodeStruct(SCHEMA, bytesOf(schema.value), depth)
    return fields.filter(({ number }) => number === 2).map(({ value }) => textOf(value))
  },
}

const decodeShape = (shape: Shape, value: WireValue, depth: number): unknown => {
  if (shape.form === 'scalar') return decodeScalar[shape.scalar](value)
  if (shape.form === 'struct') {
    const union = UNIONS[shape.type]
    return union ? union(readMessage(bytesOf(value)), depth + 1) : decodeStruct(shape.type, bytesOf(value), depth + 1)
  }
  if (shape.form === 'map') throw new MalformedMessage('maps of maps are not written')
  // A list as a member of another, or of a map, is a message with `items` (authentication/v1.ExtraValue).
  const items = readMessage(bytesOf(value)).filter(({ number }) => number === 1)
  return items.map(entry => decodeShape(shape.item, entry.value, depth + 1))
}

const decodeEntry = (item: Shape, value: WireValue, depth: number): readonly [string, unknown] => {
  const entry = smallMessage(value)
  const content = entry.get(2)
  return [textIn(entry, 1), content ? decodeShape(item, content, depth) : zeroOf(item)]
}

/** Sets a property of any name, `__proto__` included. */
const define = (target: object, name: string, value: unknown): void => {
  Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}

const isZero = (value: unknown): boolean => {
  if (value === null || value === '' || value === 0 || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** What is there although it looks like zero: JSON of whatever kind, and an empty text where a number would be 0. */
const isSaid = (value: unknown, shape: Shape): boolean => {
  if (shape.form !== 'scalar' || value === null) return false
  return shape.scalar === 'object' || shape.scalar === 'any' || (shape.scalar === 'intOrString' && value === '')
}

/** Whether JSON would leave it out. A struct that says nothing is left out always. */
const isLeftOut = ({ omit, pointer, shape }: FieldSchema, value: unknown): boolean => {
  if (isSaid(value, shape)) return false
  if (pointer || !isZero(value)) return value === null
  return omit !== 'never' || value === null || shape.form === 'struct'
}

const decodeStruct = (type: string, bytes: Buffer, depth: number): Record<string, unknown> => {
  if (depth > MAX_DEPTH) throw new MalformedMessage('exceeded max depth')
  const object: Record<string, unknown> = {}
  const fields = wireFields(type)
  for (const { number, value } of readMessage(bytes)) {
    const known = fields.get(number)
    if (!known) continue
    if ('inline' in known) Object.assign(object, decodeStruct(known.inline, bytesOf(value), depth + 1))
    else decodeField(object, known.field, value, depth)
  }
  return object
}

const decodeField = (object: Record<string, unknown>, field: FieldSchema, value: WireValue, depth: number): void => {
  const { name, shape } = field
  if (shape.form === 'list') {
    const list = (object[name] ??= []) as unknown[]
    list.push(decodeShape(shape.item, value, depth))
  } else if (shape.form === 'map') {
    const map = (object[name] ??= {}) as object
    define(map, ...decodeEntry(shape.item, value, depth))
  } else {
    const decoded = decodeShape(shape, value, depth)
    if (!isLeftOut(field, decoded)) object[name] = decoded
  }
}

/** `v1` Service → `core/v1.Service`; options stand in every group and are meta/v1's. */
const typeOf = (apiVersion: string, kind: string): string | undefined => {
  const name = `${apiVersion.includes('/') ? apiVersion : `core/${apiVersion}`}.${kind}`
  return (findType(name) ?? findType(`meta/v1.${kind}`))?.name
}

/** The object with its apiVersion and kind. The problem is a sentence. */
export const decodeProtobuf = (body: Uint8Array): Result<Record<string, unknown>, string> => {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    return refused('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]')
  try {
    // runtime.Unknown: 1 the type (apiVersion, kind), 2 the object's own message.
    const envelope = new Map(readMessage(bytes.subarray(MAGIC.length)).map(entry => [entry.number, entry.value]))
    const identity = envelope.get(1)
    const named = identity ? smallMessage(identity) : new Map<number, WireValue>()
    const [apiVersion, kind] = [textIn(named, 1), textIn(named, 2)]
    const type = typeOf(apiVersion, kind)
    if (type === undefined) return refused(`no kind "${kind}" is registered for version "${apiVersion}"`)
    const raw = envelope.get(2)
    const object = decodeStruct(typeSchema(type).name, raw ? bytesOf(raw) : Buffer.alloc(0), 0)
    return accepted({ apiVersion, kind, ...object })
  } catch (error) {
    if (error instanceof MalformedMessage) return refused(error.message)
    throw error
  }
}

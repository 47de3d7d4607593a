/**
 * Answers in Kubernetes's protobuf (`application/vnd.kubernetes.protobuf`): the envelope `k8s\0` + runtime.Unknown, then the
 * object by the field numbers of types.json. What Go's decoder makes of it is the object that our JSON says; its own encoder
 * writes zero values too, which no decoder can tell from absent ones.
 *
 * Promised: `decodeProtobuf` undoes it, but for lists and maps without members, which protobuf does not know.
 */
import { PbfWriter } from 'pbf'
import { type FieldSchema, type Scalar, type Shape, wireFields } from '../schema.ts'
import { parseTimestamp } from '../timestamp.ts'

const MAGIC = Buffer.from('k8s\0')

/** Protocol Buffers, "Encoding". */
const VARINT = 0
const FIXED64 = 1
const BYTES = 2

/** Writes a value under a field's number. */
type WriteField = (writer: PbfWriter, number: number, value: unknown) => void
/** Writes the fields of a message. */
type WriteMessage = (value: never, writer: PbfWriter) => void

const text: WriteField = (writer, number, value) => {
  writer.writeTag(number, BYTES)
  writer.writeString(String(value))
}

const integer: WriteField = (writer, number, value) => {
  writer.writeTag(number, VARINT)
  writer.writeVarint(Number(value))
}

const bytes = (writer: PbfWriter, number: number, value: Uint8Array): void => {
  writer.writeTag(number, BYTES)
  writer.writeBytes(value)
}

const message =
  (write: (value: unknown, writer: PbfWriter) => void): WriteField =>
  (writer, number, value) =>
    writer.writeMessage(number, write, value)

const MILLION = 1_000_000n
const WHOLE_SECONDS = '2031-01-01T00:00:00Z'.length

/** meta/v1.Time and MicroTime: seconds and nanoseconds since 1970. */
const time = message((value, writer) => {
  const said = String(value)
  // Canonical times of whole seconds are nearly all that there are.
  if (said.length === WHOLE_SECONDS && said.endsWith('Z')) return integer(writer, 1, Date.parse(said) / 1000)
  const microseconds = parseTimestamp(said) ?? 0n
  const fraction = ((microseconds % MILLION) + MILLION) % MILLION
  integer(writer, 1, (microseconds - fraction) / MILLION)
  integer(writer, 2, fraction * 1000n)
})

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

/** As Go writes it: `1h30m0.5s`. */
const nanosecondsOf = (duration: string): number => {
  let sum = 0
  for (const [, amount, unit] of duration.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(amount) * NANOSECONDS[unit!]!
  return Math.round(duration.startsWith('-') ? -sum : sum)
}

/** util/intstr.IntOrString: which of the two, the number, the text. */
const intOrString = message((value, writer) => {
  if (typeof value === 'number') integer(writer, 2, value)
  else {
    integer(writer, 1, 1)
    text(writer, 3, value)
  }
})

/** Of values that nobody changes any more: sets of owned fields, which objects share by the thousand. */
const written = new WeakMap<object, Buffer>()

const jsonBytes = (value: unknown): Buffer => {
  const isKept = typeof value === 'object' && value !== null && Object.isFrozen(value)
  const known = isKept ? written.get(value) : undefined
  if (known) return known
  const made = Buffer.from(JSON.stringify(value))
  if (isKept) written.set(value, made)
  return made
}

/** RawExtension, FieldsV1, JSON: JSON as bytes. */
const rawJson = message((value, writer) => bytes(writer, 1, jsonBytes(value)))

const SCALARS: Readonly<Record<Scalar, WriteField>> = {
  string: text,
  boolean: (writer, number, value) => integer(writer, number, value === true ? 1 : 0),
  int32: integer,
  int64: integer,
  double: (writer, number, value) => {
    writer.writeTag(number, FIXED64)
    writer.writeDouble(Number(value))
  },
  bytes: (writer, number, value) => bytes(writer, number, Buffer.from(String(value), 'base64')),
  quantity: message((value, writer) => text(writer, 1, value)),
  intOrString,
  time,
  microTime: time,
  duration: message((value, writer) => integer(writer, 1, nanosecondsOf(String(value)))),
  object: rawJson,
  any: rawJson,
}

const SCHEMA = 'apiextensions.k8s.io/v1.JSONSchemaProps'

const schemaField = (number: number, value: unknown, writer: PbfWriter): void =>
  writer.writeMessage(number, messageOf(SCHEMA), value as never)

/** Types of Go that are one or the other in JSON, and have a field for each in protobuf. */
const UNIONS: Readonly<Record<string, (value: unknown, writer: PbfWriter) => void>> = {
  [`${SCHEMA}OrBool`]: (value, writer) => {
    SCALARS.boolean(writer, 1, value !== false)
    if (typeof value === 'object') schemaField(2, value, writer)
  },
  [`${SCHEMA}OrArray`]: (value, writer) => {
    if (Array.isArray(value)) for (const item of value) schemaField(2, item, writer)
    else schemaField(1, value, writer)
  },
  [`${SCHEMA}OrStringArray`]: (value, writer) => {
    if (Array.isArray(value)) for (const item of value) text(writer, 2, item)
    else schemaField(1, value, writer)
  },
}

/** A list as a member of another, or of a map, is a message with `items` (authentication/v1.ExtraValue). */
const writeMember = (shape: Shape): WriteField => {
  const write = writeShape(shape)
  return shape.form === 'list' ? message((value, writer) => write(writer, 1, value)) : write
}

const writeShape = (shape: Shape): WriteField => {
  switch (shape.form) {
    case 'scalar':
      return SCALARS[shape.scalar]
    case 'struct':
      return (writer, number, value) => writer.writeMessage(number, messageOf(shape.type), value as never)
    case 'list': {
      const item = writeMember(shape.item)
      return (writer, number, value) => {
        for (const element of value as readonly unknown[]) item(writer, number, element)
      }
    }
    case 'map': {
      const item = writeMember(shape.item)
      const entry = message((pair, writer) => {
        const [key, element] = pair as readonly [string, unknown]
        text(writer, 1, key)
        item(writer, 2, element)
      })
      return (writer, number, value) => {
        for (const pair of Object.entries(value as object)) entry(writer, number, pair)
      }
    }
  }
}

type WritePart = (object: Readonly<Record<string, unknown>>, writer: PbfWriter) => void

const writePart = (number: number, { name, shape }: FieldSchema): WritePart => {
  const write = writeShape(shape)
  return (object, writer) => {
    const value = object[name]
    if (value !== undefined && value !== null) write(writer, number, value)
  }
}

const compile = (type: string): WriteMessage => {
  const parts: WritePart[] = []
  for (const [number, field] of [...wireFields(type)].sort(([a], [b]) => a - b)) {
    if ('field' in field) parts.push(writePart(number, field.field))
    else parts.push((object, writer) => writer.writeMessage(number, messageOf(field.inline), object as never))
  }
  return (object, writer) => {
    for (const part of parts) part(object, writer)
  }
}

const compiled = new Map<string, WriteMessage>()

const messageOf = (type: string): WriteMessage => {
  const known = compiled.get(type)
  if (known) return known
  const write = (UNIONS[type] as WriteMessage | undefined) ?? compile(type)
  compiled.set(type, write)
  return write
}

/** Whether objects of a type can be sent so: those of CustomResourceDefinitions have no numbers. */
export const hasProtobuf = (type: string): boolean => wireFields(type).size > 0

/** Where messages are written before they are cut out: most fit, and none has to grow from nothing. */
const room = new Uint8Array(64 * 1024)

/** The message of an object without its envelope. `type`: as types.json names it. */
export const encodeMessage = (object: Readonly<Record<string, unknown>>, type: string): Buffer => {
  const writer = new PbfWriter(room)
  messageOf(type)(object as never, writer)
  return Buffer.from(writer.finish())
}

export interface Identity {
  readonly apiVersion: string
  readonly kind: string
}

/** `k8s\0` and runtime.Unknown: 1 the type (1 apiVersion, 2 kind), 2 the object's own message, which follows: `length` bytes. */
const envelopeHead = ({ apiVersion, kind }: Identity, length: number): Buffer => {
  const writer = new PbfWriter()
  message((_value, inner) => {
    text(inner, 1, apiVersion)
    text(inner, 2, kind)
  })(writer, 1, undefined)
  writer.writeTag(2, BYTES)
  writer.writeVarint(length)
  return Buffer.concat([MAGIC, writer.finish()])
}

export const envelope = (identity: Identity, content: Uint8Array): Buffer =>
  Buffer.concat([envelopeHead(identity, content.length), content])

/** An object with its apiVersion and kind. */
export const encodeProtobuf = (object: Readonly<Record<string, unknown>> & Identity, type: string): Buffer =>
  envelope(object, encodeMessage(object, type))

export interface Items {
  readonly type: string
  readonly objects: Iterable<Readonly<Record<string, unknown>>>
}

/** A list of any kind, in pieces: 1 its metadata (meta/v1.ListMeta), 2 each item's message. */
export const encodeListProtobuf = (
  identity: Identity,
  metadata: Readonly<Record<string, unknown>>,
  { type, objects }: Items,
): Buffer[] => {
  const write = messageOf(type)
  const pieces: Buffer[] = []
  let length = 0
  let writer = new PbfWriter(room)
  const cut = (): void => {
    const piece = Buffer.from(writer.finish())
    pieces.push(piece)
    length += piece.length
    writer = new PbfWriter(room)
  }
  writer.writeMessage(1, messageOf('meta/v1.ListMeta'), metadata as never)
  for (const object of objects) {
    writer.writeMessage(2, write, object as never)
    // So that the next one still has room.
    if (writer.pos > room.length / 2) cut()
  }
  cut()
  return [envelopeHead(identity, length), ...pieces]
}

/** meta/v1.WatchEvent: 1 its type, 2 the enveloped object as a RawExtension. Without an envelope of its own. */
export const encodeWatchEvent = (type: string, object: Uint8Array): Buffer => {
  const writer = new PbfWriter()
  text(writer, 1, type)
  message((value, inner) => bytes(inner, 1, value as Uint8Array))(writer, 2, object)
  return Buffer.from(writer.finish())
}

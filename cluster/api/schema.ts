/**
 * The types of the Kubernetes API as `types.json` states them, read once and compiled type by type as they are asked for:
 * inline fields flattened, other names for a type resolved, `[]T` and `{}T` parsed. Decoding, encoding, validation,
 * patches and OpenAPI all follow from what this file gives; it has no opinion on any kind.
 */
import assert from 'node:assert'
import { readFileSync } from 'node:fs'

export type Scalar =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  | 'bytes'
  | 'quantity'
  | 'intOrString'
  | 'time'
  | 'microTime'
  | 'duration'
  | 'object'
  | 'any'

export type Shape =
  /** `isDeduced`: what it is shows in the value. */
  | { readonly form: 'scalar'; readonly scalar: Scalar; readonly isDeduced?: boolean }
  | { readonly form: 'list'; readonly item: Shape }
  | { readonly form: 'map'; readonly item: Shape }
  | { readonly form: 'struct'; readonly type: string }

export interface FieldSchema {
  readonly name: string
  readonly shape: Shape
  /** A client must send it. */
  readonly required: boolean
  /** When JSON leaves it out: `never` also prints the zero value; `empty` as Go's omitempty (a struct is still printed). */
  readonly omit: 'never' | 'empty' | 'zero'
  /** Absent differs from zero. */
  readonly pointer: boolean
  readonly listType: 'atomic' | 'set' | 'map' | undefined
  /** Keys of a list of type `map`. */
  readonly listKeys: readonly string[]
  readonly mapType: 'atomic' | undefined
  readonly structType: 'atomic' | undefined
  /** `merge`, `retainKeys`. */
  readonly patchStrategies: readonly string[]
  readonly patchMergeKey: string | undefined
  /** Name in `enumValues`. */
  readonly enum: string | undefined
  /** The literal that stands for an absent value, where the type itself says so. */
  readonly default: unknown
  /** Declarative validation, as Kubernetes writes it. */
  readonly rules: readonly string[]
}

export interface TypeSchema {
  /** `core/v1.ServiceSpec`. */
  readonly name: string
  /** `ServiceSpec`. */
  readonly goName: string
  /** Has apiVersion and kind. */
  readonly root: boolean
  readonly structType: 'atomic' | undefined
  readonly fields: readonly FieldSchema[]
  readonly byName: ReadonlyMap<string, FieldSchema>
  /** Whether it takes fields that it does not name, of any kind. */
  readonly isOpen?: boolean
}

interface RawField {
  readonly name?: string
  readonly inline?: string
  readonly type?: string
  readonly required?: true
  readonly omit?: 'empty' | 'zero'
  readonly ptr?: true
  readonly listType?: 'atomic' | 'set' | 'map'
  readonly keys?: readonly string[]
  readonly mapType?: 'atomic'
  readonly structType?: 'atomic'
  readonly patchStrategy?: string
  readonly patchMergeKey?: string
  readonly enum?: string
  readonly default?: unknown
  readonly rules?: readonly string[]
  readonly pb?: number
}

interface RawType {
  readonly root?: true
  readonly is?: string
  readonly structType?: 'atomic'
  readonly fields?: readonly RawField[]
}

interface RawFacts {
  readonly enums: Readonly<Record<string, readonly string[]>>
  readonly types: Readonly<Record<string, RawType>>
}

let loaded: RawFacts | undefined
const facts = (): RawFacts => {
  loaded ??= JSON.parse(readFileSync(new URL('./types.json', import.meta.url), 'utf8')) as RawFacts
  return loaded
}

const compiled = new Map<string, TypeSchema>()

/** Types of Go that write their own JSON: what they may be there. */
const UNIONS: Readonly<Record<string, (value: unknown) => Shape>> = {
  'apiextensions.k8s.io/v1.JSON': () => ({ form: 'scalar', scalar: 'any' }),
  'apiextensions.k8s.io/v1.JSONSchemaPropsOrArray': value =>
    Array.isArray(value) ? { form: 'list', item: SCHEMA_PROPS } : SCHEMA_PROPS,
  'apiextensions.k8s.io/v1.JSONSchemaPropsOrBool': value =>
    typeof value === 'boolean' ? { form: 'scalar', scalar: 'boolean' } : SCHEMA_PROPS,
  'apiextensions.k8s.io/v1.JSONSchemaPropsOrStringArray': value =>
    Array.isArray(value) ? { form: 'list', item: { form: 'scalar', scalar: 'string' } } : SCHEMA_PROPS,
}

const SCHEMA_PROPS: Shape = { form: 'struct', type: 'apiextensions.k8s.io/v1.JSONSchemaProps' }

/** Whether values of the shape may have several. */
export const mayVary = (shape: Shape): boolean => shape.form === 'struct' && Object.hasOwn(UNIONS, shape.type)

/** The shape of `value` where its type may have several. */
export const shapeOfValue = (shape: Shape, value: unknown): Shape =>
  shape.form === 'struct' ? (UNIONS[shape.type]?.(value) ?? shape) : shape

const parseShape = (text: string): Shape => {
  if (text.startsWith('[]')) return { form: 'list', item: parseShape(text.slice(2)) }
  if (text.startsWith('{}')) return { form: 'map', item: parseShape(text.slice(2)) }
  if (!text.includes('/')) return { form: 'scalar', scalar: text as Scalar }
  const alias = facts().types[text]?.is
  return alias === undefined ? { form: 'struct', type: text } : parseShape(alias)
}

/** `ref(Name)` points at a constant of Kubernetes's source; its value is the kind's own defaulting to know. */
const literalDefault = (value: unknown): unknown =>
  typeof value === 'string' && value.startsWith('ref(') ? undefined : value

const compileField = (raw: RawField & { readonly name: string; readonly type: string }): FieldSchema => ({
  name: raw.name,
  shape: parseShape(raw.type),
  required: raw.required ?? false,
  omit: raw.omit ?? 'never',
  pointer: raw.ptr ?? false,
  listType: raw.listType,
  listKeys: raw.keys ?? [],
  mapType: raw.mapType,
  structType: raw.structType,
  patchStrategies: raw.patchStrategy?.split(',') ?? [],
  patchMergeKey: raw.patchMergeKey,
  enum: raw.enum,
  default: literalDefault(raw.default),
  rules: raw.rules ?? [],
})

const compileFields = (type: string): FieldSchema[] =>
  (facts().types[type]?.fields ?? []).flatMap(raw => {
    if (raw.inline !== undefined) return compileFields(raw.inline)
    assert(raw.name !== undefined && raw.type !== undefined)
    return [compileField({ ...raw, name: raw.name, type: raw.type })]
  })

/** Makes a type known that types.json does not hold, under a name that no other has. */
export const defineTypeSchema = (schema: TypeSchema): void => {
  compiled.set(schema.name, schema)
}

export const forgetTypeSchema = (name: string): void => {
  compiled.delete(name)
}

/** The schema of a type that types.json names; a name that it does not hold is a bug. */
export const typeSchema = (name: string): TypeSchema => {
  const known = compiled.get(name)
  if (known) return known
  const raw = facts().types[name]
  assert(raw, `types.json has no type ${name}`)
  const fields = compileFields(name)
  const schema: TypeSchema = {
    name,
    goName: name.slice(name.lastIndexOf('.') + 1),
    root: raw.root ?? false,
    structType: raw.structType,
    fields,
    byName: new Map(fields.map(field => [field.name, field])),
  }
  compiled.set(name, schema)
  return schema
}

/** A field of a protobuf message: a field of the type, or all fields of an inlined type as a message of their own. */
export type WireField = { readonly inline: string } | { readonly field: FieldSchema }

const compiledWire = new Map<string, ReadonlyMap<number, WireField>>()

/** The fields of a type by their protobuf numbers. */
export const wireFields = (name: string): ReadonlyMap<number, WireField> => {
  const known = compiledWire.get(name)
  if (known) return known
  const fields = new Map<number, WireField>()
  compiledWire.set(name, fields)
  for (const { pb, ...raw } of facts().types[name]?.fields ?? []) {
    if (pb === undefined) continue
    if (raw.inline !== undefined) fields.set(pb, { inline: raw.inline })
    else fields.set(pb, { field: typeSchema(name).byName.get(raw.name ?? '')! })
  }
  return fields
}

/** Undefined for a name that types.json does not hold. */
export const findType = (name: string): TypeSchema | undefined => (facts().types[name] ? typeSchema(name) : undefined)

/** The values known in Kubernetes 1.35. Many sets are open: `validate.ts` knows which. */
export const enumValues = (name: string): readonly string[] => facts().enums[name] ?? []

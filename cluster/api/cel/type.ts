/**
 * Types of CEL as the checker sees them: what fits what, and how Kubernetes prints them in its errors. Types of objects
 * come from schemas; their fields are looked at when an expression names them, so that a type may hold itself.
 */

export interface CelField {
  /** The property in JSON; an expression may have to spell it otherwise (`__dot__`). */
  readonly property: string
  readonly type: CelType
}

/** Lists that are sets or maps compare and join as such. */
export interface ListMeaning {
  readonly type: 'set' | 'map'
  /** Of a map: the properties that tell items apart. */
  readonly keys: readonly string[]
}

export type Simple =
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'null'
  | 'dyn'
  | 'timestamp'
  | 'duration'
  | 'type'

export type CelType =
  | { readonly form: Simple }
  | { readonly form: 'list'; readonly item: CelType; readonly meaning?: ListMeaning }
  | { readonly form: 'map'; readonly key: CelType; readonly value: CelType }
  /** `field`: undefined for one that the type does not have. */
  | { readonly form: 'object'; readonly name: string; readonly field: (name: string) => CelField | undefined }
  | { readonly form: 'optional'; readonly item: CelType }
  /** A type of a library: `net.IP`. Its values are `Foreign`. */
  | { readonly form: 'foreign'; readonly name: string }
  /** In signatures alone: any type, the same wherever the name stands. */
  | { readonly form: 'parameter'; readonly name: string }

export const BOOL: CelType = { form: 'bool' }
export const INT: CelType = { form: 'int' }
export const UINT: CelType = { form: 'uint' }
export const DOUBLE: CelType = { form: 'double' }
export const STRING: CelType = { form: 'string' }
export const BYTES: CelType = { form: 'bytes' }
export const NULL: CelType = { form: 'null' }
export const DYN: CelType = { form: 'dyn' }
export const TIMESTAMP: CelType = { form: 'timestamp' }
export const DURATION: CelType = { form: 'duration' }
export const TYPE: CelType = { form: 'type' }
export const listOf = (item: CelType): CelType => ({ form: 'list', item })
export const mapOf = (key: CelType, value: CelType): CelType => ({ form: 'map', key, value })
export const optionalOf = (item: CelType): CelType => ({ form: 'optional', item })
export const foreign = (name: string): CelType => ({ form: 'foreign', name })
export const parameter = (name: string): CelType => ({ form: 'parameter', name })
/** Of the items of an empty list or map: whatever is asked for, each time anew. */
export const OPEN: CelType = parameter('_')

/** As cel-go prints it: `list(map(string, int))`. */
export const describeType = (type: CelType): string => {
  switch (type.form) {
    case 'list':
      return `list(${describeType(type.item)})`
    case 'map':
      return `map(${describeType(type.key)}, ${describeType(type.value)})`
    case 'optional':
      return `optional_type(${describeType(type.item)})`
    case 'object':
    case 'foreign':
    case 'parameter':
      return type.name
    default:
      return type.form
  }
}

/** What the parameters of a signature stand for. */
export type Bindings = Map<string, CelType>

const fitsParameter = (wanted: CelType & { form: 'parameter' }, given: CelType, bindings: Bindings): boolean => {
  const bound = bindings.get(wanted.name)
  if (bound === undefined) {
    bindings.set(wanted.name, given)
    return true
  }
  if (fits(bound, given, bindings)) return true
  if (!fits(given, bound, bindings)) return false
  bindings.set(wanted.name, given)
  return true
}

/** Null stands in for what may be absent. */
const NULLABLE: ReadonlySet<string> = new Set(['object', 'timestamp', 'duration', 'null'])

/** Whether a value of type `given` may stand where `wanted` is expected. `dyn` fits anything: it is looked at later. */
export const fits = (wanted: CelType, given: CelType, bindings: Bindings = new Map()): boolean => {
  if (given.form === 'parameter' || wanted === OPEN) return true
  if (wanted.form === 'parameter') return fitsParameter(wanted, given, bindings)
  if (wanted.form === 'dyn' || given.form === 'dyn') return true
  if (given.form === 'null') return NULLABLE.has(wanted.form)
  if (wanted.form === 'null') return NULLABLE.has(given.form)
  if (wanted.form === 'list') return given.form === 'list' && fits(wanted.item, given.item, bindings)
  if (wanted.form === 'optional') return given.form === 'optional' && fits(wanted.item, given.item, bindings)
  if (wanted.form === 'map') {
    return given.form === 'map' && fits(wanted.key, given.key, bindings) && fits(wanted.value, given.value, bindings)
  }
  if (wanted.form === 'object') return given.form === 'object' && wanted.name === given.name
  if (wanted.form === 'foreign') return given.form === 'foreign' && wanted.name === given.name
  return wanted.form === given.form
}

/** A signature's type with its parameters filled in; what stayed open is `dyn`. */
export const substitute = (type: CelType, bindings: Bindings): CelType => {
  switch (type.form) {
    case 'parameter':
      return bindings.get(type.name) ?? DYN
    case 'list':
      return { ...type, item: substitute(type.item, bindings) }
    case 'optional':
      return optionalOf(substitute(type.item, bindings))
    case 'map':
      return mapOf(substitute(type.key, bindings), substitute(type.value, bindings))
    default:
      return type
  }
}

/** The type of something that may be either. Undefined: there is none. */
export const joinTypes = (a: CelType, b: CelType): CelType | undefined => {
  if (a.form === 'parameter') return b
  if (b.form === 'parameter') return a
  if (!fits(a, b) && !fits(b, a)) return undefined
  if (a.form === 'dyn' || b.form === 'dyn') return DYN
  return a.form === 'null' || (a.form === 'list' && a.item.form === 'parameter') ? b : a
}

/** Whether the type says all of a value, so that nothing needs to be looked at when it is there. */
export const isExact = (type: CelType): boolean => {
  switch (type.form) {
    case 'dyn':
    case 'parameter':
    case 'null':
      return false
    case 'list':
    case 'optional':
      return isExact(type.item)
    case 'map':
      return isExact(type.key) && isExact(type.value)
    default:
      return true
  }
}

/**
 * Whether a value is what a schema says, in the words of the validator that Kubernetes uses: each keyword in its order, and
 * what an alternative would have needed where none fits.
 */

import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import { RE2JS } from 're2js'
import { codePoints } from '../cel/value.ts'
import {
  type FieldError,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooLong,
  fieldTooMany,
} from '../field-error.ts'
import { isObject } from '../own-property.ts'
import { formatCheck } from './formats.ts'
import type { Ratchet } from './ratchet.ts'
import type { Schema, SchemaProps } from './schema.ts'

/** Errors of compositions have no field of their own: Kubernetes prints Go's word for that. */
const NO_FIELD = '<nil>'

interface Outcome {
  readonly errors: FieldError[]
  /** How much fitted: of several alternatives the best one's errors are told. */
  matches: number
}

const outcome = (): Outcome => ({ errors: [], matches: 0 })

const merge = (into: Outcome, from: Outcome): void => {
  into.matches += from.matches
  for (const error of from.errors) add(into, error)
}

/** Each once. */
const add = (into: Outcome, error: FieldError): void => {
  const isKnown = into.errors.some(other => other.field === error.field && other.message === error.message)
  if (!isKnown) into.errors.push(error)
}

const patterns = new LRUCache<string, RE2JS>({ max: 1000 })

const compiled = (pattern: string): RE2JS => {
  const known = patterns.get(pattern)
  if (known) return known
  const made = RE2JS.compile(pattern)
  patterns.set(pattern, made)
  return made
}

const typeName = (value: unknown): string => {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

const typeInvalid = (path: string, wanted: string, value: string): FieldError => ({
  field: fieldOf(path),
  reason: 'FieldValueTypeInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${path} in body must be of type ${wanted}: ${JSON.stringify(value)}`,
})

/** A path of the validator begins with a dot where a map at the root is meant. */
const fieldOf = (path: string): string => {
  const field = path.replace(/^\./, '')
  return field === '' ? NO_FIELD : field
}

const invalid = (path: string, value: unknown, detail: string): FieldError =>
  fieldInvalid(fieldOf(path), value, `${path} in body ${detail}`)

const GO_FORMATS: Readonly<Record<string, string>> = { integer: 'int64', number: 'double' }

/** Undefined: it fits. */
const checkType = (
  value: unknown,
  { props, isIntOrString, isNullable }: Schema,
  path: string,
): FieldError | undefined => {
  const types = isIntOrString ? ['integer', 'string'] : props.type ? [props.type] : []
  const format = formatCheck(props.format) ? props.format : undefined
  if (types.length === 0 && format === undefined) return undefined
  if (value === null) return types.length > 0 && !isNullable ? typeInvalid(path, types.join(','), 'null') : undefined
  const name = typeName(value)
  const fits = types.includes(name) || (name === 'integer' && types.includes('number'))
  const isTextual = name === 'string' || name === 'array'
  if (format !== undefined && !isTextual && !fits) return typeInvalid(path, format, GO_FORMATS[name] ?? '')
  // What a format is asked of is the format's to judge (as in Kubernetes, lists too).
  if (format !== undefined && isTextual && !types.some(type => type === 'number' || type === 'integer'))
    return undefined
  return fits ? undefined : typeInvalid(path, types.join(','), name)
}

const checkString = (value: string, props: SchemaProps, path: string): FieldError | undefined => {
  const { maxLength, minLength, pattern } = props
  const length = codePoints(value)
  if (maxLength !== undefined && length > maxLength) return fieldTooLong(fieldOf(path), maxLength)
  if (minLength !== undefined && length < minLength) {
    return invalid(path, value, `should be at least ${minLength} chars long`)
  }
  if (pattern && !compiled(pattern).matcher(value).find()) return invalid(path, value, `should match '${pattern}'`)
  return undefined
}

const isMultiple = (value: number, factor: number): boolean =>
  Number.isInteger(factor < 1 ? (1 / factor) * value : value / factor)

const checkNumber = (value: number, props: SchemaProps, path: string): FieldError[] => {
  const { multipleOf, maximum, minimum, exclusiveMaximum = false, exclusiveMinimum = false } = props
  const errors: FieldError[] = []
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
    errors.push(invalid(path, value, `should be a multiple of ${multipleOf}`))
  }
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    errors.push(invalid(path, value, `should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`))
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    errors.push(invalid(path, value, `should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`))
  }
  return errors
}

const checkEnum = (value: unknown, values: readonly unknown[], path: string): FieldError | undefined => {
  if (values.length === 0 || values.some(allowed => isDeepStrictEqual(allowed, value))) return undefined
  const texts = values.map(allowed => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed)))
  return fieldNotSupported(fieldOf(path), value ?? null, texts)
}

const composition = (path: string, detail: string): FieldError =>
  fieldInvalid(NO_FIELD, '', `${JSON.stringify(path)} must ${detail}`)

class ValueValidator {
  /** `old`: what the value was, where that is known. */
  validate(value: unknown, schema: Schema, path: string, old: Ratchet | undefined): Outcome {
    const result = this.#all(value, schema, path, old)
    // KEP-4008: what has not changed is not refused.
    return result.errors.length > 0 && old?.unchanged ? { errors: [], matches: result.matches } : result
  }

  #all(value: unknown, schema: Schema, path: string, old: Ratchet | undefined): Outcome {
    const result = outcome()
    const { props } = schema
    const mistyped = checkType(value, schema, path)
    if (mistyped) add(result, mistyped)
    else result.matches++
    result.matches++
    if (value !== null) {
      this.#compositions(value, schema, path, old, result)
      if (typeof value === 'string') this.#text(value, props, path, result)
      if (typeof value === 'number') {
        for (const error of checkNumber(value, props, path)) add(result, error)
        result.matches += 2
      }
      if (Array.isArray(value)) this.#list(value, schema, path, old, result)
    }
    const unlisted = checkEnum(value, props.enum ?? [], path)
    if (unlisted) add(result, unlisted)
    result.matches++
    if (isObject(value)) this.#object(value, schema, path, old, result)
    result.matches++
    return result
  }

  #text(value: string, props: SchemaProps, path: string, result: Outcome): void {
    const error = checkString(value, props, path)
    if (error) add(result, error)
    result.matches++
    const isFormatted = formatCheck(props.format)
    if (!isFormatted) return
    if (!isFormatted(value)) add(result, typeInvalid(path, props.format ?? '', value))
    result.matches++
  }

  #list(value: readonly unknown[], schema: Schema, path: string, old: Ratchet | undefined, result: Outcome): void {
    const { items, props } = schema
    if (items) {
      for (const [index, item] of value.entries()) {
        merge(result, this.validate(item, items, `${path}[${index}]`, old?.index(index)))
      }
    }
    const { minItems, maxItems } = props
    if (minItems !== undefined && value.length < minItems) {
      add(result, invalid(path, value.length, `should have at least ${minItems} items`))
    }
    if (maxItems !== undefined && value.length > maxItems)
      add(result, fieldTooMany(fieldOf(path), value.length, maxItems))
    result.matches += 2
  }

  #object(
    value: Record<string, unknown>,
    schema: Schema,
    path: string,
    old: Ratchet | undefined,
    result: Outcome,
  ): void {
    const keys = Object.keys(value)
    const { minProperties, maxProperties, required = [] } = schema.props
    if (minProperties !== undefined && keys.length < minProperties) {
      add(result, invalid(path, keys.length, `should have at least ${minProperties} properties`))
    }
    if (maxProperties !== undefined && keys.length > maxProperties) {
      add(result, fieldTooMany(fieldOf(path), keys.length, maxProperties))
    }
    const additional = isObject(schema.additional) ? (schema.additional as unknown as Schema) : undefined
    for (const key of keys) {
      if (schema.properties.has(key)) continue
      if (schema.additional === false) add(result, forbidden(path, key))
      else if (additional) merge(result, this.validate(value[key], additional, `${path}.${key}`, old?.key(key)))
    }
    for (const [name, property] of schema.properties) {
      if (!Object.hasOwn(value, name)) continue
      merge(result, this.validate(value[name], property, path === '' ? name : `${path}.${name}`, old?.key(name)))
    }
    for (const name of required) {
      if (!Object.hasOwn(value, name)) add(result, fieldRequired(fieldOf(`${path}.${name}`)))
    }
    result.matches++
  }

  #compositions(value: unknown, schema: Schema, path: string, old: Ratchet | undefined, result: Outcome): void {
    if (schema.anyOf.length > 0) this.#anyOf(value, schema, path, old, result)
    if (schema.oneOf.length > 0) this.#oneOf(value, schema, path, old, result)
    if (schema.allOf.length > 0) {
      const outcomes = schema.allOf.map(part => this.#all(value, part, path, old))
      for (const part of outcomes) merge(result, part)
      const valid = outcomes.filter(({ errors }) => errors.length === 0).length
      if (valid !== outcomes.length) {
        add(result, composition(path, `validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`))
      }
    }
    if (schema.not && this.#all(value, schema.not, path, old).errors.length === 0) {
      add(result, composition(path, 'not validate the schema (not)'))
    }
    result.matches += 2
  }

  #anyOf(value: unknown, schema: Schema, path: string, old: Ratchet | undefined, result: Outcome): void {
    let best: Outcome | undefined
    for (const alternative of schema.anyOf) {
      const tried = this.#all(value, alternative, path, old)
      if (tried.errors.length === 0) {
        merge(result, tried)
        return
      }
      if (!best || tried.matches > best.matches) best = tried
    }
    add(result, composition(path, 'validate at least one schema (anyOf)'))
    if (best) merge(result, best)
  }

  #oneOf(value: unknown, schema: Schema, path: string, old: Ratchet | undefined, result: Outcome): void {
    const outcomes = schema.oneOf.map(alternative => this.#all(value, alternative, path, old))
    const valid = outcomes.filter(({ errors }) => errors.length === 0)
    if (valid.length === 1) {
      merge(result, valid[0]!)
      return
    }
    const found = valid.length === 0 ? 'Found none valid' : `Found ${valid.length} valid alternatives`
    add(result, composition(path, `validate one and only one schema (oneOf). ${found}`))
    if (valid.length > 0) return
    merge(
      result,
      outcomes.reduce((best, other) => (other.matches > best.matches ? other : best)),
    )
  }
}

const forbidden = (path: string, key: string): FieldError =>
  fieldInvalid(fieldOf(path), key, `${path}.${key} in body is a forbidden property`)

const validator = new ValueValidator()

/** `path`: where the value stands (`status`), '' for a whole object. `old`: what it was. */
export const validateValue = (value: unknown, schema: Schema, path = '', old?: Ratchet): FieldError[] =>
  validator.validate(value, schema, '', old).errors.map(error => (path === '' ? error : below(path, error)))

/** Kubernetes puts the place before the field, not into the words. */
const below = (path: string, error: FieldError): FieldError => ({
  ...error,
  field: error.field === NO_FIELD ? path : `${path}.${error.field}`,
})

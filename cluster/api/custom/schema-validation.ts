/**
 * Whether the schema of a CustomResourceDefinition may be one: structural (KEP-1151), without what Kubernetes does not
 * support, with defaults that are values of it, and with rules that compile. In Kubernetes's words.
 */
import { RE2JS } from 're2js'
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { isObject } from '../own-property.ts'
import { validateDefaults } from './default-validation.ts'
import { checkListType, checkMapType } from './list-type-validation.ts'
import type { CostLimits } from './rule-costs.ts'
import { validateRuleExpressions, validateRuleTexts } from './rule-validation.ts'
import { readSchema, type SchemaProps } from './schema.ts'

type Level = 'root' | 'item' | 'field'

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']

const key = (path: string, name: string): string => `${path}[${name}]`

const entriesOf = (props: SchemaProps): [string, SchemaProps][] => Object.entries(props.properties ?? {})

const isIntOrStringPattern = (schemas: readonly SchemaProps[] | undefined): boolean =>
  schemas?.length === 2 && JSON.stringify(schemas) === '[{"type":"integer"},{"type":"string"}]'

/** What may not stand within allOf, anyOf, oneOf and not. */
const FORBIDDEN_INSIDE: Readonly<Record<string, string>> = {
  type: 'must be empty to be structural',
  additionalProperties: 'must be undefined to be structural',
  default: 'must be undefined to be structural',
  title: 'must be empty to be structural',
  description: 'must be empty to be structural',
  nullable: 'must be false to be structural',
  'x-kubernetes-preserve-unknown-fields': 'must be false to be structural',
  'x-kubernetes-embedded-resource': 'must be false to be structural',
  'x-kubernetes-int-or-string': 'must be false to be structural',
  'x-kubernetes-list-map-keys': 'must be empty to be structural',
  'x-kubernetes-list-type': 'must be undefined to be structural',
  'x-kubernetes-map-type': 'must be undefined to be structural',
  'x-kubernetes-validations': 'must be empty to be structural',
}

const isGiven = (value: unknown): boolean =>
  value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)

const nested = (props: SchemaProps, path: string, skips: readonly string[] = []): FieldError[] => [
  ...logic(props, path, skips.includes('anyOf')),
  ...(isObject(props.items) ? nested(props.items as SchemaProps, `${path}.items`) : []),
  ...entriesOf(props).flatMap(([name, inner]) => nested(inner, key(`${path}.properties`, name))),
  ...Object.entries(FORBIDDEN_INSIDE).flatMap(([name, detail]) =>
    isGiven(props[name]) ? [fieldForbidden(`${path}.${name}`, detail)] : [],
  ),
  ...(props.properties && Object.hasOwn(props.properties, 'metadata')
    ? [fieldForbidden(key(`${path}.properties`, 'metadata'), 'must not be specified in a nested context')]
    : []),
]

const checkPattern = (pattern: string, path: string): FieldError[] => {
  try {
    RE2JS.compile(pattern)
    return []
  } catch (error) {
    const detail = `must be a valid regular expression, but isn't: ${error instanceof Error ? error.message : String(error)}`
    return [fieldInvalid(`${path}.pattern`, pattern, detail)]
  }
}

const logic = (props: SchemaProps, path: string, skipAnyOf: boolean, skipFirst = false): FieldError[] => [
  ...(skipAnyOf ? [] : (props.anyOf ?? []).flatMap((inner, index) => nested(inner, `${path}.anyOf[${index}]`))),
  ...(props.allOf ?? []).flatMap((inner, index) =>
    nested(inner, `${path}.allOf[${index}]`, skipFirst && index === 0 ? ['anyOf'] : []),
  ),
  ...(props.oneOf ?? []).flatMap((inner, index) => nested(inner, `${path}.oneOf[${index}]`)),
  ...(props.not ? nested(props.not, `${path}.not`) : []),
  ...(props.pattern ? checkPattern(props.pattern, path) : []),
]

const checkType = (props: SchemaProps, level: Level, path: string): FieldError[] => {
  const { type = '' } = props
  const isEmbedded = props['x-kubernetes-embedded-resource'] ?? false
  const at = `${path}.type`
  const embedded = 'must be object if x-kubernetes-embedded-resource is true'
  if (isEmbedded && type !== 'object')
    return [type === '' ? fieldRequired(at, embedded) : fieldInvalid(at, type, embedded)]
  const mayBeEmpty = props['x-kubernetes-int-or-string'] || props['x-kubernetes-preserve-unknown-fields']
  if (type === '') return mayBeEmpty ? [] : [fieldRequired(at, EMPTY_TYPE[level])]
  return level === 'root' && type !== 'object' ? [fieldInvalid(at, type, 'must be object at the root')] : []
}

const checkMetadata = (props: SchemaProps, level: Level, path: string): FieldError[] => {
  const { kind, apiVersion, metadata } = props.properties ?? {}
  const isResource = level === 'root' || props['x-kubernetes-embedded-resource'] === true
  const at = (name: string) => key(`${path}.properties`, name)
  const errors: FieldError[] = []
  for (const [name, inner] of Object.entries({ kind, apiVersion })) {
    if (isResource && inner && inner.type !== 'string') {
      errors.push(fieldInvalid(`${at(name)}.type`, inner.type ?? '', 'must be string'))
    }
  }
  if (!metadata) return errors
  if (isResource && metadata.type !== 'object') {
    errors.push(fieldInvalid(`${at('metadata')}.type`, metadata.type ?? '', 'must be object'))
  }
  if (level === 'root' && restrictsMetadata(metadata)) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
    errors.push(fieldForbidden(at('metadata'), detail))
  }
  return errors
}

const restrictsMetadata = ({
  type: _type,
  default: _default,
  properties = {},
  description: _description,
  ...rest
}: SchemaProps): boolean =>
  Object.values(rest).some(isGiven) || Object.keys(properties).some(name => name !== 'name' && name !== 'generateName')

const checkExtensions = (props: SchemaProps, path: string): FieldError[] => {
  if (!props['x-kubernetes-int-or-string']) return []
  return ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'].flatMap(name =>
    props[name] ? [fieldInvalid(`${path}.${name}`, true, 'must be false if x-kubernetes-int-or-string is true')] : [],
  )
}

const checkEmbedded = (props: SchemaProps, path: string): FieldError[] => {
  if (!props['x-kubernetes-embedded-resource']) return []
  const errors: FieldError[] = []
  if (props.additionalProperties !== undefined) {
    errors.push(
      fieldForbidden(`${path}.additionalProperties`, 'must not be used if x-kubernetes-embedded-resource is set'),
    )
  }
  if (!props['x-kubernetes-preserve-unknown-fields'] && entriesOf(props).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    errors.push(fieldRequired(`${path}.properties`, detail))
  }
  return errors
}

/** The invariants of a structural schema. */
const invariants = (props: SchemaProps, level: Level, path: string): FieldError[] => {
  const { items, additionalProperties, type } = props
  const errors: FieldError[] = []
  if (type === 'array' && items === undefined) errors.push(fieldRequired(`${path}.items`, 'must be specified'))
  if (isObject(items)) errors.push(...invariants(items as SchemaProps, 'item', `${path}.items`))
  for (const [name, inner] of entriesOf(props))
    errors.push(...invariants(inner, 'field', key(`${path}.properties`, name)))
  if (additionalProperties !== undefined && level === 'root') {
    errors.push(fieldForbidden(`${path}.additionalProperties`, 'must not be used at the root'))
  }
  if (isObject(additionalProperties)) {
    errors.push(...invariants(additionalProperties as SchemaProps, 'field', `${path}.additionalProperties`))
  }
  return [
    ...errors,
    ...checkExtensions(props, path),
    ...logic(props, path, isIntOrStringPattern(props.anyOf), isIntOrStringPattern(props.allOf?.[0]?.anyOf)),
    ...checkType(props, level, path),
    ...checkMetadata(props, level, path),
    ...checkEmbedded(props, path),
  ]
}

/** Whatever a composition speaks of is specified outside of it too. */
const completeness = (inside: SchemaProps, outside: SchemaProps | undefined, path: string): FieldError[] => {
  const errors: FieldError[] = []
  for (const [name, inner] of entriesOf(inside)) {
    const specified = outside?.properties?.[name]
    const free = outside?.['x-kubernetes-preserve-unknown-fields']
    if (!specified && !free) {
      errors.push(
        fieldRequired(
          key(`${path.replace(/\.(allOf|anyOf|oneOf)\[\d+\]|\.not/g, '')}.properties`, name),
          `because it is defined in ${key(`${path}.properties`, name)}`,
        ),
      )
    } else if (specified) errors.push(...completeness(inner, specified, key(`${path}.properties`, name)))
  }
  if (isObject(inside.items)) {
    const items = isObject(outside?.items) ? (outside.items as SchemaProps) : undefined
    const bare = path.replace(/\.(allOf|anyOf|oneOf)\[\d+\]|\.not/g, '')
    if (!items) errors.push(fieldRequired(`${bare}.items`, `because it is defined in ${path}.items`))
    else errors.push(...completeness(inside.items as SchemaProps, items, `${path}.items`))
  }
  return [...errors, ...compositions(inside, path).flatMap(([at, inner]) => completeness(inner, outside, at))]
}

const compositions = (
  { allOf = [], anyOf = [], oneOf = [], not }: SchemaProps,
  path: string,
): [string, SchemaProps][] => [
  ...allOf.map((inner, index): [string, SchemaProps] => [`${path}.allOf[${index}]`, inner]),
  ...anyOf.map((inner, index): [string, SchemaProps] => [`${path}.anyOf[${index}]`, inner]),
  ...oneOf.map((inner, index): [string, SchemaProps] => [`${path}.oneOf[${index}]`, inner]),
  ...(not ? [[`${path}.not`, not] as [string, SchemaProps]] : []),
]

const isComplete = (props: SchemaProps, path: string): FieldError[] => [
  ...compositions(props, path).flatMap(([at, inner]) => completeness(inner, props, at)),
  ...entriesOf(props).flatMap(([name, inner]) => isComplete(inner, key(`${path}.properties`, name))),
  ...(isObject(props.items) ? isComplete(props.items as SchemaProps, `${path}.items`) : []),
  ...(isObject(props.additionalProperties)
    ? isComplete(props.additionalProperties as SchemaProps, `${path}.additionalProperties`)
    : []),
]

/** What JSONSchemaProps has and no schema may use. */
const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref']

interface Surroundings {
  /** Why defaults are forbidden here; undefined: they are not. */
  readonly noDefaults: string | undefined
  readonly insideMeta: boolean
}

const checkKeywords = (props: SchemaProps, path: string, { noDefaults, insideMeta }: Surroundings): FieldError[] => {
  const { type = '' } = props
  const errors: FieldError[] = []
  if (type !== '' && !TYPES.includes(type)) errors.push(fieldNotSupported(`${path}.type`, type, TYPES))
  if (props.default !== undefined && noDefaults !== undefined) {
    errors.push(fieldForbidden(`${path}.default`, `must not be set ${noDefaults}`.trim()))
  }
  for (const name of UNSUPPORTED) {
    if (isGiven(props[name])) errors.push(fieldForbidden(`${path}.${name}`, `${name} is not supported`))
  }
  if (type === 'null') {
    errors.push(fieldForbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'))
  }
  if (Array.isArray(props.items) && props.items.length > 0) {
    errors.push(fieldForbidden(`${path}.items`, 'items must be a schema object and not an array'))
  }
  if (insideMeta && props['x-kubernetes-embedded-resource']) {
    errors.push(fieldForbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'))
  }
  if (props.uniqueItems) {
    const detail = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    errors.push(fieldForbidden(`${path}.uniqueItems`, detail))
  }
  return errors
}

const checkPreserve = (props: SchemaProps, path: string): FieldError[] =>
  props['x-kubernetes-preserve-unknown-fields'] === false
    ? [fieldInvalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined')]
    : []

const META = new Set(['metadata', 'kind', 'apiVersion'])

const innerSurroundings = (outer: Surroundings, name: string, props: SchemaProps, isRoot: boolean): Surroundings => {
  if (!META.has(name) || !(isRoot || props['x-kubernetes-embedded-resource'])) return outer
  return { noDefaults: isRoot ? `in top-level ${name}` : outer.noDefaults, insideMeta: true }
}

/** What OpenAPI and Kubernetes's extensions of it ask of each node. */
const keywords = (props: SchemaProps, path: string, around: Surroundings, isRoot = false): FieldError[] => {
  const { additionalProperties, items } = props
  const errors = checkKeywords(props, path, around)
  if (isObject(additionalProperties) || additionalProperties === false) {
    if (entriesOf(props).length > 0) {
      errors.push(
        fieldForbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
      )
    }
  }
  if (isObject(additionalProperties)) {
    const noDefaults = around.insideMeta ? 'inside additionalProperties applying to object metadata' : around.noDefaults
    errors.push(
      ...keywords(additionalProperties as SchemaProps, `${path}.additionalProperties`, { ...around, noDefaults }),
    )
  }
  for (const [name, inner] of entriesOf(props)) {
    errors.push(...keywords(inner, key(`${path}.properties`, name), innerSurroundings(around, name, props, isRoot)))
  }
  for (const [at, inner] of compositions(props, path)) errors.push(...keywords(inner, at, around))
  if (isObject(items)) errors.push(...keywords(items as SchemaProps, `${path}.items`, around))
  return [
    ...errors,
    ...checkPreserve(props, path),
    ...checkMapType(props, path),
    ...checkListType(props, path),
    ...validateRuleTexts(props, path),
  ]
}

/** What is wrong with the schema of a version. `path`: of its `openAPIV3Schema`. */
export const validateSchema = (props: SchemaProps, path: string, limits: CostLimits): FieldError[] => {
  const nullable = props.nullable ? [fieldForbidden(`${path}.nullable`, 'nullable cannot be true at the root')] : []
  const structural = [...invariants(props, 'root', path), ...isComplete(props, path)].sort((a, b) =>
    textOf(a) < textOf(b) ? -1 : 1,
  )
  const isStructural = structural.length === 0
  const schema = readSchema(props)
  const defaults = isStructural ? validateDefaults(schema, path) : []
  const told = keywords(props, path, { noDefaults: undefined, insideMeta: false }, true)
  const errors = [...nullable, ...structural, ...defaults, ...told]
  return errors.length > 0 ? errors : validateRuleExpressions(schema, path, limits)
}

const textOf = ({ field, message }: FieldError): string => `${field}: ${message}`

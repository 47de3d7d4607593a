/** A version of a CustomResourceDefinition as a kind that can be served: data made at run time. */
import { type FieldError, fieldInvalid } from '../field-error.ts'
import type { Converter, Kind, StoredAs } from '../kind.ts'
import { checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { isObject } from '../own-property.ts'
import { columnsOf } from './columns.ts'
import { applyDefaults } from './defaults.ts'
import { type DefinitionVersion, specOf, statusOf } from './definition.ts'
import { validateEmbedded } from './embedded.ts'
import { validateListTypes } from './list-types.ts'
import { Ratchet } from './ratchet.ts'
import { completeResource, resourceType } from './read-resource.ts'
import { validateRules } from './rules.ts'
import { defineType } from './run-time-type.ts'
import { scaleOf, validateScaleSpec, validateScaleStatus } from './scale.ts'
import { readSchema, type Schema } from './schema.ts'
import { validateValue } from './validate-value.ts'

/** What is wrong so badly that rules, which expect values of the right form, are not asked. */
const BLOCKING: ReadonlySet<string> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

const NOT_CHECKED = fieldInvalid(
  '<nil>',
  null,
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
)

interface Parts {
  readonly schema: Schema
  readonly version: DefinitionVersion
}

const withRules = (errors: FieldError[], rules: () => FieldError[]): FieldError[] => [
  ...errors,
  ...(errors.some(({ reason }) => BLOCKING.has(reason)) ? [NOT_CHECKED] : rules()),
]

const withoutMetadata = ({ metadata: _metadata, ...rest }: ApiObject): Record<string, unknown> => rest

/** What a schema is held against: all of an object. Its metadata has been looked at already. */
const subjectOf = (object: ApiObject): Record<string, unknown> => ({
  ...withoutMetadata(object),
  metadata: { ...object.metadata },
})

const validateWhole = ({ schema, version }: Parts, object: ApiObject, current: ApiObject | undefined): FieldError[] => {
  const value = subjectOf(object)
  const before = current && subjectOf(current)
  const ratchet = before && new Ratchet(value, before, schema)
  const { scale } = version.subresources ?? {}
  const listsWereRight = !before || validateListTypes(before, schema).length === 0
  const errors = [
    ...validateValue(value, schema, '', ratchet),
    ...(scale ? [...validateScaleSpec(object, scale), ...validateScaleStatus(object, scale)] : []),
    ...validateEmbedded(value, schema),
    ...(listsWereRight ? validateListTypes(value, schema) : []),
  ]
  return withRules(errors, () => validateRules(value, schema, ratchet && { value: before, ratchet }))
}

const validateStatus = ({ schema, version }: Parts, next: ApiObject, current: ApiObject): FieldError[] => {
  const [value, before] = [subjectOf(next), subjectOf(current)]
  const ratchet = new Ratchet(value, before, schema)
  const { scale } = version.subresources ?? {}
  const ofStatus = schema.properties.get('status')
  const errors = [
    ...(ofStatus && next.status !== undefined
      ? validateValue(next.status, ofStatus, 'status', ratchet.key('status'))
      : []),
    ...(scale ? validateScaleStatus(next, scale) : []),
    ...(validateListTypes(before, schema).length === 0 ? validateListTypes(value, schema) : []),
  ]
  return withRules(errors, () => validateRules(value, schema, { value: before, ratchet }))
}

/** Kubernetes's own that are no qualified names. */
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

const finalizerWarnings = (finalizers: readonly string[]): string[] =>
  finalizers.flatMap(name => {
    if (checkQualifiedName(name).length > 0 || name.includes('/') || STANDARD_FINALIZERS.has(name)) return []
    const how = name.includes('.')
      ? 'a domain-qualified finalizer name including a path (/)'
      : 'a domain-qualified finalizer name'
    return [
      `metadata.finalizers: ${JSON.stringify(name)}: prefer ${how} to avoid accidental conflicts with other finalizer writers`,
    ]
  })

const stepsOf = (path: string): string[] => path.replace(/^\./, '').split('.')

const selectableOf = (object: ApiObject, path: string): string => {
  const value = stepsOf(path).reduce<unknown>(
    (at, step) => (isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined),
    object,
  )
  return value === undefined || value === null ? '' : String(value)
}

/** As far as memory changes it: what was read stays as it was written. */
const copy = (object: ApiObject): ApiObject => ({ ...object, metadata: { ...object.metadata } })

const storedAs = (definition: ApiObject, { schema, version }: Parts, converter: Converter | undefined): StoredAs => {
  const { group = '', versions = [] } = specOf(definition)
  // No built-in resource has a dot in its name.
  const place = { group, resource: definition.metadata.name ?? '' }
  if (converter) return { ...place, toStored: copy, fromStored: copy, converter }
  const stored = versions.find(({ storage }) => storage)?.name ?? version.name ?? ''
  return {
    ...place,
    toStored: object => ({ ...object, apiVersion: `${group}/${stored}` }),
    fromStored: object => {
      const read = { ...structuredClone(object), apiVersion: `${group}/${version.name}` }
      completeResource(read, schema)
      return read
    },
  }
}

/** Names of types are never given twice: a definition that changes makes new ones. */
let types = 0

const typeNameOf = ({ metadata }: ApiObject, { name }: DefinitionVersion): string =>
  `custom:${metadata.name}/${name}#${++types}`

const subresourcesOf = ({ version }: Parts): Pick<Kind, 'hasStatus' | 'scale' | 'statusKeepsMetadata'> => {
  const { status, scale } = version.subresources ?? {}
  return {
    hasStatus: status !== undefined && status !== null,
    statusKeepsMetadata: true,
    ...(scale ? { scale: scaleOf(scale) } : {}),
  }
}

const fieldsOf = ({ version }: Parts): Pick<Kind, 'selectableFields' | 'selectableFieldNames'> => {
  const paths = (version.selectableFields ?? []).map(({ jsonPath = '' }) => jsonPath)
  if (paths.length === 0) return {}
  const names = paths.map(path => path.replace(/^\./, ''))
  return {
    selectableFieldNames: names,
    selectableFields: object =>
      Object.fromEntries(paths.map((path, index) => [names[index]!, selectableOf(object, path)])),
  }
}

export interface CustomKindParts {
  /** Whether no new objects are taken. */
  readonly isClosed: () => boolean
  /** Absent: versions differ in their names and schemas alone. */
  readonly converter?: Converter | undefined
}

/** Defines the kind's type as well: it is forgotten with `forgetType(kind.type)`. */
export const customKind = (
  definition: ApiObject,
  version: DefinitionVersion,
  { isClosed, converter }: CustomKindParts,
): Kind => {
  const { group = '', scope, names: wanted = {} } = specOf(definition)
  const names = statusOf(definition).acceptedNames ?? wanted
  const schema = readSchema(version.schema?.openAPIV3Schema ?? {})
  const parts: Parts = { schema, version }
  const type = typeNameOf(definition, version)
  defineType(type, resourceType(schema, type))
  const subresources = subresourcesOf(parts)
  const deprecation = version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`
  return {
    group,
    version: version.name ?? '',
    kind: names.kind ?? '',
    listKind: names.listKind ?? `${names.kind}List`,
    resource: names.plural ?? '',
    singular: names.singular ?? '',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    type,
    ...subresources,
    ...fieldsOf(parts),
    namesItems: true,
    isClosed,
    ...(version.schema?.openAPIV3Schema ? { schema: version.schema.openAPIV3Schema } : {}),
    countsGenerations: true,
    takesAnyFinalizer: true,
    unconditionalUpdate: false,
    storage: storedAs(definition, parts, converter),
    applyDefaults: object => applyDefaults(object, schema),
    prepareForCreate: object => {
      if (subresources.hasStatus) delete object.status
    },
    validate: (object, current) => validateWhole(parts, object, current),
    validateStatusUpdate: (next, current) => validateStatus(parts, next, current),
    warnings: object => finalizerWarnings(object.metadata.finalizers ?? []),
    ...(version.deprecated ? { deprecation } : {}),
    columns: columnsOf(version.additionalPrinterColumns),
  }
}

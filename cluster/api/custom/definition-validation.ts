/** Whether a CustomResourceDefinition may be one, in Kubernetes's words; its schemas have a file of their own. */
import { isDeepStrictEqual } from 'node:util'
import { type FieldError, fieldInvalid, fieldRequired, fieldTooMany } from '../field-error.ts'
import { checkDns1035Label, checkDnsSubdomain } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { APPROVAL, approvalOf, isProtectedGroup } from './approval.ts'
import { oneOf, validateConversion } from './conversion-validation.ts'
import {
  type DefinitionSpec,
  type DefinitionVersion,
  isConditionTrue,
  type Names,
  type PrinterColumn,
  type ScalePaths,
  specOf,
  statusOf,
} from './definition.ts'
import { findField } from './field-path.ts'
import { readSchema } from './schema.ts'
import { validateSchema } from './schema-validation.ts'

const label = (path: string, value: string | undefined): FieldError[] => {
  const complaints = value ? checkDns1035Label(value) : []
  return complaints.length > 0 ? [fieldInvalid(path, value, complaints.join(','))] : []
}

const mixedCase = (path: string, value: string | undefined): FieldError[] => {
  const complaints = value ? checkDns1035Label(value.toLowerCase()) : []
  const detail = `may have mixed case, but should otherwise match: ${complaints.join(',')}`
  return complaints.length > 0 ? [fieldInvalid(path, value, detail)] : []
}

const validateNames = (names: Names, path: string): FieldError[] => {
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = names
  const errors = [
    ...label(`${path}.plural`, plural),
    ...label(`${path}.singular`, singular),
    ...mixedCase(`${path}.kind`, kind),
    ...mixedCase(`${path}.listKind`, listKind),
    ...shortNames.flatMap((name, index) => label(`${path}.shortNames[${index}]`, name)),
  ]
  if (kind && kind === listKind) {
    errors.push(fieldInvalid(`${path}.listKind`, listKind, 'kind and listKind may not be the same'))
  }
  return [...errors, ...categories.flatMap((name, index) => label(`${path}.categories[${index}]`, name))]
}

const validateGroup = (group: string | undefined): FieldError[] => {
  if (!group) return [fieldRequired('spec.group')]
  const complaints = checkDnsSubdomain(group)
  if (complaints.length > 0) return [fieldInvalid('spec.group', group, complaints.join(','))]
  return group.includes('.') ? [] : [fieldInvalid('spec.group', group, 'should be a domain with at least one dot')]
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

const simplePath = (path: string, field: string): FieldError[] =>
  path.startsWith('.') ? [] : [fieldInvalid(field, path, 'must be a simple json path starting with .')]

const validateColumn = ({ name, type, format, jsonPath }: PrinterColumn, path: string): FieldError[] => {
  const types = `must be one of ${COLUMN_TYPES.join(',')}`
  const errors: FieldError[] = []
  if (!name) errors.push(fieldRequired(`${path}.name`))
  if (!type) errors.push(fieldRequired(`${path}.type`, types))
  else if (!COLUMN_TYPES.includes(type)) errors.push(fieldInvalid(`${path}.type`, type, types))
  if (format && !COLUMN_FORMATS.includes(format)) {
    errors.push(fieldInvalid(`${path}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`))
  }
  return [...errors, ...(jsonPath ? simplePath(jsonPath, `${path}.JSONPath`) : [fieldRequired(`${path}.JSONPath`)])]
}

const below = (value: string | undefined, field: string, roots: readonly string[], detail: string): FieldError[] => {
  if (!value) return [fieldRequired(field)]
  const malformed = simplePath(value, field)
  if (malformed.length > 0) return malformed
  return roots.some(root => value.startsWith(root)) ? [] : [fieldInvalid(field, value, detail)]
}

const validateScale = (
  { specReplicasPath, statusReplicasPath, labelSelectorPath }: ScalePaths,
  path: string,
): FieldError[] => [
  ...below(specReplicasPath, `${path}.specReplicasPath`, ['.spec.'], 'should be a json path under .spec'),
  ...below(statusReplicasPath, `${path}.statusReplicasPath`, ['.status.'], 'should be a json path under .status'),
  ...(labelSelectorPath
    ? below(
        labelSelectorPath,
        `${path}.labelSelectorPath`,
        ['.spec.', '.status.'],
        'should be a json path under either .spec or .status',
      )
    : []),
]

const MAX_SELECTABLE = 8

const validateSelectable = ({ selectableFields = [], schema }: DefinitionVersion, path: string): FieldError[] => {
  if (selectableFields.length === 0) return []
  const props = schema?.openAPIV3Schema
  if (!props) return [fieldInvalid(path, '', 'may only be set when validations.schema is included')]
  const root = readSchema(props)
  const seen = new Set<string>()
  const errors = selectableFields.flatMap(({ jsonPath = '' }, index): FieldError[] => {
    const at = `${path}[${index}].jsonPath`
    if (jsonPath === '') return [fieldRequired(at)]
    const found = findField(jsonPath, root, false)
    if (!found.ok) return [fieldInvalid(at, jsonPath, `is an invalid path: ${found.problem}`)]
    const problems: FieldError[] = []
    if (found.value.steps[0] === 'metadata')
      problems.push(fieldInvalid(at, jsonPath, 'must not point to fields in metadata'))
    if (!['string', 'boolean', 'integer'].includes(found.value.schema?.props.type ?? '')) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
      problems.push(fieldInvalid(at, jsonPath, detail))
    }
    if (seen.has(found.value.path)) {
      problems.push({
        field: at,
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${JSON.stringify(jsonPath)}`,
      })
    }
    seen.add(found.value.path)
    return problems
  })
  return seen.size > MAX_SELECTABLE ? [...errors, fieldTooMany(path, seen.size, MAX_SELECTABLE)] : errors
}

const MAX_WARNING = 256

const validateDeprecation = (
  { deprecated = false, deprecationWarning }: DefinitionVersion,
  path: string,
): FieldError[] => {
  if (deprecationWarning === undefined) return []
  const told = (detail: string) => fieldInvalid(path, deprecationWarning, detail)
  if (!deprecated) return [told('can only be set for deprecated versions')]
  const errors: FieldError[] = []
  if (Buffer.byteLength(deprecationWarning) > MAX_WARNING) errors.push(told('must be <= 256 characters long'))
  if (deprecationWarning === '') errors.push(told('must not be an empty string'))
  const hidden = deprecationWarning.search(/[^\P{C}]/u)
  if (hidden >= 0) {
    errors.push(told(`must only contain printable UTF-8 characters; non-printable character found at index ${hidden}`))
  }
  return errors
}

const ALLOWED_AT_ROOT = [
  ['Description', 'description'],
  ['Type', 'type'],
  ['Format', 'format'],
  ['Title', 'title'],
  ['Maximum', 'maximum'],
  ['ExclusiveMaximum', 'exclusiveMaximum'],
  ['Minimum', 'minimum'],
  ['ExclusiveMinimum', 'exclusiveMinimum'],
  ['MaxLength', 'maxLength'],
  ['MinLength', 'minLength'],
  ['Pattern', 'pattern'],
  ['MaxItems', 'maxItems'],
  ['MinItems', 'minItems'],
  ['UniqueItems', 'uniqueItems'],
  ['MultipleOf', 'multipleOf'],
  ['Required', 'required'],
  ['Items', 'items'],
  ['Properties', 'properties'],
  ['ExternalDocs', 'externalDocs'],
  ['Example', 'example'],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields'],
  ['XValidations', 'x-kubernetes-validations'],
] as const

/** With `/status`, the schema of the status alone must say all of it. */
const validateRootWithStatus = ({ schema, subresources }: DefinitionVersion, path: string): FieldError[] => {
  const props = schema?.openAPIV3Schema
  if (!props || !subresources?.status) return []
  if (props.type && props.type !== 'object') {
    const detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
    return [fieldInvalid(`${path}.openAPIV3Schema.type`, props.type, detail)]
  }
  const allowed: ReadonlySet<string> = new Set(ALLOWED_AT_ROOT.map(([, name]) => name))
  const isOther = (name: string) => !allowed.has(name) && props[name] !== undefined && props[name] !== false
  if (!Object.keys(props).some(isOther)) return []
  const names = ALLOWED_AT_ROOT.map(([name]) => name).join(' ')
  const detail = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`
  return [fieldInvalid(`${path}.openAPIV3Schema`, props, detail)]
}

const isSameInAll = (versions: readonly DefinitionVersion[], part: (version: DefinitionVersion) => unknown): boolean =>
  versions.length > 0 && versions.every(version => isDeepStrictEqual(part(version), part(versions[0]!)))

/** A part of each version. Kubernetes judges what all versions have alike once, as a field of the definition. */
const eachPart = <T>(
  versions: readonly DefinitionVersion[],
  {
    read,
    shared,
    own,
  }: { readonly read: (version: DefinitionVersion) => T; readonly shared: string; readonly own: string },
  validate: (version: DefinitionVersion, path: string) => FieldError[],
): FieldError[] =>
  isSameInAll(versions, read)
    ? validate(versions[0]!, `spec.${shared}`)
    : versions.flatMap((version, index) => validate(version, `spec.versions[${index}].${own}`))

/** Each version's schema before the change, by the version's name. */
type SchemasBefore = ReadonlyMap<string, DefinitionVersion['schema']>

/** What the rules of a schema that stays as it is may cost one by one has been judged before. */
const validateVersionSchema =
  (before: SchemasBefore) =>
  (version: DefinitionVersion, path: string): FieldError[] => {
    const { name = '', schema } = version
    const props = schema?.openAPIV3Schema
    const limits = before.has(name) && isDeepStrictEqual(before.get(name), schema) ? 'whole' : 'each'
    const told = props ? validateSchema(props, `${path}.openAPIV3Schema`, limits) : []
    return [...validateRootWithStatus(version, path), ...told]
  }

const validateParts = (versions: readonly DefinitionVersion[], before: SchemasBefore): FieldError[] => [
  ...eachPart(
    versions,
    { read: ({ schema }) => schema, shared: 'validation', own: 'schema' },
    validateVersionSchema(before),
  ),
  ...eachPart(
    versions,
    { read: ({ subresources }) => subresources, shared: 'subresources', own: 'subresources' },
    ({ subresources }, path) => (subresources?.scale ? validateScale(subresources.scale, `${path}.scale`) : []),
  ),
  ...eachPart(
    versions,
    {
      read: ({ additionalPrinterColumns }) => additionalPrinterColumns,
      shared: 'additionalPrinterColumns',
      own: 'additionalPrinterColumns',
    },
    ({ additionalPrinterColumns = [] }, path) =>
      additionalPrinterColumns.flatMap((column, index) => validateColumn(column, `${path}[${index}]`)),
  ),
  ...eachPart(
    versions,
    { read: ({ selectableFields }) => selectableFields, shared: 'selectableFields', own: 'selectableFields' },
    validateSelectable,
  ),
]

const validateVersions = (given: readonly DefinitionVersion[] | undefined, before: SchemasBefore): FieldError[] => {
  const versions = given ?? []
  const names = versions.map(({ name }) => name)
  const errors = versions.flatMap(({ schema }, index) =>
    schema?.openAPIV3Schema ? [] : [fieldRequired(`spec.versions[${index}].schema.openAPIV3Schema`)],
  )
  for (const [index, version] of versions.entries()) {
    const complaints = checkDns1035Label(version.name ?? '')
    const at = `spec.versions[${index}]`
    if (complaints.length > 0) errors.push(fieldInvalid(`${at}.name`, version.name ?? '', complaints.join(',')))
    errors.push(...validateDeprecation(version, `${at}.deprecationWarning`))
  }
  errors.push(...validateParts(versions, before))
  if (new Set(names).size !== names.length) {
    errors.push(fieldInvalid('spec.versions', versions, 'must contain unique version names'))
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const detail = 'must have exactly one version marked as storage version'
    errors.push(fieldInvalid('spec.versions', given ?? null, detail))
  }
  // Kubernetes calls the first version that of the definition as well.
  const [first] = versions
  const complaints = checkDns1035Label(first?.name ?? '')
  if (first?.name && complaints.length > 0) errors.push(fieldInvalid('spec.version', first.name, complaints.join(',')))
  return errors
}

const validateSpec = (spec: DefinitionSpec, before: SchemasBefore): FieldError[] => {
  const { group, scope, versions, names = {}, conversion, preserveUnknownFields } = spec
  return [
    ...validateGroup(group),
    ...oneOf('spec.scope', scope, ['Cluster', 'Namespaced']),
    ...validateVersions(versions, before),
    ...(['plural', 'singular', 'kind', 'listKind'] as const).flatMap(name =>
      names[name] ? [] : [fieldRequired(`spec.names.${name}`)],
    ),
    ...validateNames(names, 'spec.names'),
    ...validateConversion(conversion, 'spec.conversion'),
    ...(preserveUnknownFields
      ? [
          fieldInvalid(
            'spec.preserveUnknownFields',
            true,
            'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
          ),
        ]
      : []),
  ]
}

const validateStoredVersions = (definition: ApiObject): FieldError[] => {
  const { storedVersions = [] } = statusOf(definition)
  const names = (specOf(definition).versions ?? []).map(({ name }) => name)
  const path = 'status.storedVersions'
  if (storedVersions.length === 0) return [fieldInvalid(path, null, 'must have at least one stored version')]
  const stored = (specOf(definition).versions ?? []).find(({ storage }) => storage)?.name
  const errors =
    stored !== undefined && !storedVersions.includes(stored)
      ? [fieldInvalid(path, storedVersions, `must have the storage version ${stored}`)]
      : []
  for (const [index, version] of storedVersions.entries()) {
    if (names.includes(version)) continue
    const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`
    errors.push(fieldInvalid(`${path}[${index}]`, version, detail))
  }
  return errors
}

const validateApproval = (definition: ApiObject, current: ApiObject | undefined): FieldError[] => {
  const { approval, reason } = approvalOf(definition)
  if (!isProtectedGroup(specOf(definition).group ?? '')) return []
  if (current && approvalOf(current).approval === approval) return []
  const path = `metadata.annotations[${APPROVAL}]`
  if (approval === 'missing') return [fieldRequired(path, reason)]
  return approval === 'invalid' ? [fieldInvalid(path, definition.metadata.annotations?.[APPROVAL], reason)] : []
}

const validateDefinitionName = ({ metadata, spec }: ApiObject): FieldError[] => {
  const { group, names } = specOf({ spec } as unknown as ApiObject)
  // That there is none is told with the rest of the metadata.
  return !metadata.name || metadata.name === `${names?.plural ?? ''}.${group ?? ''}`
    ? []
    : [fieldInvalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group')]
}

const schemasOf = (definition: ApiObject | undefined): SchemasBefore =>
  new Map((definition ? (specOf(definition).versions ?? []) : []).map(({ name = '', schema }) => [name, schema]))

/** `current`: absent on create. A spec that stays as it is is not judged again. */
export const validateDefinition = (definition: ApiObject, current?: ApiObject): FieldError[] => {
  const isSame = current !== undefined && isDeepStrictEqual(definition.spec, current.spec)
  const spec = isSame ? [] : validateSpec(specOf(definition), schemasOf(current))
  return [
    ...(current ? [] : validateDefinitionName(definition)),
    ...spec,
    ...validateNames(statusOf(definition).acceptedNames ?? {}, 'status.acceptedNames'),
    ...validateStoredVersions(definition),
    ...validateApproval(definition, current),
  ]
}

const immutable = (path: string, next: unknown, current: unknown): FieldError[] =>
  isDeepStrictEqual(next, current) ? [] : [fieldInvalid(path, next ?? null, 'field is immutable')]

export const validateDefinitionUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const [after, before] = [specOf(next), specOf(current)]
  const established = isConditionTrue(current, 'Established')
  return [
    ...(established ? immutable('spec.scope', after.scope, before.scope) : []),
    ...(established ? immutable('spec.names.kind', after.names?.kind, before.names?.kind) : []),
    ...immutable('spec.group', after.group, before.group),
    ...immutable('spec.names.plural', after.names?.plural, before.names?.plural),
  ]
}

export const validateDefinitionStatus = (next: ApiObject): FieldError[] => [
  ...validateNames(statusOf(next).acceptedNames ?? {}, 'status.acceptedNames'),
]

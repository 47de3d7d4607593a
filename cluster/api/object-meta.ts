/** The rules for `metadata`, the same for every kind. */
import { isDeepStrictEqual } from 'node:util'
import { complain, type FieldError, fieldForbidden, fieldInvalid, fieldRequired, fieldTooLong } from './field-error.ts'
import { checkFieldManager } from './field-manager.ts'
import type { Kind } from './kind.ts'
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkQualifiedName, maskTrailingDash } from './name.ts'
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from './object.ts'

/** Bytes of all keys and values together. */
const MAX_ANNOTATIONS = 256 * 1024
const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

/** What metadata needs to know of a kind. */
type Place = Pick<Kind, 'namespaced' | 'validateName' | 'takesAnyFinalizer'>

const validateName = (kind: Place, { name, generateName }: ObjectMeta): FieldError[] => {
  const check = kind.validateName ?? checkDnsSubdomain
  const errors = generateName
    ? complain('metadata.generateName', generateName, check(maskTrailingDash(generateName)))
    : []
  if (!name) return [...errors, fieldRequired('metadata.name', 'name or generateName is required')]
  return [...errors, ...complain('metadata.name', name, check(name))]
}

const validateNamespace = (kind: Place, { namespace }: ObjectMeta): FieldError[] => {
  if (!kind.namespaced) return namespace ? [fieldForbidden('metadata.namespace', 'not allowed on this type')] : []
  return namespace
    ? complain('metadata.namespace', namespace, checkDnsLabel(namespace))
    : [fieldRequired('metadata.namespace')]
}

export const validateLabels = (labels: Readonly<Record<string, string>>): FieldError[] =>
  Object.entries(labels).flatMap(([key, value]) => [
    ...complain('metadata.labels', key, checkQualifiedName(key)),
    ...complain('metadata.labels', value, checkLabelValue(value)),
  ])

export const validateAnnotations = (annotations: Readonly<Record<string, string>>): FieldError[] => {
  const errors: FieldError[] = []
  let bytes = 0
  for (const [key, value] of Object.entries(annotations)) {
    errors.push(...complain('metadata.annotations', key, checkQualifiedName(key.toLowerCase())))
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > MAX_ANNOTATIONS) errors.push(fieldTooLong('metadata.annotations', MAX_ANNOTATIONS))
  return errors
}

const validateOwner = (owner: OwnerReference): FieldError[] => {
  const field = 'metadata.ownerReferences'
  const { apiVersion = '', kind = '', name = '', uid = '' } = owner as Partial<OwnerReference>
  const errors: FieldError[] = []
  if (apiVersion === '' || apiVersion.endsWith('/')) {
    errors.push(fieldInvalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'))
  }
  for (const [key, value] of Object.entries({ kind, name, uid })) {
    if (value === '') errors.push(fieldInvalid(`${field}.${key}`, value, 'must not be empty'))
  }
  if (apiVersion === 'v1' && kind === 'Event') {
    errors.push(fieldInvalid(field, owner, '/v1, Kind=Event is disallowed from being an owner'))
  }
  return errors
}

const validateOwners = (owners: readonly OwnerReference[]): FieldError[] => {
  const errors = owners.flatMap(validateOwner)
  const [first, ...others] = owners.filter(({ controller }) => controller === true)
  for (const other of others) {
    const names = `${first!.kind}/${first!.name} and ${other.kind}/${other.name}`
    const detail = `Only one reference can have Controller set to true. Found "true" in references for ${names}`
    errors.push(fieldInvalid('metadata.ownerReferences', owners, detail))
  }
  return errors
}

/** Those that need no domain. */
const STANDARD_FINALIZERS = [ORPHAN, FOREGROUND, 'kubernetes']

const validateFinalizerDomains = (finalizers: readonly string[]): FieldError[] =>
  finalizers.flatMap((name, index) => {
    if (name.includes('/') || STANDARD_FINALIZERS.includes(name)) return []
    const detail = 'name is neither a standard finalizer name nor is it fully qualified'
    return [fieldInvalid(`metadata.finalizers[${index}]`, name, detail)]
  })

const validateFinalizers = (finalizers: readonly string[]): FieldError[] => {
  const errors = finalizers.flatMap(name => complain('metadata.finalizers', name, checkQualifiedName(name)))
  if (finalizers.includes(ORPHAN) && finalizers.includes(FOREGROUND)) {
    const detail = `finalizer ${ORPHAN} and ${FOREGROUND} cannot be both set`
    errors.push(fieldInvalid('metadata.finalizers', finalizers, detail))
  }
  return errors
}

/** Bytes. */
const MAX_SUBRESOURCE = 256

/** What makes no sense in an entry has been ignored when it was read: what is left are names. */
const validateManagers = (entries: readonly ManagedFieldsEntry[]): FieldError[] =>
  entries.flatMap(({ manager = '', subresource = '' }, index) => {
    const field = `metadata.managedFields[${index}]`
    const errors = checkFieldManager(`${field}.manager`, manager)
    if (subresource.length > MAX_SUBRESOURCE) errors.push(fieldTooLong(`${field}.subresource`, MAX_SUBRESOURCE))
    return errors
  })

/** The name has been generated by now. */
export const validateMetadata = (kind: Place, metadata: ObjectMeta): FieldError[] => [
  ...validateName(kind, metadata),
  ...validateNamespace(kind, metadata),
  ...validateLabels(metadata.labels ?? {}),
  ...validateAnnotations(metadata.annotations ?? {}),
  ...validateOwners(metadata.ownerReferences ?? []),
  ...validateFinalizers(metadata.finalizers ?? []),
  ...validateManagers(metadata.managedFields ?? []),
  ...(kind.takesAnyFinalizer ? [] : validateFinalizerDomains(metadata.finalizers ?? [])),
]

const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

/** What of metadata may not change; what the server sets itself has been carried over before. */
export const validateMetadataUpdate = (next: ObjectMeta, current: ObjectMeta): FieldError[] => {
  const errors: FieldError[] = []
  if (current.deletionTimestamp !== undefined) {
    const added = (next.finalizers ?? []).filter(name => !current.finalizers?.includes(name)).sort()
    if (added.length > 0) {
      const names = `[]string{${added.map(name => JSON.stringify(name)).join(', ')}}`
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${names}`
      errors.push(fieldForbidden('metadata.finalizers', detail))
    }
  }
  for (const field of IMMUTABLE) {
    if (isDeepStrictEqual(next[field], current[field])) continue
    errors.push(fieldInvalid(`metadata.${field}`, next[field] ?? null, 'field is immutable'))
  }
  return errors
}

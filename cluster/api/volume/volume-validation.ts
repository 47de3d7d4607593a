/** The rules for a PersistentVolume's spec, which a VolumeAttachment may hold, too. */
import { posix } from 'node:path'
import {
  complain,
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooLong,
} from '../field-error.ts'
import { checkDnsSubdomain, checkQualifiedName } from '../name.ts'
import { validatePositiveQuantity } from '../number-rules.ts'
import { validateAccessModes } from './access-modes.ts'
import { type NodeSelectorTerm, VOLUME_SOURCES, type VolumeSpec } from './volume.ts'

const MAX_DRIVER_NAME = 63
const NEEDS_VALUES = new Set(['In', 'NotIn'])
const NEEDS_NONE = new Set(['Exists', 'DoesNotExist'])

/** Upper case is taken, though no DNS name has it. */
export const validateDriverName = (name: string, field: string): FieldError[] => {
  if (name === '') return [fieldRequired(field)]
  const errors = name.length > MAX_DRIVER_NAME ? [fieldTooLong(field, MAX_DRIVER_NAME)] : []
  return [...errors, ...complain(field, name, checkDnsSubdomain(name.toLowerCase()))]
}

const climbs = (path: string, field: string): FieldError[] =>
  path.split('/').includes('..') ? [fieldInvalid(field, path, "must not contain '..'")] : []

const validateSource = ({ hostPath, local, nfs, csi, ...spec }: VolumeSpec, at: string): FieldError[] => {
  const errors: FieldError[] = []
  if (hostPath?.path) errors.push(...climbs(hostPath.path, `${at}.hostPath.path`))
  if (local?.path) errors.push(...climbs(local.path, `${at}.local.path`))
  if (local && !spec.nodeAffinity)
    errors.push(fieldRequired(`${at}.nodeAffinity`, 'Local volume requires node affinity'))
  if (nfs?.path && !nfs.path.startsWith('/'))
    errors.push(fieldInvalid(`${at}.nfs.path`, nfs.path, 'must be an absolute path'))
  if (csi) errors.push(...validateDriverName(csi.driver ?? '', `${at}.csi.driver`))
  const root = hostPath?.path !== undefined && posix.resolve('/', hostPath.path) === '/'
  if (root && spec.persistentVolumeReclaimPolicy === 'Recycle') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'"
    errors.push(fieldForbidden(`${at}.persistentVolumeReclaimPolicy`, detail))
  }
  return errors
}

const validateSources = (spec: VolumeSpec, at: string): FieldError[] => {
  const [first, ...others] = VOLUME_SOURCES.filter(source => spec[source] !== undefined && spec[source] !== null)
  if (first === undefined) return [fieldRequired(at, 'must specify a volume type')]
  return [
    ...others.map(other => fieldForbidden(`${at}.${other}`, 'may not specify more than 1 volume type')),
    ...validateSource(spec, at),
  ]
}

const validateTerm = (term: NodeSelectorTerm, at: string): FieldError[] =>
  (term.matchExpressions ?? []).flatMap(({ key = '', operator = '', values = [] }, index) => {
    const field = `${at}.matchExpressions[${index}]`
    const errors = complain(`${field}.key`, key, checkQualifiedName(key))
    if (NEEDS_VALUES.has(operator) && values.length === 0)
      errors.push(fieldRequired(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    if (NEEDS_NONE.has(operator) && values.length > 0) {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
      errors.push(fieldForbidden(`${field}.values`, detail))
    }
    if ((operator === 'Gt' || operator === 'Lt') && values.length !== 1) {
      const detail = "must be specified single value when `operator` is 'Lt' or 'Gt'"
      errors.push(fieldRequired(`${field}.values`, detail))
    }
    return errors
  })

const validateAffinity = ({ nodeAffinity }: VolumeSpec, at: string): FieldError[] => {
  if (!nodeAffinity) return []
  const field = `${at}.nodeAffinity.required`
  if (!nodeAffinity.required) return [fieldRequired(field, 'must specify required node constraints')]
  const terms = nodeAffinity.required.nodeSelectorTerms ?? []
  if (terms.length === 0)
    return [fieldRequired(`${field}.nodeSelectorTerms`, 'must have at least one node selector term')]
  return terms.flatMap((term, index) => validateTerm(term, `${field}.nodeSelectorTerms[${index}]`))
}

const validateCapacity = (capacity: Record<string, string> | undefined, at: string): FieldError[] => {
  const field = `${at}.capacity`
  const names = Object.keys(capacity ?? {})
  const errors: FieldError[] = names.length === 0 ? [fieldRequired(field)] : []
  if (names.length !== 1 || names[0] !== 'storage') errors.push(fieldNotSupported(field, capacity ?? null, ['storage']))
  return [...errors, ...names.flatMap(name => validatePositiveQuantity(`${field}[${name}]`, capacity?.[name] ?? ''))]
}

/** Of a volume that lies in another object: it has no size and no claim, and a CSI driver. */
const validateInline = ({ claimRef, capacity = {}, csi }: VolumeSpec, at: string): FieldError[] => {
  const forbidden = 'may not be specified in the context of inline volumes'
  return [
    ...(claimRef ? [fieldForbidden(`${at}.claimRef`, forbidden)] : []),
    ...(Object.keys(capacity).length > 0 ? [fieldForbidden(`${at}.capacity`, forbidden)] : []),
    ...(csi ? [] : [fieldRequired(`${at}.csi`, 'has to be specified in the context of inline volumes')]),
  ]
}

/** `inline`: within a VolumeAttachment. */
export const validateVolumeSpec = (spec: VolumeSpec, at: string, { inline }: { inline: boolean }): FieldError[] => {
  const { accessModes = [], storageClassName = '', volumeAttributesClassName: attributes } = spec
  const errors = inline ? validateInline(spec, at) : []
  if (accessModes.length === 0) errors.push(fieldRequired(`${at}.accessModes`))
  errors.push(...validateAccessModes(accessModes, `${at}.accessModes`))
  if (!inline) errors.push(...validateCapacity(spec.capacity, at))
  errors.push(...validateAffinity(spec, at), ...validateSources(spec, at))
  if (storageClassName !== '')
    errors.push(...complain(`${at}.storageClassName`, storageClassName, checkDnsSubdomain(storageClassName)))
  if (attributes !== undefined) {
    const field = `${at}.volumeAttributesClassName`
    errors.push(
      ...(attributes === ''
        ? [fieldRequired(field, 'an empty string is disallowed')]
        : complain(field, attributes, checkDnsSubdomain(attributes))),
    )
    if (!spec.csi) errors.push(fieldRequired(`${at}.csi`, 'has to be specified when using volumeAttributesClassName'))
  }
  return errors
}

/** StatefulSet: Pods with names and volumes that stay theirs. */
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from '../field-error.ts'
import { isSame } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { isEmptySelector, validateLabelSelector } from '../label-selector.ts'
import { checkDnsLabel } from '../name.ts'
import { type IntOrString, isZero, noneNegative, notOverAll, validateNumberOrPercent } from '../number-rules.ts'
import type { ApiObject, ObjectMeta } from '../object.ts'
import { applyPodTemplateDefaults } from '../pod/defaults.ts'
import { applyClaimDefaults, validateClaim } from '../volume/claim.ts'
import { usualScale } from '../workload/scale.ts'
import {
  type PodTemplate,
  templateColumns,
  templateWarnings,
  validateAlways,
  validateChosen,
  validateTemplate,
  type WorkloadSpec,
} from '../workload/template.ts'

interface StatefulSetSpec extends WorkloadSpec {
  serviceName?: string
  podManagementPolicy?: string
  updateStrategy?: { type?: string; rollingUpdate?: { partition?: number; maxUnavailable?: IntOrString } }
  revisionHistoryLimit?: number
  persistentVolumeClaimRetentionPolicy?: { whenDeleted?: string; whenScaled?: string }
  ordinals?: { start?: number }
  volumeClaimTemplates?: ApiObject[]
}

const specOf = ({ spec }: ApiObject): StatefulSetSpec => (spec ?? {}) as StatefulSetSpec
const statusOf = ({ status }: ApiObject) => (status ?? {}) as Record<string, number | undefined>

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  spec.podManagementPolicy ||= 'OrderedReady'
  spec.updateStrategy ??= {}
  if (!spec.updateStrategy.type) {
    spec.updateStrategy.type = 'RollingUpdate'
    spec.updateStrategy.rollingUpdate ??= {}
  }
  const { type, rollingUpdate } = spec.updateStrategy
  if (type === 'RollingUpdate' && rollingUpdate) {
    rollingUpdate.partition ??= 0
    // KEP-961, on by default in 1.35.
    rollingUpdate.maxUnavailable ??= 1
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {}
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  for (const claim of spec.volumeClaimTemplates ?? []) {
    Object.assign(claim, { kind: 'PersistentVolumeClaim', apiVersion: 'v1' })
    applyClaimDefaults(claim)
  }
  spec.template ??= {}
  applyPodTemplateDefaults(spec.template)
}

const validateStrategy = ({ updateStrategy = {} }: StatefulSetSpec): FieldError[] => {
  const { type, rollingUpdate } = updateStrategy
  const field = 'spec.updateStrategy.rollingUpdate'
  if (!rollingUpdate) return []
  if (type === 'OnDelete')
    return [fieldInvalid(field, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")]
  const errors = noneNegative(rollingUpdate, field, ['partition'])
  const { maxUnavailable } = rollingUpdate
  if (maxUnavailable === undefined) return errors
  const at = `${field}.maxUnavailable`
  if (isZero(maxUnavailable)) errors.push(fieldInvalid(at, maxUnavailable, 'cannot be 0'))
  return [...errors, ...validateNumberOrPercent(at, maxUnavailable), ...notOverAll(at, maxUnavailable)]
}

/** As Pods will have it: with the volumes of the claims. */
const completed = ({ template = {}, volumeClaimTemplates: claims = [] }: StatefulSetSpec): PodTemplate => {
  const { hostname: _hostname, subdomain: _subdomain, volumes = [], ...spec } = template.spec ?? {}
  const claimed = claims.map(({ metadata }) => {
    const { name = '' } = (metadata ?? {}) as ObjectMeta
    return { name, persistentVolumeClaim: { claimName: name } }
  })
  const others = volumes.filter(({ name }) => !claimed.some(claim => claim.name === name))
  return { ...template, spec: { ...spec, volumes: [...claimed, ...others] } }
}

const validateClaims = ({ volumeClaimTemplates: claims = [] }: StatefulSetSpec): FieldError[] =>
  claims.flatMap((claim, index) =>
    validateClaim(claim).map(error => ({ ...error, field: `spec.volumeClaimTemplates[${index}].${error.field}` })),
  )

const validate = (object: ApiObject): FieldError[] => {
  const spec = specOf(object)
  const { selector, template = {}, ordinals, serviceName = '' } = spec
  const errors = [
    ...validateStrategy(spec),
    ...validateClaims(spec),
    ...noneNegative(spec, 'spec', ['replicas', 'minReadySeconds', 'revisionHistoryLimit']),
    ...noneNegative(ordinals ?? {}, 'spec.ordinals', ['start']),
  ]
  if (serviceName !== '')
    errors.push(...checkDnsLabel(serviceName).map(text => fieldInvalid('spec.serviceName', serviceName, text)))
  if (!selector) errors.push(fieldRequired('spec.selector'))
  else {
    errors.push(...validateLabelSelector(selector, 'spec.selector'))
    if (isEmptySelector(selector))
      errors.push(fieldInvalid('spec.selector', selector, 'empty selector is invalid for statefulset'))
  }
  const deadline = template.spec?.activeDeadlineSeconds
  if (deadline !== undefined)
    errors.push(fieldInvalid('spec.template.spec.activeDeadlineSeconds', deadline, 'must not be specified'))
  return [
    ...errors,
    ...validateChosen(selector, template, 'spec.template'),
    ...validateTemplate(completed(spec), 'spec.template'),
    ...validateAlways(template, 'spec.template'),
  ]
}

const MAY_CHANGE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const

const FIXED =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

const fixedOf = (object: ApiObject): StatefulSetSpec => {
  const spec = { ...specOf(object) }
  for (const field of MAY_CHANGE) delete spec[field]
  return spec
}

const COUNTS = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']

const validateStatusUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const status = statusOf(next)
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, collisionCount = 0 } = status
  const errors = noneNegative(status, 'status', ['replicas', ...COUNTS, 'observedGeneration', 'collisionCount'])
  for (const name of COUNTS) {
    const count = status[name] ?? 0
    if (count > replicas) errors.push(fieldInvalid(`status.${name}`, count, 'cannot be greater than status.replicas'))
  }
  if (availableReplicas > readyReplicas) {
    const detail = 'cannot be greater than status.readyReplicas'
    errors.push(fieldInvalid('status.availableReplicas', availableReplicas, detail))
  }
  if (collisionCount < (statusOf(current).collisionCount ?? 0))
    errors.push(fieldInvalid('status.collisionCount', collisionCount, 'cannot be decremented'))
  return errors
}

export const statefulSetKind: Kind = {
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  resource: 'statefulsets',
  singular: 'statefulset',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  type: 'apps/v1.StatefulSet',
  hasStatus: true,
  countsGenerations: true,
  scale: usualScale(),
  applyDefaults,
  prepareForCreate(object) {
    object.status = {}
  },
  warnings: templateWarnings('spec.template', object => specOf(object).template),
  validate,
  validateUpdate: (next, current) => (isSame(fixedOf(next), fixedOf(current)) ? [] : [fieldForbidden('spec', FIXED)]),
  validateStatusUpdate,
  columns: [
    column('Ready', 'Pods that are ready, of those wanted.', object => {
      return `${statusOf(object).readyReplicas ?? 0}/${specOf(object).replicas ?? 0}`
    }),
    ageColumn,
    ...templateColumns(object => specOf(object).template),
  ],
}

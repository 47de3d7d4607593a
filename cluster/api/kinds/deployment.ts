/** Deployment: so many Pods of a template, changed a few at a time. */
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from '../field-error.ts'
import { isSame, validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { isEmptySelector, validateLabelSelector } from '../label-selector.ts'
import { noneNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'
import { applyPodTemplateDefaults } from '../pod/defaults.ts'
import { validateReplicaCounts } from '../workload/replica-status.ts'
import { type RollingUpdate, validateRollingUpdate } from '../workload/rolling-update.ts'
import { usualScale } from '../workload/scale.ts'
import {
  selectorColumn,
  templateColumns,
  templateWarnings,
  validateAlways,
  validateChosen,
  validateTemplate,
  type WorkloadSpec,
} from '../workload/template.ts'

interface DeploymentSpec extends WorkloadSpec {
  strategy?: { type?: string; rollingUpdate?: RollingUpdate }
  revisionHistoryLimit?: number
  progressDeadlineSeconds?: number
}

interface DeploymentStatus {
  replicas?: number
  updatedReplicas?: number
  readyReplicas?: number
  availableReplicas?: number
  collisionCount?: number
}

const specOf = ({ spec }: ApiObject): DeploymentSpec => (spec ?? {}) as DeploymentSpec
const statusOf = ({ status }: ApiObject): DeploymentStatus => (status ?? {}) as DeploymentStatus

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
  spec.strategy ??= {}
  spec.strategy.type ||= 'RollingUpdate'
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...spec.strategy.rollingUpdate }
  }
  spec.template ??= {}
  applyPodTemplateDefaults(spec.template)
}

const validateStrategy = ({ strategy = {} }: DeploymentSpec): FieldError[] => {
  const { type, rollingUpdate } = strategy
  const field = 'spec.strategy.rollingUpdate'
  if (type === 'RollingUpdate') return validateRollingUpdate(rollingUpdate ?? {}, field, 'Deployment')
  return type === 'Recreate' && rollingUpdate
    ? [fieldForbidden(field, "may not be specified when strategy `type` is 'Recreate'")]
    : []
}

const validateDeadline = ({ progressDeadlineSeconds: deadline, minReadySeconds = 0 }: DeploymentSpec): FieldError[] =>
  deadline !== undefined && deadline <= minReadySeconds
    ? [fieldInvalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')]
    : []

const validate = (object: ApiObject): FieldError[] => {
  const spec = specOf(object)
  const { selector, template = {} } = spec
  const errors = noneNegative(spec, 'spec', [
    'replicas',
    'minReadySeconds',
    'revisionHistoryLimit',
    'progressDeadlineSeconds',
  ])
  if (!selector) errors.push(fieldRequired('spec.selector'))
  else {
    errors.push(...validateLabelSelector(selector, 'spec.selector'))
    if (isEmptySelector(selector))
      errors.push(fieldInvalid('spec.selector', selector, 'empty selector is invalid for deployment'))
  }
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    const detail = 'activeDeadlineSeconds in ReplicaSet is not Supported'
    errors.push(fieldForbidden('spec.template.spec.activeDeadlineSeconds', detail))
  }
  return [
    ...errors,
    ...validateChosen(selector, template, 'spec.template'),
    ...validateTemplate(template, 'spec.template'),
    ...validateAlways(template, 'spec.template'),
    ...validateStrategy(spec),
    ...validateDeadline(spec),
  ]
}

const COUNTS = ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const

const validateStatusUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const status = statusOf(next)
  const more = ['observedGeneration', 'unavailableReplicas', 'collisionCount']
  const errors = validateReplicaCounts(next, COUNTS, more)
  if ((status.collisionCount ?? 0) < (statusOf(current).collisionCount ?? 0))
    errors.push(fieldInvalid('status.collisionCount', status.collisionCount ?? 0, 'cannot be decremented'))
  return errors
}

export const deploymentKind: Kind = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  type: 'apps/v1.Deployment',
  hasStatus: true,
  countsGenerations: true,
  scale: usualScale(),
  applyDefaults,
  prepareForCreate(object) {
    object.status = {}
  },
  // Annotations go on to the ReplicaSets: controllers must see that they changed.
  prepareForUpdate({ metadata }, { metadata: current }) {
    if (!isSame(metadata.annotations ?? {}, current.annotations ?? {}))
      metadata.generation = (current.generation ?? 0) + 1
  },
  warnings: templateWarnings('spec.template', object => specOf(object).template),
  validate,
  validateUpdate: (next, current) =>
    validateImmutable('spec.selector', specOf(next).selector, specOf(current).selector),
  validateStatusUpdate,
  statusResets: ['metadata.labels'],
  columns: [
    column('Ready', 'Pods that are ready, of those wanted.', object => {
      return `${statusOf(object).readyReplicas ?? 0}/${specOf(object).replicas ?? 0}`
    }),
    column('Up-to-date', 'Pods of the newest template.', object => statusOf(object).updatedReplicas ?? 0),
    column('Available', 'Pods that are ready for long enough.', object => {
      return statusOf(object).availableReplicas ?? 0
    }),
    ageColumn,
    ...templateColumns(object => specOf(object).template),
    selectorColumn(object => specOf(object).selector),
  ],
}

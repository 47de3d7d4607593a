/** ReplicationController: so many Pods of one template; what ReplicaSet came after. */
import { ageColumn, integerColumn } from '../column.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import { selectorString, validateLabelMap } from '../label-selector.ts'
import { noneNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'
import { applyPodTemplateDefaults } from '../pod/defaults.ts'
import { validateReplicaStatus } from '../workload/replica-status.ts'
import { usualScale } from '../workload/scale.ts'
import {
  type PodTemplate,
  selectorColumn,
  templateColumns,
  templateWarnings,
  validateAlways,
  validateTemplate,
} from '../workload/template.ts'

interface ControllerSpec {
  replicas?: number
  minReadySeconds?: number
  selector?: Record<string, string>
  template?: PodTemplate
}

const specOf = ({ spec }: ApiObject): ControllerSpec => (spec ?? {}) as ControllerSpec
const statusOf = ({ status }: ApiObject) => (status ?? {}) as { replicas?: number; readyReplicas?: number }
const selectorOf = (object: ApiObject) => ({ matchLabels: specOf(object).selector ?? {} })

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  spec.replicas ??= 1
  const { template } = spec
  if (!template) return
  applyPodTemplateDefaults(template)
  const { labels } = template.metadata ?? {}
  if (!labels) return
  if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
  if (Object.keys(object.metadata.labels ?? {}).length === 0) object.metadata.labels = { ...labels }
}

const validateChosen = ({ selector = {}, template }: ControllerSpec): FieldError[] => {
  const labels = template?.metadata?.labels ?? {}
  const isChosen = Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
  if (isChosen || Object.keys(selector).length === 0) return []
  return [fieldInvalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]
}

const validate = (object: ApiObject): FieldError[] => {
  const spec = specOf(object)
  const { selector = {}, template } = spec
  const errors = noneNegative(spec, 'spec', ['replicas', 'minReadySeconds'])
  errors.push(...validateLabelMap(selector, 'spec.selector'))
  if (Object.keys(selector).length === 0) errors.push(fieldRequired('spec.selector'))
  if (!template) return [...errors, fieldRequired('spec.template')]
  return [
    ...errors,
    ...validateChosen(spec),
    ...validateTemplate(template, 'spec.template'),
    ...validateAlways(template, 'spec.template'),
  ]
}

const selectableFields = (object: ApiObject) => ({ 'status.replicas': String(statusOf(object).replicas ?? 0) })

export const replicationControllerKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  singular: 'replicationcontroller',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  type: 'core/v1.ReplicationController',
  hasStatus: true,
  countsGenerations: true,
  orphansByDefault: {},
  scale: usualScale(object => selectorString(selectorOf(object))),
  applyDefaults,
  prepareForCreate(object) {
    object.status = {}
  },
  warnings: templateWarnings('spec.template', object => specOf(object).template),
  validate,
  validateStatusUpdate: validateReplicaStatus,
  selectableFields,
  selectableFieldNames: ['status.replicas'],
  columns: [
    integerColumn('Desired', 'Pods that are wanted.', object => specOf(object).replicas ?? 0),
    integerColumn('Current', 'Pods that are there.', object => statusOf(object).replicas ?? 0),
    integerColumn('Ready', 'Pods that are ready.', object => statusOf(object).readyReplicas ?? 0),
    ageColumn,
    ...templateColumns(object => specOf(object).template),
    selectorColumn(selectorOf),
  ],
}

/** ReplicaSet: so many Pods of one template. */
import { ageColumn, integerColumn } from '../column.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import { validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { isEmptySelector, validateLabelSelector } from '../label-selector.ts'
import { noneNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'
import { applyPodTemplateDefaults } from '../pod/defaults.ts'
import { validateReplicaStatus } from '../workload/replica-status.ts'
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

const specOf = ({ spec }: ApiObject): WorkloadSpec => (spec ?? {}) as WorkloadSpec
const statusOf = ({ status }: ApiObject) => (status ?? {}) as { replicas?: number; readyReplicas?: number }

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  spec.replicas ??= 1
  spec.template ??= {}
  applyPodTemplateDefaults(spec.template)
}

const validate = (object: ApiObject): FieldError[] => {
  const spec = specOf(object)
  const { selector, template = {} } = spec
  const errors = noneNegative(spec, 'spec', ['replicas', 'minReadySeconds'])
  if (!selector) errors.push(fieldRequired('spec.selector'))
  else {
    errors.push(...validateLabelSelector(selector, 'spec.selector'))
    if (isEmptySelector(selector))
      errors.push(fieldInvalid('spec.selector', selector, 'empty selector is invalid for deployment'))
  }
  return [
    ...errors,
    ...validateChosen(selector, template, 'spec.template'),
    ...validateTemplate(template, 'spec.template'),
    ...validateAlways(template, 'spec.template'),
  ]
}

export const replicaSetKind: Kind = {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  resource: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  type: 'apps/v1.ReplicaSet',
  hasStatus: true,
  countsGenerations: true,
  scale: usualScale(),
  applyDefaults,
  prepareForCreate(object) {
    object.status = {}
  },
  warnings: templateWarnings('spec.template', object => specOf(object).template),
  validate,
  validateUpdate: (next, current) =>
    validateImmutable('spec.selector', specOf(next).selector, specOf(current).selector),
  validateStatusUpdate: validateReplicaStatus,
  columns: [
    integerColumn('Desired', 'Pods that are wanted.', object => specOf(object).replicas ?? 0),
    integerColumn('Current', 'Pods that are there.', object => statusOf(object).replicas ?? 0),
    integerColumn('Ready', 'Pods that are ready.', object => statusOf(object).readyReplicas ?? 0),
    ageColumn,
    ...templateColumns(object => specOf(object).template),
    selectorColumn(object => specOf(object).selector),
  ],
}

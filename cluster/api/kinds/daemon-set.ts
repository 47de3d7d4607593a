/** DaemonSet: one Pod on each node. */
import { ageColumn, column, integerColumn, labelsText } from '../column.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import { isSame, validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { isEmptySelector, validateLabelSelector } from '../label-selector.ts'
import { noneNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'
import { applyPodTemplateDefaults } from '../pod/defaults.ts'
import { type RollingUpdate, validateRollingUpdate } from '../workload/rolling-update.ts'
import {
  selectorColumn,
  templateColumns,
  templateWarnings,
  validateAlways,
  validateChosen,
  validateTemplate,
  type WorkloadSpec,
} from '../workload/template.ts'

interface DaemonSetSpec extends WorkloadSpec {
  updateStrategy?: { type?: string; rollingUpdate?: RollingUpdate }
  revisionHistoryLimit?: number
}

const specOf = ({ spec }: ApiObject): DaemonSetSpec => (spec ?? {}) as DaemonSetSpec
const countOf = ({ status }: ApiObject, name: string): number =>
  ((status ?? {}) as Record<string, number | undefined>)[name] ?? 0

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  spec.revisionHistoryLimit ??= 10
  spec.updateStrategy ??= {}
  spec.updateStrategy.type ||= 'RollingUpdate'
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...spec.updateStrategy.rollingUpdate }
  }
  spec.template ??= {}
  applyPodTemplateDefaults(spec.template)
  setTemplateGeneration(object, templateGeneration(object))
}

/** What extensions/v1beta1 had as spec.templateGeneration: how often the template has changed. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

const templateGeneration = ({ metadata }: ApiObject): number => {
  const said = metadata.annotations?.[TEMPLATE_GENERATION] ?? ''
  return /^\d+$/.test(said) ? Math.max(1, Number(said)) : 1
}

const setTemplateGeneration = ({ metadata }: ApiObject, generation: number): void => {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) }
}

/** No client changes it but by changing the template. */
const keepTemplateGeneration = (next: ApiObject, current: ApiObject): void => {
  const changed = !isSame(specOf(next).template, specOf(current).template)
  setTemplateGeneration(next, templateGeneration(current) + (changed ? 1 : 0))
}

const validate = (object: ApiObject): FieldError[] => {
  const spec = specOf(object)
  const { selector, template = {}, updateStrategy = {} } = spec
  const errors: FieldError[] = []
  if (!selector) errors.push(fieldRequired('spec.selector'))
  else {
    errors.push(...validateLabelSelector(selector, 'spec.selector'))
    if (isEmptySelector(selector))
      errors.push(fieldInvalid('spec.selector', selector, 'empty selector is invalid for daemonset'))
  }
  errors.push(
    ...validateChosen(selector, template, 'spec.template'),
    ...validateTemplate(template, 'spec.template'),
    ...validateAlways(template, 'spec.template'),
  )
  const deadline = template.spec?.activeDeadlineSeconds
  if (deadline !== undefined)
    errors.push(fieldInvalid('spec.template.spec.activeDeadlineSeconds', deadline, 'must not be specified'))
  errors.push(...noneNegative(spec, 'spec', ['minReadySeconds', 'revisionHistoryLimit']))
  if (updateStrategy.type === 'RollingUpdate') {
    const { rollingUpdate = {} } = updateStrategy
    errors.push(...validateRollingUpdate(rollingUpdate, 'spec.updateStrategy.rollingUpdate', 'DaemonSet'))
  }
  return errors
}

const COUNTS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
]

export const daemonSetKind: Kind = {
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  resource: 'daemonsets',
  singular: 'daemonset',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  type: 'apps/v1.DaemonSet',
  hasStatus: true,
  countsGenerations: true,
  applyDefaults,
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepTemplateGeneration,
  warnings: templateWarnings('spec.template', object => specOf(object).template),
  validate,
  validateUpdate: (next, current) =>
    validateImmutable('spec.selector', specOf(next).selector, specOf(current).selector),
  validateStatusUpdate: next => noneNegative((next.status ?? {}) as object, 'status', COUNTS),
  columns: [
    integerColumn('Desired', 'Nodes that shall run the pod.', object => countOf(object, 'desiredNumberScheduled')),
    integerColumn('Current', 'Nodes that have the pod.', object => countOf(object, 'currentNumberScheduled')),
    integerColumn('Ready', 'Pods that are ready.', object => countOf(object, 'numberReady')),
    integerColumn('Up-to-date', 'Pods of the newest template.', object => countOf(object, 'updatedNumberScheduled')),
    integerColumn('Available', 'Pods that are ready for long enough.', object => countOf(object, 'numberAvailable')),
    column('Node Selector', 'Labels of the nodes.', object => labelsText(specOf(object).template?.spec?.nodeSelector)),
    ageColumn,
    ...templateColumns(object => specOf(object).template),
    selectorColumn(object => specOf(object).selector),
  ],
}

/** Job: Pods that run until enough of them have ended well. */
import { ageSince, humanDuration } from '../age.ts'
import { type JobSpec, validateJobSpec } from '../batch/job.ts'
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import { validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { matchesSelector, sortedLabels, validateLabelSelector } from '../label-selector.ts'
import { checkDnsLabel } from '../name.ts'
import { noneNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'
import { applyPodTemplateDefaults } from '../pod/defaults.ts'
import type { PodSpec } from '../pod/pod.ts'
import {
  type PodTemplate,
  selectorColumn,
  templateColumns,
  templateWarnings,
  validateChosen,
} from '../workload/template.ts'

interface JobStatus {
  conditions?: { type?: string; status?: string }[]
  startTime?: string
  completionTime?: string
  succeeded?: number
}

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid'
const MAX_INT32 = 2 ** 31 - 1

const specOf = ({ spec }: ApiObject): JobSpec => (spec ?? {}) as JobSpec
const statusOf = ({ status }: ApiObject): JobStatus => (status ?? {}) as JobStatus

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : MAX_INT32
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  spec.manualSelector ??= false
  spec.template ??= {}
  applyPodTemplateDefaults(spec.template)
  const { labels } = spec.template.metadata ?? {}
  if (labels && Object.keys(object.metadata.labels ?? {}).length === 0) object.metadata.labels = { ...labels }
}

/** By which a Job knows its Pods, unless it chooses by itself; those without a domain are older. */
const generatedLabels = ({ metadata: { name = '', uid = '' } }: ApiObject): Record<string, string> => ({
  'controller-uid': uid,
  'job-name': name,
  [CONTROLLER_UID]: uid,
  'batch.kubernetes.io/job-name': name,
})

/** Its own uid tells a Job's Pods from all others: no two Jobs can fight over them. */
const prepareForCreate = (object: ApiObject): void => {
  object.status = {}
  object.spec ??= {}
  const spec = specOf(object)
  if (spec.manualSelector) return
  const { uid = '' } = object.metadata
  spec.template ??= {}
  const { metadata } = spec.template
  // What somebody set by hand stays, and is refused if it is another.
  spec.template.metadata = { ...metadata, labels: { ...generatedLabels(object), ...metadata?.labels } }
  spec.selector = { ...spec.selector, matchLabels: { [CONTROLLER_UID]: uid, ...spec.selector?.matchLabels } }
}

const validateGenerated = (object: ApiObject): FieldError[] => {
  const { selector, template = {}, manualSelector } = specOf(object)
  if (manualSelector || !selector) return []
  const wanted = generatedLabels(object)
  const labels = template.metadata?.labels ?? {}
  const errors = Object.entries(wanted).flatMap(([key, value]) => {
    const field = `spec.template.metadata.labels[${key}]`
    if (!Object.hasOwn(labels, key)) return [fieldRequired(field, `must be '${value}'`)]
    return labels[key] === value ? [] : [fieldInvalid(field, sortedLabels(labels), `must be '${value}'`)]
  })
  if (matchesSelector(selector, wanted)) return errors
  const printed = { ...selector, matchLabels: sortedLabels(selector.matchLabels ?? {}) }
  return [...errors, fieldInvalid('spec.selector', printed, '`selector` not auto-generated')]
}

const validateSelector = ({ selector, template = {} }: JobSpec): FieldError[] => [
  ...(selector ? validateLabelSelector(selector, 'spec.selector') : [fieldRequired('spec.selector')]),
  ...validateChosen(selector, template, 'spec.template'),
]

/** Each Pod of an indexed Job is called by its index. */
const validateHosts = ({ metadata, spec }: ApiObject): FieldError[] => {
  const { completionMode, completions = 0 } = (spec ?? {}) as JobSpec
  const { name = '' } = metadata
  if (completionMode !== 'Indexed' || completions <= 0) return []
  const host = `${name}-${completions - 1}`
  const detail = `will not able to create pod with invalid DNS label: ${host}`
  return checkDnsLabel(host).length > 0 ? [fieldInvalid('metadata.name', name, detail)] : []
}

const validate = (object: ApiObject): FieldError[] => [
  ...validateGenerated(object),
  ...validateJobSpec(specOf(object), 'spec'),
  ...validateSelector(specOf(object)),
  ...validateHosts(object),
]

/** KEP-2926: while a Job waits and has not started, a queue may steer where its Pods will go. */
const steerable = ['nodeSelector', 'affinity', 'tolerations', 'schedulingGates'] as const

const withPlaceOf = ({ metadata, spec }: PodTemplate, current: PodTemplate): PodTemplate => {
  const placed: PodSpec = { ...spec }
  for (const field of steerable) {
    delete placed[field]
    if (current.spec?.[field] !== undefined) Object.assign(placed, { [field]: current.spec[field] })
  }
  const { labels, annotations } = current.metadata ?? {}
  return {
    metadata: { ...metadata, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    spec: placed,
  }
}

const IMMUTABLE = [
  'selector',
  'completionMode',
  'podFailurePolicy',
  'backoffLimitPerIndex',
  'managedBy',
  'successPolicy',
] as const

/** KEP-3715: an indexed Job grows and shrinks with its parallelism. */
const isElastic = (next: JobSpec, current: JobSpec): boolean =>
  next.completionMode === 'Indexed' &&
  next.completions === next.parallelism &&
  current.completions === current.parallelism

const validateUpdate = (object: ApiObject, existing: ApiObject): FieldError[] => {
  const [next, current] = [specOf(object), specOf(existing)]
  const waits = current.suspend === true && statusOf(existing).startTime === undefined
  const was = current.template ?? {}
  const template = waits ? withPlaceOf(next.template ?? {}, was) : next.template
  return [
    ...(isElastic(next, current) ? [] : validateImmutable('spec.completions', next.completions, current.completions)),
    ...validateImmutable('spec.template', template, was),
    ...IMMUTABLE.flatMap(field => validateImmutable(`spec.${field}`, next[field], current[field])),
  ]
}

const isTrue = (object: ApiObject, type: string): boolean =>
  statusOf(object).conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false

const statusText = (object: ApiObject): string => {
  if (isTrue(object, 'Complete')) return 'Complete'
  if (isTrue(object, 'Failed')) return 'Failed'
  if (object.metadata.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(type => isTrue(object, type)) ?? 'Running'
}

const completionsText = (object: ApiObject): string => {
  const { completions, parallelism = 0 } = specOf(object)
  const { succeeded = 0 } = statusOf(object)
  if (completions !== undefined) return `${succeeded}/${completions}`
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

const durationText = (object: ApiObject, now: number): string => {
  const { startTime, completionTime } = statusOf(object)
  if (!startTime) return ''
  return completionTime ? humanDuration(Date.parse(completionTime) - Date.parse(startTime)) : ageSince(startTime, now)
}

const selectableFields = (object: ApiObject) => ({ 'status.successful': String(statusOf(object).succeeded ?? 0) })

export const jobKind: Kind = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  resource: 'jobs',
  singular: 'job',
  shortNames: [],
  categories: ['all'],
  namespaced: true,
  type: 'batch/v1.Job',
  hasStatus: true,
  countsGenerations: true,
  orphansByDefault: {
    warning:
      'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  },
  applyDefaults,
  prepareForCreate,
  warnings: templateWarnings('spec.template', object => specOf(object).template),
  validate,
  validateUpdate,
  validateStatusUpdate: next =>
    noneNegative(statusOf(next), 'status', ['active', 'succeeded', 'failed', 'ready', 'terminating']),
  selectableFields,
  selectableFieldNames: ['status.successful'],
  columns: [
    column('Status', 'How far it is.', statusText),
    column('Completions', 'Pods that ended well, of those wanted.', completionsText),
    column('Duration', 'From its start to its end, or until now.', durationText),
    ageColumn,
    ...templateColumns(object => specOf(object).template),
    selectorColumn(object => specOf(object).selector),
  ],
}

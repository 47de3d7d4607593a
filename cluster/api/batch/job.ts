/** The spec of a Job, alone or in a CronJob's template, and what it may not be. */
import {
  complain,
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooLong,
} from '../field-error.ts'
import type { LabelSelector } from '../label-selector.ts'
import { checkDnsSubdomain } from '../name.ts'
import { noneNegative } from '../number-rules.ts'
import { type PodTemplate, validateTemplate } from '../workload/template.ts'
import { type PodFailurePolicy, validateFailurePolicy } from './failure-policy.ts'
import { printedPolicy, type SuccessPolicy, validateSuccessPolicy } from './success-policy.ts'

export interface JobSpec {
  parallelism?: number
  completions?: number
  activeDeadlineSeconds?: number
  podFailurePolicy?: PodFailurePolicy
  successPolicy?: SuccessPolicy
  backoffLimit?: number
  backoffLimitPerIndex?: number
  maxFailedIndexes?: number
  selector?: LabelSelector
  manualSelector?: boolean
  template?: PodTemplate
  ttlSecondsAfterFinished?: number
  completionMode?: string
  suspend?: boolean
  podReplacementPolicy?: string
  managedBy?: string
}

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
]
const MAX_INDEXED_PARALLELISM = 100_000
const MAX_FAILED_INDEXES = 100_000
/** More than so many completions are watched over less closely, where each index has a limit of its own. */
const MANY_COMPLETIONS = 100_000
const MAX_OF_MANY = 10_000
const MAX_MANAGER = 63

const notOver = (field: string, value: number | undefined, limit: number, condition = ''): FieldError[] =>
  value !== undefined && value > limit
    ? [fieldInvalid(field, value, `must be less than or equal to ${limit}${condition}`)]
    : []

const validateMany = (spec: JobSpec, at: string): FieldError[] => {
  const { completions = 0, parallelism, backoffLimitPerIndex, maxFailedIndexes } = spec
  if (completions <= MANY_COMPLETIONS || backoffLimitPerIndex === undefined) return []
  const condition = ` when completions are above ${MANY_COMPLETIONS} and used with backoff limit per index`
  const detail = `must be specified when completions is above ${MANY_COMPLETIONS}`
  return [
    ...(maxFailedIndexes === undefined ? [fieldRequired(`${at}.maxFailedIndexes`, detail)] : []),
    ...notOver(`${at}.parallelism`, parallelism, MAX_OF_MANY, condition),
    ...notOver(`${at}.maxFailedIndexes`, maxFailedIndexes, MAX_OF_MANY, condition),
  ]
}

const validateIndexed = (spec: JobSpec, at: string): FieldError[] => {
  const { completions, parallelism, maxFailedIndexes: failed } = spec
  const errors = notOver(`${at}.parallelism`, parallelism, MAX_INDEXED_PARALLELISM, ' when completion mode is Indexed')
  if (completions === undefined) errors.unshift(fieldRequired(`${at}.completions`, 'when completion mode is Indexed'))
  else if (failed !== undefined && failed > completions)
    errors.push(fieldInvalid(`${at}.maxFailedIndexes`, failed, 'must be less than or equal to completions'))
  return [...errors, ...notOver(`${at}.maxFailedIndexes`, failed, MAX_FAILED_INDEXES), ...validateMany(spec, at)]
}

const validateMode = (spec: JobSpec, at: string): FieldError[] => {
  const { completionMode = 'NonIndexed', backoffLimitPerIndex, maxFailedIndexes } = spec
  if (completionMode === 'Indexed') return validateIndexed(spec, at)
  if (completionMode !== 'NonIndexed')
    return [fieldNotSupported(`${at}.completionMode`, completionMode, ['NonIndexed', 'Indexed'])]
  return Object.entries({ backoffLimitPerIndex, maxFailedIndexes }).flatMap(([name, value]) =>
    value === undefined ? [] : [fieldInvalid(`${at}.${name}`, value, 'requires indexed completion mode')],
  )
}

const HTTP_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/

const validateManager = ({ managedBy }: JobSpec, at: string): FieldError[] => {
  if (managedBy === undefined) return []
  const field = `${at}.managedBy`
  if (managedBy === '') return [fieldRequired(field)]
  const slash = managedBy.indexOf('/')
  const [host, path] = [managedBy.slice(0, Math.max(slash, 0)), managedBy.slice(slash + 1)]
  const errors =
    host === '' || path === ''
      ? [fieldInvalid(field, managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")')]
      : complain(field, host, checkDnsSubdomain(host))
  if (host !== '' && path !== '' && !HTTP_PATH.test(path))
    errors.push(
      fieldInvalid(field, path, `Invalid path (regex used for validation is '${HTTP_PATH.source.slice(1, -1)}')`),
    )
  return managedBy.length > MAX_MANAGER ? [...errors, fieldTooLong(field, MAX_MANAGER)] : errors
}

const validatePolicies = (spec: JobSpec, at: string): FieldError[] => {
  const { podFailurePolicy, successPolicy, completionMode, completions, template = {} } = spec
  const { containers = [], initContainers = [] } = template.spec ?? {}
  const errors: FieldError[] = []
  if (podFailurePolicy) {
    const names = new Set([...containers, ...initContainers].map(({ name = '' }) => name))
    const context = { perIndex: spec.backoffLimitPerIndex !== undefined, containers: names }
    errors.push(...validateFailurePolicy(podFailurePolicy, `${at}.podFailurePolicy`, context))
  }
  if (successPolicy && completionMode !== 'Indexed') {
    const printed = printedPolicy(successPolicy)
    errors.push(fieldInvalid(`${at}.successPolicy`, printed, 'requires indexed completion mode'))
  } else if (successPolicy) {
    errors.push(...validateSuccessPolicy(successPolicy, `${at}.successPolicy`, completions ?? 0))
  }
  return errors
}

const validateReplacement = ({ podReplacementPolicy: policy, podFailurePolicy }: JobSpec, at: string): FieldError[] => {
  const supported = podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed']
  return policy === undefined || supported.includes(policy)
    ? []
    : [fieldNotSupported(`${at}.podReplacementPolicy`, policy, supported)]
}

/** Pods of a Job end: they are not started again for ever. */
const validateRestart = ({ template = {}, podFailurePolicy }: JobSpec, at: string): FieldError[] => {
  const field = `${at}.template.spec.restartPolicy`
  const { restartPolicy = '' } = template.spec ?? {}
  if (restartPolicy === '' || restartPolicy === 'Always')
    return [fieldRequired(field, 'valid values: "OnFailure", "Never"')]
  if (restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    return [fieldNotSupported(field, restartPolicy, ['OnFailure', 'Never'])]
  return podFailurePolicy && restartPolicy !== 'Never'
    ? [fieldInvalid(field, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')]
    : []
}

export const validateJobSpec = (spec: JobSpec, at: string): FieldError[] => [
  ...noneNegative(spec, at, COUNTS),
  ...(spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined
    ? [fieldRequired(`${at}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified')]
    : []),
  ...validateManager(spec, at),
  ...validateMode(spec, at),
  ...validatePolicies(spec, at),
  ...validateReplacement(spec, at),
  ...validateTemplate(spec.template ?? {}, `${at}.template`),
  ...validateRestart(spec, at),
]

/** Each Job that a template makes gets a selector of its own. */
export const validateJobTemplate = (spec: JobSpec, at: string): FieldError[] => {
  const errors = validateJobSpec(spec, at)
  if (spec.selector) errors.push(fieldForbidden(`${at}.selector`, '`selector` will be auto-generated'))
  if (spec.manualSelector) errors.push(fieldNotSupported(`${at}.manualSelector`, true, ['nil', 'false']))
  return errors
}

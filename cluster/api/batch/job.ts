/** The spec of a Job, alone or in a CronJob's template, and what it may not be. */
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import type { LabelSelector } from '../label-selector.ts'
import { noneNegative } from '../number-rules.ts'
import { type PodTemplate, validateTemplate } from '../workload/template.ts'

export interface JobSpec {
  parallelism?: number
  completions?: number
  activeDeadlineSeconds?: number
  podFailurePolicy?: object
  successPolicy?: object
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

const validateIndexed = (spec: JobSpec, at: string): FieldError[] => {
  const { completionMode = 'NonIndexed', completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec
  const errors: FieldError[] = []
  if (completionMode === 'Indexed') {
    if (completions === undefined) errors.push(fieldRequired(`${at}.completions`, 'when completion mode is Indexed'))
    if (parallelism > MAX_INDEXED_PARALLELISM) {
      const detail = `must be less than or equal to ${MAX_INDEXED_PARALLELISM} when completion mode is Indexed`
      errors.push(fieldInvalid(`${at}.parallelism`, parallelism, detail))
    }
  } else {
    for (const [name, value] of Object.entries({ backoffLimitPerIndex, maxFailedIndexes })) {
      if (value !== undefined) errors.push(fieldInvalid(`${at}.${name}`, value, 'requires indexed completion mode'))
    }
  }
  if (maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined)
    errors.push(fieldRequired(`${at}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  return errors
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
  ...validateIndexed(spec, at),
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

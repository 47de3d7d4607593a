/** CronJob: Jobs by the clock. */
import { ageSince } from '../age.ts'
import { type JobSpec, validateJobTemplate } from '../batch/job.ts'
import { scheduleProblem } from '../batch/schedule.ts'
import { ageColumn, booleanColumn, column, integerColumn, orNone } from '../column.ts'
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import { checkDnsSubdomain } from '../name.ts'
import { noneNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'
import { applyPodTemplateDefaults } from '../pod/defaults.ts'
import { selectorColumn, templateColumns, templateWarnings } from '../workload/template.ts'

interface CronJobSpec {
  schedule?: string
  timeZone?: string
  startingDeadlineSeconds?: number
  concurrencyPolicy?: string
  suspend?: boolean
  jobTemplate?: { spec?: JobSpec }
  successfulJobsHistoryLimit?: number
  failedJobsHistoryLimit?: number
}

/** A Job's name is the CronJob's and eleven characters, and must be a label. */
const MAX_NAME = 52

const specOf = ({ spec }: ApiObject): CronJobSpec => (spec ?? {}) as CronJobSpec
const jobOf = (object: ApiObject): JobSpec => specOf(object).jobTemplate?.spec ?? {}

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  spec.concurrencyPolicy ||= 'Allow'
  spec.suspend ??= false
  spec.successfulJobsHistoryLimit ??= 3
  spec.failedJobsHistoryLimit ??= 1
  spec.jobTemplate ??= {}
  spec.jobTemplate.spec ??= {}
  spec.jobTemplate.spec.template ??= {}
  applyPodTemplateDefaults(spec.jobTemplate.spec.template)
}

const validateSchedule = ({ schedule = '' }: CronJobSpec): FieldError[] => {
  const field = 'spec.schedule'
  if (schedule === '') return [fieldRequired(field)]
  if (/TZ=/.test(schedule)) {
    const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
    return [fieldInvalid(field, schedule, detail)]
  }
  const problem = scheduleProblem(schedule)
  return problem ? [fieldInvalid(field, schedule, problem)] : []
}

const CONCURRENCY = ['Allow', 'Forbid', 'Replace']

const validateConcurrency = ({ concurrencyPolicy = '' }: CronJobSpec): FieldError[] =>
  CONCURRENCY.includes(concurrencyPolicy)
    ? []
    : [fieldNotSupported('spec.concurrencyPolicy', concurrencyPolicy, CONCURRENCY)]

const isKnownZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    // An offset is a zone to Intl, and none of IANA's.
    return !/^[+-]/.test(zone)
  } catch {
    return false
  }
}

const validateZone = ({ timeZone }: CronJobSpec): FieldError[] => {
  const complain = (detail: string) => [fieldInvalid('spec.timeZone', timeZone, detail)]
  if (timeZone === undefined) return []
  if (timeZone === '') return complain('timeZone must be nil or non-empty string')
  const unknown = isKnownZone(timeZone) ? [] : complain(`unknown time zone ${timeZone}`)
  if (timeZone.toLowerCase() !== 'local') return unknown
  const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'
  return [...complain(detail), ...unknown]
}

const validate = (object: ApiObject): FieldError[] => {
  const spec = specOf(object)
  return [
    ...validateSchedule(spec),
    ...noneNegative(spec, 'spec', ['startingDeadlineSeconds']),
    ...validateZone(spec),
    ...validateConcurrency(spec),
    ...validateJobTemplate(jobOf(object), 'spec.jobTemplate.spec'),
    ...noneNegative(spec, 'spec', ['successfulJobsHistoryLimit', 'failedJobsHistoryLimit']),
  ]
}

const lastText = (object: ApiObject, now: number): string => {
  const { lastScheduleTime } = (object.status ?? {}) as { lastScheduleTime?: string }
  return lastScheduleTime ? ageSince(lastScheduleTime, now) : orNone(undefined)
}

export const cronJobKind: Kind = {
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  resource: 'cronjobs',
  singular: 'cronjob',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  type: 'batch/v1.CronJob',
  hasStatus: true,
  countsGenerations: true,
  validateName: name => [
    ...checkDnsSubdomain(name),
    ...(name.length > MAX_NAME ? [`must be no more than ${MAX_NAME} characters`] : []),
  ],
  applyDefaults,
  prepareForCreate(object) {
    object.status = {}
  },
  warnings: templateWarnings('spec.jobTemplate.spec.template', object => jobOf(object).template),
  validate,
  columns: [
    column('Schedule', 'When it makes a Job.', object => specOf(object).schedule ?? ''),
    column('Timezone', 'By whose clock.', object => orNone(specOf(object).timeZone)),
    booleanColumn('Suspend', 'Whether it makes none for now.', object => (specOf(object).suspend ? 'True' : 'False')),
    integerColumn('Active', 'Jobs that run.', object => {
      return ((object.status ?? {}) as { active?: unknown[] }).active?.length ?? 0
    }),
    column('Last Schedule', 'Time since it made one.', lastText),
    ageColumn,
    ...templateColumns(object => jobOf(object).template),
    selectorColumn(object => jobOf(object).selector),
  ],
}

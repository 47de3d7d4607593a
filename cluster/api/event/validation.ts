/** Rules for events. What comes through events.k8s.io/v1 is held to more than what core/v1 has always taken. */
import { isDeepStrictEqual } from 'node:util'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import { checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'
import type { CoreEvent } from './event.ts'

/** Characters, as Kubernetes bounds them so that events stay small. */
const MAX_WORD = 128
const MAX_NOTE = 1024
const DEFAULT_NAMESPACE = 'default'

/** What events about things without a namespace live in; those of the newer kind, with an eventTime, in either. */
const UNNAMESPACED = [DEFAULT_NAMESPACE, 'kube-system']

/** Both groups call the field as core/v1 does. */
export const validateNamespace = ({ metadata, involvedObject, eventTime }: CoreEvent): FieldError[] => {
  const involved = involvedObject?.namespace ?? ''
  const { namespace = '' } = metadata
  const about = involved === '' ? (eventTime ? UNNAMESPACED : ['', DEFAULT_NAMESPACE]) : [involved]
  const matches = about.includes(namespace) || (Boolean(eventTime) && involved !== '')
  return matches ? [] : [fieldInvalid('involvedObject.namespace', involved, 'does not match event.namespace')]
}

const validateWord = (value: string | undefined, field: string): FieldError[] => {
  if (!value) return [fieldRequired(field)]
  return value.length > MAX_WORD ? [fieldInvalid(field, value, `can have at most ${MAX_WORD} characters`)] : []
}

export interface ReporterFields {
  readonly controller: 'reportingController' | 'reportingComponent'
  readonly note: 'note' | 'message'
}

/** Who tells what, for events of the newer kind: those with an eventTime. */
export const validateReporter = (event: CoreEvent, names: ReporterFields): FieldError[] => {
  const { reportingComponent = '', message = '' } = event
  const errors =
    reportingComponent === ''
      ? [fieldRequired(names.controller)]
      : checkQualifiedName(reportingComponent).map(complaint =>
          fieldInvalid(names.controller, reportingComponent, complaint),
        )
  errors.push(
    ...validateWord(event.reportingInstance, 'reportingInstance'),
    ...validateWord(event.action, 'action'),
    ...validateWord(event.reason, 'reason'),
  )
  if (message.length > MAX_NOTE) {
    errors.push(fieldInvalid(names.note, '', `can have at most ${MAX_NOTE} characters`))
  }
  return errors
}

export const validateSeries = ({ series }: CoreEvent): FieldError[] => {
  if (!series) return []
  const errors: FieldError[] = []
  if ((series.count ?? 0) < 2) errors.push(fieldInvalid('series.count', series.count ?? 0, 'should be at least 2'))
  if (!series.lastObservedTime) errors.push(fieldRequired('series.lastObservedTime'))
  return errors
}

/** Fields of the core shape that events.k8s.io calls by its own names and keeps for old events only. */
export const validateUnset = (event: CoreEvent): FieldError[] => {
  const errors: FieldError[] = []
  const check = (isSet: boolean, field: string, value: unknown) => {
    if (isSet) errors.push(fieldInvalid(field, value, 'needs to be unset'))
  }
  check(Boolean(event.firstTimestamp), 'deprecatedFirstTimestamp', event.firstTimestamp)
  check(Boolean(event.lastTimestamp), 'deprecatedLastTimestamp', event.lastTimestamp)
  check(Boolean(event.count), 'deprecatedCount', event.count)
  check(Object.values(event.source ?? {}).some(Boolean), 'deprecatedSource', event.source)
  return errors
}

/** After creation only the series of an event goes on. */
export const validateEventUpdate = (next: ApiObject, current: ApiObject, fields: readonly string[]): FieldError[] =>
  fields
    .filter(field => !isDeepStrictEqual(next[field] ?? undefined, current[field] ?? undefined))
    .map(field => fieldInvalid(field, next[field] ?? null, 'field is immutable'))

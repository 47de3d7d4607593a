/** Event (core/v1): what happened to an object, as controllers have always told it. */
import { type CoreEvent, eventColumns, referenceFields } from '../event/event.ts'
import { validateNamespace, validateReporter } from '../event/validation.ts'
import type { FieldError } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'

const validate = (object: ApiObject): FieldError[] => {
  const event = object as CoreEvent
  const errors = validateNamespace(event)
  if (event.eventTime) {
    errors.push(...validateReporter(event, { controller: 'reportingComponent', note: 'message' }))
  }
  return errors
}

const selectableFields = (object: ApiObject): Record<string, string> => {
  const { involvedObject, reason = '', reportingComponent = '', source, type = '' } = object as CoreEvent
  return {
    ...referenceFields(involvedObject, 'involvedObject'),
    reason,
    reportingComponent,
    source: source?.component || reportingComponent,
    type,
  }
}

export const eventKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  type: 'core/v1.Event',
  hasStatus: false,
  countsGenerations: false,
  createOnUpdate: true,
  // kube-apiserver's --event-ttl.
  lifetimeSeconds: 3600,
  validate,
  selectableFields,
  selectableFieldNames: Object.keys(selectableFields({ apiVersion: 'v1', kind: 'Event', metadata: {} })),
  columns: eventColumns(object => object as CoreEvent),
}

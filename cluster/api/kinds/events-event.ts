/** Event (events.k8s.io/v1): the newer name and shape of core/v1 events (KEP-383), over the same stored objects. */
import { fromCoreEvent, toCoreEvent } from '../event/conversion.ts'
import { type CoreEvent, eventColumns, referenceFields } from '../event/event.ts'
import {
  validateEventUpdate,
  validateNamespace,
  validateReporter,
  validateSeries,
  validateUnset,
} from '../event/validation.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'

const core = (object: ApiObject): CoreEvent => toCoreEvent(object) as CoreEvent

const validate = (object: ApiObject): FieldError[] => {
  const event = core(object)
  const errors = validateNamespace(event)
  // An event that came in through core/v1 is held to what core/v1 asks.
  if (!event.eventTime && (event.firstTimestamp || event.lastTimestamp)) return errors
  if (!event.eventTime) errors.push(fieldRequired('eventTime'))
  const { type = '' } = event
  if (type !== 'Normal' && type !== 'Warning') errors.push(fieldInvalid('type', '', `has invalid value: ${type}`))
  errors.push(...validateReporter(event, { controller: 'reportingController', note: 'note' }), ...validateSeries(event))
  return event.metadata.resourceVersion === undefined ? [...errors, ...validateUnset(event)] : errors
}

const IMMUTABLE = [
  'regarding',
  'related',
  'reason',
  'action',
  'note',
  'type',
  'reportingController',
  'reportingInstance',
]

const selectableFields = (object: ApiObject): Record<string, string> => {
  const { involvedObject, reason = '', reportingComponent = '', type = '' } = core(object)
  return {
    ...referenceFields(involvedObject, 'regarding'),
    reason,
    reportingController: reportingComponent,
    type,
  }
}

export const eventsEventKind: Kind = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  type: 'events.k8s.io/v1.Event',
  hasStatus: false,
  countsGenerations: false,
  createOnUpdate: true,
  // kube-apiserver's --event-ttl.
  lifetimeSeconds: 3600,
  storage: { group: '', resource: 'events', toStored: toCoreEvent, fromStored: fromCoreEvent },
  validate,
  validateUpdate: (next, current) => validateEventUpdate(next, current, IMMUTABLE),
  selectableFields,
  selectableFieldNames: Object.keys(selectableFields({ apiVersion: '', kind: 'Event', metadata: {} })),
  columns: eventColumns(core),
}

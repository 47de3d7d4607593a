/** A core/v1 Event as TypeScript sees it, and what both names of events share. */
import { ageSince } from '../age.ts'
import { column, wideColumn } from '../column.ts'
import type { Column } from '../kind.ts'
import type { ApiObject } from '../object.ts'

export interface ObjectReference {
  kind?: string
  namespace?: string
  name?: string
  uid?: string
  apiVersion?: string
  resourceVersion?: string
  fieldPath?: string
}

export interface CoreEvent extends ApiObject {
  involvedObject?: ObjectReference
  reason?: string
  message?: string
  source?: { component?: string; host?: string }
  firstTimestamp?: string | null
  lastTimestamp?: string | null
  eventTime?: string | null
  count?: number
  type?: string
  series?: { count?: number; lastObservedTime?: string | null }
  action?: string
  reportingComponent?: string
  reportingInstance?: string
}

/** The object's kind, name and the like, under `involvedObject` or `regarding`. */
export const referenceFields = (reference: ObjectReference = {}, prefix: string): Record<string, string> => ({
  [`${prefix}.kind`]: reference.kind ?? '',
  [`${prefix}.namespace`]: reference.namespace ?? '',
  [`${prefix}.name`]: reference.name ?? '',
  [`${prefix}.uid`]: reference.uid ?? '',
  [`${prefix}.apiVersion`]: reference.apiVersion ?? '',
  [`${prefix}.resourceVersion`]: reference.resourceVersion ?? '',
  [`${prefix}.fieldPath`]: reference.fieldPath ?? '',
})

const firstSeen = ({ firstTimestamp, eventTime }: CoreEvent, now: number): string =>
  ageSince(firstTimestamp ?? eventTime, now)

const lastSeen = (event: CoreEvent, now: number): string => {
  if (event.series) return ageSince(event.series.lastObservedTime, now)
  return event.lastTimestamp ? ageSince(event.lastTimestamp, now) : firstSeen(event, now)
}

const objectText = ({ involvedObject: { kind = '', name = '' } = {} }: CoreEvent): string =>
  name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`

const sourceText = ({ source = {}, reportingComponent = '', reportingInstance = '' }: CoreEvent): string => {
  const component = source.component || reportingComponent
  const instance = source.component ? (source.host ?? '') : reportingInstance
  return instance === '' ? component : `${component}, ${instance}`
}

/** `kubectl get events` shows when before what; NAME comes last, with `-o wide`. */
export const eventColumns = (core: (object: ApiObject) => CoreEvent): readonly Column[] => [
  column('Last Seen', 'Time since it happened last.', (object, now) => lastSeen(core(object), now)),
  column('Type', 'Normal or Warning.', object => core(object).type ?? ''),
  column('Reason', 'Why, in one word.', object => core(object).reason ?? ''),
  column('Object', 'What it happened to.', object => objectText(core(object))),
  wideColumn('Subobject', 'The part that it happened to.', object => core(object).involvedObject?.fieldPath ?? ''),
  wideColumn('Source', 'Who tells.', object => sourceText(core(object))),
  column('Message', 'What happened.', object => (core(object).message ?? '').trim()),
  wideColumn('First Seen', 'Time since it happened first.', (object, now) => firstSeen(core(object), now)),
  wideColumn('Count', 'How often it happened.', object => core(object).series?.count ?? (core(object).count || 1)),
  wideColumn('Name', 'The name of the event.', object => object.metadata.name ?? ''),
]

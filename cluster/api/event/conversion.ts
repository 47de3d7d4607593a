/** An event has two shapes, core/v1 and events.k8s.io/v1; it is stored in the first. Nothing is lost either way. */
import type { ApiObject } from '../object.ts'

/** Fields that changed their name between core/v1 and events.k8s.io/v1. All others are called alike. */
const RENAMED: readonly (readonly [core: string, events: string])[] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
]

const toEvents = new Map(RENAMED)
const toCore = new Map(RENAMED.map(([core, events]) => [events, core]))

const rename = (event: ApiObject, names: ReadonlyMap<string, string>, apiVersion: string): ApiObject => {
  const renamed: ApiObject = { kind: 'Event', apiVersion, metadata: event.metadata }
  for (const [name, value] of Object.entries(event)) {
    if (name !== 'kind' && name !== 'apiVersion' && name !== 'metadata') renamed[names.get(name) ?? name] = value
  }
  return renamed
}

export const toCoreEvent = (event: ApiObject): ApiObject => rename(event, toCore, 'v1')
export const fromCoreEvent = (event: ApiObject): ApiObject => rename(event, toEvents, 'events.k8s.io/v1')

/**
 * watch: what a watcher gets first, and then each change as its selectors see it: an object that begins to match is
 * ADDED, one that ceases to is DELETED, whatever happened to it.
 *
 * Promised: first part and changes together miss nothing and repeat nothing; `deliver` is called in revision order,
 * before the write that caused the change is answered.
 */

import { expired, type Status } from '#cluster/api/status.ts'
import type { Revision } from '#cluster/store/kv.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Registry } from '../registry.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import type { EventType, ObjectEvent } from '../storage/watch-cache.ts'
import { becomeFresh } from './freshness.ts'
import type { ListTarget } from './list.ts'
import { type ListOptions, selects, selectsAll } from './list-options.ts'

export interface WatchNotice {
  readonly type: EventType
  readonly stored: StoredObject
  /** The change behind it, whose finished frames all watchers share; absent for the initial state. */
  readonly event?: ObjectEvent
}

export interface Watch {
  /** The state at the start, or the changes since the client's resourceVersion. */
  readonly initial: readonly WatchNotice[]
  /** What `initial` is of: later changes come by `deliver`. */
  readonly revision: Revision
  /** Whether `initial` is a state that the client wants to see the end of (KEP-3157). */
  readonly marksInitialEnd: boolean
  /** No delivery follows. Idempotent. */
  close(): void
}

type Matcher = (stored: StoredObject) => boolean

const matcherOf = ({ resource, namespace }: ListTarget, options: ListOptions): Matcher => {
  const prefix = resource.kind.namespaced && namespace !== undefined ? `${namespace}/` : ''
  if (selectsAll(options)) return prefix === '' ? () => true : stored => stored.key.startsWith(prefix)
  return stored => stored.key.startsWith(prefix) && selects(options, stored)
}

/** The change as a watcher sees it whose selectors are `matches`; undefined when it sees none. */
const viewOf = (event: ObjectEvent, matches: Matcher): WatchNotice | undefined => {
  const { current, previous, departed } = event
  const was = previous !== undefined && matches(previous)
  if (current && matches(current)) return { type: was ? 'MODIFIED' : 'ADDED', stored: current, event }
  return was ? { type: 'DELETED', stored: departed!, event } : undefined
}

const tooOld = (wanted: string, oldest: number): Status => expired(`too old resource version: ${wanted} (${oldest})`)

/**
 * Starts at once. Refused: 410 when the history does not reach back to the client's resourceVersion, 504 when that is
 * from the future and the state is asked for.
 */
export const watch = async (
  registry: Registry,
  target: ListTarget,
  options: ListOptions,
  deliver: (notice: WatchNotice) => void,
): Promise<Result<Watch, Status>> => {
  const { resourceVersion, sendInitialEvents } = options
  const anyVersion = resourceVersion === '' || resourceVersion === '0'
  const wantsState = sendInitialEvents ?? anyVersion
  if (anyVersion || wantsState) {
    const late = await becomeFresh(registry, resourceVersion)
    if (late) return refused(late)
  }
  // From here on nothing waits, so that no change slips in between.
  const { cache } = target.resource
  const matches = matcherOf(target, options)
  let initial: WatchNotice[] = []
  const { revision } = registry.cacher
  let after = revision
  if (wantsState) {
    const state = cache.list(target.namespace).filter(matches)
    initial = state.map(stored => ({ type: 'ADDED', stored }))
  } else if (!anyVersion) {
    const history = cache.since(Number(resourceVersion))
    if (!history) return refused(tooOld(resourceVersion, cache.floor))
    initial = history.map(event => viewOf(event, matches)).filter(notice => notice !== undefined)
    after = Math.max(after, Number(resourceVersion))
  }
  const close = cache.subscribe(event => {
    const notice = event.revision > after ? viewOf(event, matches) : undefined
    if (notice) deliver(notice)
  })
  return accepted({ initial, revision, marksInitialEnd: sendInitialEvents === true, close })
}

/**
 * watch: what a watcher gets first, and then each change as its selectors see it: an object that begins to match is
 * ADDED, one that ceases to is DELETED, whatever happened to it.
 *
 * Promised: first part and changes together miss nothing and repeat nothing; `deliver` is called in revision order,
 * before the write that caused the change is answered, unless a webhook has to convert the object first.
 */

import type { Kind } from '#cluster/api/kind.ts'
import { expired, type Status } from '#cluster/api/status.ts'
import type { Revision } from '#cluster/store/kv.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Registry } from '../registry.ts'
import { servedObjects } from '../storage/served-objects.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import type { EventType, ObjectEvent } from '../storage/watch-cache.ts'
import { type ConvertedChange, ConvertedChanges, convertChanges } from './converted-changes.ts'
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
  /** Every change up to it has been delivered. */
  reached(): Revision
  /** Whether `initial` is a state that the client wants to see the end of (KEP-3157). */
  readonly marksInitialEnd: boolean
  /** No delivery follows. Idempotent. */
  close(): void
}

export interface Watcher {
  readonly deliver: (notice: WatchNotice) => void
  /** No delivery follows: a change cannot be told. */
  readonly fail: (problem: Status) => void
}

type Matcher = (stored: StoredObject) => boolean

const matcherOf = (target: ListTarget, options: ListOptions): Matcher => {
  const prefix = prefixOf(target)
  if (selectsAll(options)) return prefix === '' ? () => true : stored => stored.key.startsWith(prefix)
  return stored => stored.key.startsWith(prefix) && selects(options, stored)
}

const prefixOf = ({ resource, namespace }: ListTarget): string =>
  resource.kind.namespaced && namespace !== undefined ? `${namespace}/` : ''

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
  watcher: Watcher,
): Promise<Result<Watch, Status>> => {
  const { resourceVersion, sendInitialEvents } = options
  const anyVersion = resourceVersion === '' || resourceVersion === '0'
  const wantsState = sendInitialEvents ?? anyVersion
  if (anyVersion || wantsState) {
    const late = await becomeFresh(registry, resourceVersion)
    if (late) return refused(late)
  }
  // From here on nothing waits, so that no change slips in between.
  const start = startOf(registry, target, { options, wantsState, anyVersion })
  if (!start.ok) return start
  const follow = target.resource.kind.storage?.converter ? followConverted : followAtOnce
  return follow(registry, target, { options, start: start.value, watcher })
}

interface Start {
  readonly state: readonly StoredObject[]
  readonly history: readonly ObjectEvent[]
  /** What both are of. */
  readonly revision: Revision
  /** Changes up to it are none of the client's. */
  readonly after: Revision
}

const startOf = (
  { cacher }: Registry,
  { resource: { cache }, namespace }: ListTarget,
  { options, wantsState, anyVersion }: { options: ListOptions; wantsState: boolean; anyVersion: boolean },
): Result<Start, Status> => {
  const { revision } = cacher
  if (wantsState) return accepted({ state: cache.list(namespace), history: [], revision, after: revision })
  if (anyVersion) return accepted({ state: [], history: [], revision, after: revision })
  const since = Number(options.resourceVersion)
  const history = cache.since(since)
  if (!history) return refused(tooOld(options.resourceVersion, cache.floor))
  return accepted({ state: [], history, revision, after: Math.max(revision, since) })
}

interface Following {
  readonly options: ListOptions
  readonly start: Start
  readonly watcher: Watcher
}

const addedOf = (state: readonly StoredObject[], matches: Matcher): WatchNotice[] =>
  state.filter(matches).map(stored => ({ type: 'ADDED', stored }))

const followAtOnce = (
  { cacher }: Registry,
  target: ListTarget,
  { options, start, watcher }: Following,
): Result<Watch, Status> => {
  const matches = matcherOf(target, options)
  const { state, history, revision, after } = start
  const changes = history.map(event => viewOf(event, matches)).filter(notice => notice !== undefined)
  const close = target.resource.cache.subscribe(event => {
    const notice = event.revision > after ? viewOf(event, matches) : undefined
    if (notice) watcher.deliver(notice)
  })
  const marksInitialEnd = options.sendInitialEvents === true
  const reached = () => cacher.revision
  return accepted({ initial: [...addedOf(state, matches), ...changes], revision, reached, marksInitialEnd, close })
}

/** The frames of a change are shared whoever converted it, since all did it alike. */
const convertedView = ({ event, converted }: ConvertedChange, matches: Matcher): WatchNotice | undefined => {
  const notice = viewOf(converted, matches)
  return notice && { ...notice, event }
}

const convertedStart = async (
  kind: Kind,
  { state, history }: Start,
  { matches, whole }: { matches: Matcher; whole: boolean },
): Promise<Result<WatchNotice[], Status>> => {
  const served = await servedObjects(kind, state)
  if (!served.ok) return served
  const changes = await convertChanges(kind, history, whole)
  if (!changes.ok) return changes
  const views = changes.value.map(change => convertedView(change, matches)).filter(notice => notice !== undefined)
  return accepted([...addedOf(served.value, matches), ...views])
}

const followConverted = async (
  { cacher }: Registry,
  target: ListTarget,
  { options, start, watcher }: Following,
): Promise<Result<Watch, Status>> => {
  const { kind, cache } = target.resource
  const matches = matcherOf(target, options)
  const [prefix, whole] = [prefixOf(target), selectsAll(options)]
  const isNear = ({ current, previous }: ObjectEvent) => (current ?? previous)?.key.startsWith(prefix) ?? false
  const changes = new ConvertedChanges({
    kind,
    whole,
    revision: () => cacher.revision,
    deliver: change => {
      const notice = convertedView(change, matches)
      if (notice) watcher.deliver(notice)
    },
    failed: watcher.fail,
  })
  const unsubscribe = cache.subscribe(event => {
    if (event.revision > start.after && isNear(event)) changes.take(event)
  })
  const close = () => {
    unsubscribe()
    changes.close()
  }
  const initial = await convertedStart(kind, { ...start, history: start.history.filter(isNear) }, { matches, whole })
  if (!initial.ok) {
    close()
    return initial
  }
  changes.open()
  const marksInitialEnd = options.sendInitialEvents === true
  return accepted({
    initial: initial.value,
    revision: start.revision,
    reached: () => changes.reached,
    marksInitialEnd,
    close,
  })
}

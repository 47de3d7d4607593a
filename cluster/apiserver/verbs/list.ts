/**
 * list: from memory when memory holds the revision that is asked for, from the store's history otherwise (later pages
 * of a list, `resourceVersionMatch=Exact`).
 *
 * Promised: the pages of one list are of one revision; when the store no longer has it, the client hears so (410) and
 * gets a token to go on without that promise.
 */

import { badRequest, expired, type Status } from '#cluster/api/status.ts'
import { continueKey, type KeyRange, prefixRange, type Revision, StoreRevisionError } from '#cluster/store/kv.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Registry, Resource } from '../registry.ts'
import { kindPrefix } from '../storage/keys.ts'
import { servedObjects } from '../storage/served-objects.ts'
import { StoredObject } from '../storage/stored-object.ts'
import { decodeContinue, encodeContinue, INCONSISTENT } from './continue-token.ts'
import { becomeFresh, tooLarge } from './freshness.ts'
import { type ListOptions, selects, selectsAll } from './list-options.ts'

export interface ListTarget {
  readonly resource: Resource
  /** Undefined: all namespaces, or a cluster's own. */
  readonly namespace: string | undefined
}

export interface ObjectList {
  readonly items: readonly StoredObject[]
  readonly resourceVersion: string
  /** '' on the last page. */
  readonly continue: string
  /** Only where it is known exactly: never with a selector. */
  readonly remainingItemCount: number | undefined
}

/** Keys read at once from history, when a selector makes the number of matches unknown. */
const CHUNK = 500

const CONTINUE_EXPIRED =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'
const LIST_EXPIRED = 'The resourceVersion for the provided list is too old.'

/** What is before the keys of the list: continue tokens hold the rest. */
const keyPrefix = ({ resource, namespace }: ListTarget): string =>
  resource.kind.namespaced && namespace !== undefined ? `${namespace}/` : ''

interface Page {
  readonly items: StoredObject[]
  /** Key within the kind's folder at which the next page starts; undefined on the last. */
  readonly next: string | undefined
  readonly remaining: number
}

/** Memory is read at once, whatever the answer then waits for. */
const fromMemory = async (
  { resource, namespace }: ListTarget,
  options: ListOptions,
  start: string | undefined,
): Promise<Result<Page, Status>> => {
  const all = resource.cache.list(namespace, start)
  const items: StoredObject[] = []
  const limit = options.limit || Number.POSITIVE_INFINITY
  const everything = selectsAll(options)
  const served = await servedObjects(resource.kind, everything && limit < all.length ? all.slice(0, limit) : all)
  if (!served.ok) return served
  for (const index of all.keys()) {
    if (items.length >= limit)
      return accepted({ items, next: continueKey(all[index - 1]!.key), remaining: all.length - index })
    const object = served.value[index]!
    if (everything || selects(options, object)) items.push(object)
  }
  return accepted({ items, next: undefined, remaining: 0 })
}

const fromHistory = async (
  registry: Registry,
  target: ListTarget,
  options: ListOptions,
  at: { revision: Revision; start: string | undefined },
): Promise<Result<Page, Status>> => {
  const { kind } = target.resource
  const folder = kindPrefix(kind)
  const whole = prefixRange(folder + keyPrefix(target))
  let range: KeyRange = at.start === undefined ? whole : { start: folder + at.start, end: whole.end }
  const items: StoredObject[] = []
  const limit = options.limit || Number.POSITIVE_INFINITY
  for (;;) {
    const page = await registry.store.range(range, { revision: at.revision, limit: Math.min(limit, CHUNK) })
    const read = page.keyValues.map(each => StoredObject.decode(kind, each.key.slice(folder.length), each))
    const served = await servedObjects(kind, read)
    if (!served.ok) return served
    for (const [index, stored] of served.value.entries()) {
      if (items.length >= limit) {
        const next = continueKey(page.keyValues[index - 1]!.key).slice(folder.length)
        return accepted({ items, next, remaining: page.count - index })
      }
      if (selects(options, stored)) items.push(stored)
    }
    const last = page.keyValues.at(-1)
    if (!page.more || !last) return accepted({ items, next: undefined, remaining: 0 })
    const next = continueKey(last.key)
    if (items.length >= limit)
      return accepted({ items, next: next.slice(folder.length), remaining: page.count - page.keyValues.length })
    range = { start: next, end: range.end }
  }
}

/** The revision to read, and where to start. */
interface Position {
  readonly revision: Revision | 'memory'
  readonly start: string | undefined
}

const positionOf = async (
  registry: Registry,
  target: ListTarget,
  options: ListOptions,
): Promise<Result<Position, Status>> => {
  if (options.continue !== '') {
    const token = decodeContinue(options.continue)
    if (!token.ok) return refused(badRequest(token.problem))
    if (options.resourceVersion !== '' && options.resourceVersion !== '0')
      return refused(badRequest('specifying resource version is not allowed when using continue'))
    const start = keyPrefix(target) + token.value.start
    if (token.value.revision !== INCONSISTENT) return accepted({ revision: token.value.revision, start })
    await registry.cacher.fresh()
    return accepted({ revision: 'memory', start })
  }
  const late = await becomeFresh(registry, options.resourceVersion)
  if (late) return refused(late)
  const exact =
    options.resourceVersionMatch === 'Exact' ||
    (options.resourceVersionMatch === '' && options.limit > 0 && Number(options.resourceVersion) > 0)
  return accepted({ revision: exact ? Number(options.resourceVersion) : 'memory', start: undefined })
}

const expiredStatus = (target: ListTarget, options: ListOptions, { start }: Position): Status => {
  if (options.continue === '') return expired(LIST_EXPIRED)
  const rest = (start ?? '').slice(keyPrefix(target).length)
  const token = encodeContinue({ revision: INCONSISTENT, start: rest })
  return { ...expired(CONTINUE_EXPIRED), metadata: { continue: token } }
}

/** Refused: 400 for a bad token, 410 when the revision is gone, 504 when it is from the future. */
export const list = async (
  registry: Registry,
  target: ListTarget,
  given: ListOptions,
): Promise<Result<ObjectList, Status>> => {
  // Whoever takes any version gets all of it at once (Kubernetes: served from the watch cache).
  const options = given.resourceVersion === '0' ? { ...given, limit: 0 } : given
  const position = await positionOf(registry, target, options)
  if (!position.ok) return position
  const { start } = position.value
  const current = registry.cacher.revision
  const revision = position.value.revision === 'memory' ? current : position.value.revision
  let read: Result<Page, Status>
  try {
    read =
      revision === current
        ? await fromMemory(target, options, start)
        : await fromHistory(registry, target, options, { revision, start })
  } catch (error) {
    if (!(error instanceof StoreRevisionError) || error.problem.problem === 'closed') throw error
    const { problem } = error
    return refused(
      problem.problem === 'future'
        ? tooLarge(revision, problem.current)
        : expiredStatus(target, options, position.value),
    )
  }
  if (!read.ok) return read
  const page = read.value
  const next = page.next?.slice(keyPrefix(target).length)
  return accepted({
    items: page.items,
    resourceVersion: String(revision),
    continue: next === undefined ? '' : encodeContinue({ revision, start: next }),
    remainingItemCount: next !== undefined && selectsAll(options) ? page.remaining : undefined,
  })
}

/**
 * Who owns what after a write: the structured merge (KEP-555), pure. A field belongs to whoever wrote its value last;
 * appliers with equal values share it; what an applier no longer names and nobody else owns goes.
 */
import { isDeepStrictEqual } from 'node:util'
import { type Comparison, compare } from './compare.ts'
import { difference, differenceBelow, type FieldSet, intersection, isEmptySet, NO_FIELDS, union } from './field-set.ts'
import { fieldsOf } from './fields-of.ts'
import type { Owners, Ownership } from './managed-fields.ts'
import { type Manager, type ManagerId, managerId } from './manager.ts'
import { merge } from './merge.ts'
import type { MergeRule } from './merge-rule.ts'
import { withNamedFields } from './named-fields.ts'
import { reconcile } from './reconcile.ts'
import { removeFields } from './remove-fields.ts'

/** An object in one version of its kind. */
export interface Versioned {
  readonly apiVersion: string
  readonly value: unknown
  readonly rule: MergeRule
}

export interface Terms {
  /** The same object in another version; undefined: there is no such version (any more). */
  readonly convert: (object: Versioned, apiVersion: string) => Versioned | undefined
  /** Fields that such a write cannot set: nobody comes to own them by it. */
  readonly reset: FieldSet
}

/** The changes of a write, in each version that somebody owns fields in. */
class Changes {
  readonly #before: Versioned
  readonly #after: Versioned
  readonly #terms: Terms
  readonly #known = new Map<string, Comparison | undefined>()

  constructor(before: Versioned, after: Versioned, terms: Terms) {
    this.#before = before
    this.#after = after
    this.#terms = terms
  }

  /** Undefined: there is no such version. */
  in(apiVersion: string): Comparison | undefined {
    if (!this.#known.has(apiVersion)) this.#known.set(apiVersion, this.#compare(apiVersion))
    return this.#known.get(apiVersion)
  }

  #compare(apiVersion: string): Comparison | undefined {
    const { convert, reset } = this.#terms
    const before = convert(this.#before, apiVersion)
    const after = convert(this.#after, apiVersion)
    if (!before || !after) return undefined
    const { added, modified, removed } = compare(before.value, after.value, after.rule)
    return {
      added: differenceBelow(added, reset),
      modified: differenceBelow(modified, reset),
      removed: differenceBelow(removed, reset),
    }
  }
}

const withFields = (ownership: Ownership, fields: FieldSet): Ownership =>
  fields === ownership.fields ? ownership : { ...ownership, fields }

/** Without the versions that are no more, and with wholes owned as wholes. */
const reconciled = (owners: Owners, object: Versioned, { convert }: Terms): Map<ManagerId, Ownership> => {
  const result = new Map<ManagerId, Ownership>()
  for (const [id, ownership] of owners) {
    const versioned = convert(object, ownership.manager.apiVersion)
    if (versioned) result.set(id, withFields(ownership, reconcile(ownership.fields, versioned.rule)))
  }
  return result
}

/** What of the others' fields the write changed. */
const contested = (owners: Owners, writer: ManagerId | undefined, changes: Changes): Map<ManagerId, FieldSet> => {
  const result = new Map<ManagerId, FieldSet>()
  for (const [id, { manager, fields }] of owners) {
    const change = id === writer ? undefined : changes.in(manager.apiVersion)
    if (!change) continue
    const common = intersection(fields, union(change.modified, change.added))
    if (!isEmptySet(common)) result.set(id, common)
  }
  return result
}

/** The others lose what the write changed or removed; who owns nothing any more is no owner. */
const yielded = (owners: Owners, writer: ManagerId | undefined, changes: Changes): Map<ManagerId, Ownership> => {
  const lost = contested(owners, writer, changes)
  const result = new Map<ManagerId, Ownership>()
  for (const [id, ownership] of owners) {
    const change = id === writer ? undefined : changes.in(ownership.manager.apiVersion)
    if (id !== writer && !change) continue
    let { fields } = ownership
    const conflict = lost.get(id)
    if (conflict) fields = difference(fields, conflict)
    if (change && !isEmptySet(intersection(fields, change.removed))) fields = difference(fields, change.removed)
    if (!isEmptySet(fields)) result.set(id, withFields(ownership, fields))
  }
  return result
}

export interface Updated {
  readonly owners: Map<ManagerId, Ownership>
  /** What the write changed, in the version of the write. */
  readonly own: FieldSet
}

/** The owners after a write that is no apply, and what the writer has come to own. Throws `NotIdentified`. */
export const ownersAfterUpdate = (before: Versioned, after: Versioned, owners: Owners, terms: Terms): Updated => {
  const changes = new Changes(before, after, terms)
  const remaining = yielded(reconciled(owners, before, terms), undefined, changes)
  const change = changes.in(after.apiVersion)
  return { owners: remaining, own: change ? union(change.modified, change.added) : NO_FIELDS }
}

/** `merged` without what neither `pruned` has nor anybody owns. */
const keepOwned = (merged: Versioned, pruned: Versioned, owned: FieldSet): Versioned => {
  const { rule } = merged
  const all = withNamedFields(fieldsOf(merged.value, rule), rule)
  const left = withNamedFields(fieldsOf(pruned.value, rule), rule)
  const surplus = difference(all, union(left, withNamedFields(owned, rule)))
  return { ...merged, value: removeFields(merged.value, surplus, rule) }
}

/** Fields by the version that they are owned in; the version of the last apply first. */
const ownedByVersion = (owners: Owners, first: string): Map<string, FieldSet> => {
  const owned = new Map<string, FieldSet>([[first, NO_FIELDS]])
  for (const { manager, fields } of owners.values()) {
    owned.set(manager.apiVersion, union(owned.get(manager.apiVersion) ?? NO_FIELDS, fields))
  }
  return owned
}

/** The merged object without what the applier named last time, does not name now, and nobody else owns. */
const prune = (merged: Versioned, owners: Owners, last: Ownership | undefined, { convert }: Terms): Versioned => {
  if (!last || isEmptySet(last.fields)) return merged
  const { apiVersion } = last.manager
  const whole = convert(merged, apiVersion)
  if (!whole) return merged
  const { rule } = whole
  const named = withNamedFields(last.fields, rule)
  let pruned: Versioned = { ...whole, value: removeFields(whole.value, named, rule) }
  for (const [version, owned] of ownedByVersion(owners, apiVersion)) {
    const from = convert(merged, version)
    const to = convert(pruned, version)
    if (from && to) pruned = keepOwned(from, to, owned)
  }
  // What the last apply never named stays, whoever owns it.
  const left = convert(pruned, apiVersion)
  if (!left) return merged
  const all = withNamedFields(fieldsOf(whole.value, rule), rule)
  const kept = withNamedFields(fieldsOf(left.value, rule), rule)
  const gone = intersection(difference(all, kept), named)
  const result: Versioned = { ...whole, value: removeFields(whole.value, gone, rule) }
  return convert(result, merged.apiVersion) ?? merged
}

/** Whoever names all of last time's fields again, in the same version, drops none: most applies do. */
const dropsNothing = (last: Ownership | undefined, { apiVersion }: Manager, fields: FieldSet): boolean =>
  last?.manager.apiVersion === apiVersion && isEmptySet(difference(last.fields, fields))

export interface Applied {
  readonly owners: Map<ManagerId, Ownership>
  readonly value: unknown
  /** False: the object is as it was. */
  readonly changed: boolean
  /** The others' fields that the apply would change, or with force has changed. */
  readonly conflicts: ReadonlyMap<ManagerId, FieldSet>
}

/** The object and its owners after `configuration` is applied by `manager`. Throws `NotIdentified`. */
export const ownersAfterApply = (
  current: Versioned,
  configuration: Versioned,
  { owners, manager }: { readonly owners: Owners; readonly manager: Manager },
  terms: Terms,
): Applied => {
  const id = managerId(manager)
  const known = reconciled(owners, current, terms)
  const last = known.get(id)
  const merged = { ...current, value: merge(current.value, configuration.value, current.rule) ?? {} }
  const fields = differenceBelow(fieldsOf(configuration.value, configuration.rule), terms.reset)
  known.set(id, { manager, fields, time: last?.time })
  const next = dropsNothing(last, manager, fields) ? merged : prune(merged, known, last, terms)
  const changes = new Changes(current, next, terms)
  return {
    owners: yielded(known, id, changes),
    value: next.value,
    changed: !isDeepStrictEqual(current.value, next.value),
    conflicts: contested(known, id, changes),
  }
}

/**
 * What a write did to an object, field by field: which fields came, changed and went. A struct, map or item that comes or
 * goes as a whole is told itself besides its parts.
 */
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '#cluster/api/own-property.ts'
import { type FieldSet, MEMBER, NO_FIELDS } from './field-set.ts'
import { type ItemsRule, itemsByElement } from './list-items.ts'
import { DEDUCED_MAP, type MergeRule, ruleOfField, settle, WHOLE } from './merge-rule.ts'
import { fieldElement } from './path-element.ts'

export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/** What lies at and below one step; undefined: nothing. */
interface Change {
  readonly added?: FieldSet
  readonly modified?: FieldSet
  readonly removed?: FieldSet
}

const ADDED: Change = { added: MEMBER }
const REMOVED: Change = { removed: MEMBER }
const MODIFIED: Change = { modified: MEMBER }

type Draft = Record<string, FieldSet>

/** Gathers the changes of an object's parts. */
class Parts implements Change {
  added?: Draft
  modified?: Draft
  removed?: Draft

  /** A whole that came or went is itself a change. */
  constructor(before: unknown, after: unknown) {
    if (before === undefined) this.added = { '.': MEMBER }
    if (after === undefined) this.removed = { '.': MEMBER }
  }

  take(element: string, change: Change | undefined): void {
    if (!change) return
    if (change.added) (this.added ??= {})[element] = change.added
    if (change.modified) (this.modified ??= {})[element] = change.modified
    if (change.removed) (this.removed ??= {})[element] = change.removed
  }
}

const isEmpty = (value: unknown): boolean => {
  if (value === undefined || value === null) return true
  if (Array.isArray(value)) return value.length === 0
  if (!isObject(value)) return false
  for (const _ in value) return false
  return true
}

/** Undefined is absent, null is there. */
const compareWhole = (before: unknown, after: unknown): Change | undefined => {
  if (before === undefined) return after === undefined ? undefined : ADDED
  if (after === undefined) return REMOVED
  return before === after || isDeepStrictEqual(before, after) ? undefined : MODIFIED
}

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({})

const compareFields = (before: unknown, after: unknown, rule: MergeRule): Change => {
  const parts = new Parts(before, after)
  const left = isObject(before) ? before : NOTHING
  const right = isObject(after) ? after : NOTHING
  for (const key of Object.keys(left)) {
    const change = compareNode(left[key], Object.hasOwn(right, key) ? right[key] : undefined, ruleOfField(rule, key))
    if (change) parts.take(fieldElement(key), change)
  }
  for (const key of Object.keys(right)) {
    if (Object.hasOwn(left, key)) continue
    const change = compareNode(undefined, right[key], ruleOfField(rule, key))
    if (change) parts.take(fieldElement(key), change)
  }
  return parts
}

const compareItem = (before: readonly unknown[], after: readonly unknown[], rule: MergeRule): Change | undefined => {
  if (before.length <= 1 && after.length <= 1) return compareNode(before[0], after[0], rule)
  // Duplicates are one whole together: they cannot be told apart.
  if (before.length > 1 && after.length > 1) return isDeepStrictEqual(before, after) ? undefined : MODIFIED
  if (before.length > 1) {
    return after.length === 1 ? { ...compareNode(undefined, after[0], rule), removed: MEMBER } : REMOVED
  }
  return before.length === 1 ? { ...compareNode(before[0], undefined, rule), added: MEMBER } : ADDED
}

const compareItems = (before: unknown, after: unknown, rule: ItemsRule): Change => {
  const parts = new Parts(before, after)
  const itemRule = rule.form === 'list' ? rule.item : WHOLE
  const left = itemsByElement(before, rule)
  const right = itemsByElement(after, rule)
  for (const [element, items] of left) parts.take(element, compareItem(items, right.get(element) ?? [], itemRule))
  for (const [element, items] of right) {
    if (!left.has(element)) parts.take(element, compareItem([], items, itemRule))
  }
  return parts
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null

/** Whether something that says itself what it is was an object and is none any more, or the other way round. */
const isOtherForm = (before: unknown, after: unknown, { form }: MergeRule): boolean =>
  form === 'deduced' && isThere(before) && isThere(after) && isObject(before) !== isObject(after)

/** What came with `value`, where nothing was: the most of what is made, and told without a look at the other side. */
const addedNode = (value: unknown, declared: MergeRule): FieldSet | undefined => {
  if (value === undefined) return undefined
  const rule = declared.form === 'deduced' ? settle(declared, value) : declared
  if (rule.form === 'whole' || isEmpty(value)) return MEMBER
  const added: Draft = { '.': MEMBER }
  if (rule.form === 'struct' || rule.form === 'map') {
    if (!isObject(value)) return added
    for (const key of Object.keys(value)) {
      const node = addedNode(value[key], ruleOfField(rule, key))
      if (node) added[fieldElement(key)] = node
    }
    return added
  }
  const itemRule = rule.form === 'list' ? rule.item : WHOLE
  for (const [element, items] of itemsByElement(value, rule)) {
    const node = items.length === 1 ? addedNode(items[0], itemRule) : MEMBER
    if (node) added[element] = node
  }
  return added
}

const compareNode = (before: unknown, after: unknown, declared: MergeRule): Change | undefined => {
  if (before === undefined) {
    const added = addedNode(after, declared)
    return added && { added }
  }
  if (before === after && typeof before !== 'object') return undefined
  if (isOtherForm(before, after, declared)) return { ...compareFields(before, after, DEDUCED_MAP), modified: MEMBER }
  const rule = settle(declared, before, after)
  // Nothing and nothing is compared as a whole, which tells empty from null and absent.
  if (rule.form === 'whole' || (isEmpty(before) && isEmpty(after))) return compareWhole(before, after)
  return rule.form === 'struct' || rule.form === 'map'
    ? compareFields(before, after, rule)
    : compareItems(before, after, rule)
}

/** Throws `NotIdentified` where an item of a list cannot be told from others. */
export const compare = (before: unknown, after: unknown, rule: MergeRule): Comparison => {
  const { added = NO_FIELDS, modified = NO_FIELDS, removed = NO_FIELDS } = compareNode(before, after, rule) ?? {}
  return { added, modified, removed }
}

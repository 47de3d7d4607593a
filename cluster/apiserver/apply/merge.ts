/**
 * An applied configuration laid over an object. Nothing goes by this: what the configuration does not name stays.
 *
 * Promised: neither argument is changed; the result may share with both.
 */
import { isObject, setOwn } from '#cluster/api/own-property.ts'
import { elementOf, type ItemsRule } from './list-items.ts'
import { type MergeRule, ruleOfField, settle, WHOLE } from './merge-rule.ts'

const isEmpty = (value: unknown): boolean => {
  if (value === undefined || value === null) return true
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && Object.keys(value).length === 0
}

const mergeFields = (current: unknown, applied: unknown, rule: MergeRule): unknown => {
  const left = isObject(current) ? current : {}
  const right = isObject(applied) ? applied : {}
  const merged: Record<string, unknown> = {}
  for (const key of Object.keys(left)) {
    const value = mergeNode(left[key], Object.hasOwn(right, key) ? right[key] : undefined, ruleOfField(rule, key))
    if (value !== undefined) setOwn(merged, key, value)
  }
  for (const key of Object.keys(right)) {
    if (Object.hasOwn(left, key)) continue
    const value = mergeNode(undefined, right[key], ruleOfField(rule, key))
    if (value !== undefined) setOwn(merged, key, value)
  }
  return Object.keys(merged).length > 0 ? merged : undefined
}

interface Item {
  readonly element: string
  readonly value: unknown
}

const itemsOf = (list: unknown, rule: ItemsRule): Item[] =>
  Array.isArray(list) ? list.map(value => ({ element: elementOf(value, rule), value })) : []

/** The current items by element; null for duplicates, which nothing merges with. */
const mergeable = (items: readonly Item[]): Map<string, unknown> => {
  const known = new Map<string, unknown>()
  for (const { element, value } of items) known.set(element, known.has(element) ? null : value)
  return known
}

/**
 * Items that only one side has keep their place among their neighbours of that side; where both sides order the shared
 * items, the configuration's order holds.
 */
class ListMerge {
  readonly #rule: MergeRule
  readonly #current: ReadonlyMap<string, unknown>
  readonly #applied: ReadonlySet<string>
  readonly #merged = new Set<string>()
  /** Shared elements in the configuration's order, and how many of them are merged. */
  readonly #shared: readonly string[]
  #turn = 0
  readonly out: unknown[] = []

  constructor(left: readonly Item[], right: readonly Item[], rule: MergeRule) {
    this.#rule = rule
    this.#current = mergeable(left)
    this.#applied = new Set(right.map(({ element }) => element))
    this.#shared = right.map(({ element }) => element).filter(element => this.#current.has(element))
    this.#run(left, right)
  }

  #run(left: readonly Item[], right: readonly Item[]): void {
    let [l, r] = [0, 0]
    while (l < left.length || r < right.length) {
      const [own, applied] = [left[l], right[r]]
      if (own && applied && own.element === applied.element) {
        this.#take(applied)
        l++
        r++
        continue
      }
      // A shared item before its turn: it comes where the configuration has it.
      if (
        own &&
        applied &&
        this.#applied.has(own.element) &&
        this.#turn < this.#shared.length &&
        this.#shared[this.#turn] !== own.element
      ) {
        l++
        continue
      }
      if (own && !this.#applied.has(own.element)) {
        this.#put(own.value, undefined)
        l++
        continue
      }
      if (own && this.#merged.has(own.element)) l++
      if (applied) {
        this.#take(applied)
        r++
      }
    }
  }

  #take({ element, value }: Item): void {
    this.#merged.add(element)
    if (this.#shared[this.#turn] === element) this.#turn++
    this.#put(this.#current.get(element), value)
  }

  #put(current: unknown, applied: unknown): void {
    const value = mergeNode(current, applied, this.#rule)
    if (value !== undefined) this.out.push(value)
  }
}

const mergeItems = (current: unknown, applied: unknown, rule: ItemsRule): unknown => {
  const itemRule = rule.form === 'list' ? rule.item : WHOLE
  const { out } = new ListMerge(itemsOf(current, rule), itemsOf(applied, rule), itemRule)
  return out.length > 0 ? out : undefined
}

const mergeNode = (current: unknown, applied: unknown, declared: MergeRule): unknown => {
  const rule = settle(declared, current, applied)
  if (rule.form === 'whole' || (isEmpty(current) && isEmpty(applied))) return applied === undefined ? current : applied
  return rule.form === 'struct' || rule.form === 'map'
    ? mergeFields(current, applied, rule)
    : mergeItems(current, applied, rule)
}

/** Undefined: nothing is left of either. Throws `NotIdentified`. */
export const merge = (current: unknown, applied: unknown, rule: MergeRule): unknown => mergeNode(current, applied, rule)

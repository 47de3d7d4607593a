/**
 * An object without some of its fields. What is left without any part becomes null, not absent: it was not removed itself.
 *
 * Promised: the argument is not changed; the result may share with it.
 */
import { isObject, setOwn } from '#cluster/api/own-property.ts'
import { type FieldSet, hasChildren, isMember } from './field-set.ts'
import { elementIfKnown, type ItemsRule } from './list-items.ts'
import { type MergeRule, ruleBehind, settle } from './merge-rule.ts'
import { fieldElement } from './path-element.ts'

const REMOVED = Symbol('removed')

/** What the fields behind one step leave of the value there. */
const remainder = (value: unknown, node: FieldSet | undefined, rule: MergeRule): unknown => {
  if (node === undefined) return value
  if (isMember(node)) return REMOVED
  return hasChildren(node) ? removeFrom(value, node, rule) : value
}

const removeFromObject = (value: Record<string, unknown>, fields: FieldSet, rule: MergeRule): unknown => {
  const kept: Record<string, unknown> = {}
  let some = false
  for (const [key, inner] of Object.entries(value)) {
    const element = fieldElement(key)
    const left = remainder(inner, fields[element], ruleBehind(rule, element))
    if (left === REMOVED) continue
    setOwn(kept, key, left)
    some = true
  }
  return some ? kept : null
}

const removeFromList = (value: readonly unknown[], fields: FieldSet, rule: ItemsRule): unknown => {
  const kept: unknown[] = []
  for (const item of value) {
    const element = elementIfKnown(item, rule)
    const left = element === undefined ? item : remainder(item, fields[element], ruleBehind(rule, element))
    if (left !== REMOVED && left !== null) kept.push(left)
  }
  return kept.length > 0 ? kept : null
}

const removeFrom = (value: unknown, fields: FieldSet, declared: MergeRule): unknown => {
  const rule = settle(declared, value)
  if (rule.form === 'whole') return typeof value === 'object' ? null : value
  if (rule.form === 'struct' || rule.form === 'map') {
    return isObject(value) && Object.keys(value).length > 0 ? removeFromObject(value, fields, rule) : null
  }
  return Array.isArray(value) && value.length > 0 ? removeFromList(value, fields, rule) : null
}

/** Items of lists that cannot be told from others stay. */
export const removeFields = (value: unknown, fields: FieldSet, rule: MergeRule): unknown =>
  removeFrom(value, fields, rule)

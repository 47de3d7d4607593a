/** Which fields an applied configuration speaks of. */
import { isObject } from '#cluster/api/own-property.ts'
import { asMember, childrenOf, type FieldSet, MEMBER, NO_FIELDS } from './field-set.ts'
import { type ItemsRule, knownItems } from './list-items.ts'
import { type MergeRule, ruleOfField, settle } from './merge-rule.ts'
import { fieldElement } from './path-element.ts'

type Draft = Record<string, FieldSet>

/** A map that is named without a part of it is a field; so is each value of a map, whatever it is. */
const namesItself = (value: unknown, rule: MergeRule, known: boolean): boolean =>
  value === null || !known || (rule.form !== 'list' && rule.form !== 'set' && isObject(value) && isBare(value))

const isBare = (value: object): boolean => {
  for (const _ in value) return false
  return true
}

const fieldsOfObject = (value: unknown, rule: MergeRule): Draft => {
  const draft: Draft = {}
  if (!isObject(value)) return draft
  const fields = rule.form === 'struct' ? rule.fields : undefined
  for (const [key, inner] of Object.entries(value)) {
    const innerRule = ruleOfField(rule, key)
    const node = nodeOf(inner, innerRule, namesItself(inner, innerRule, fields?.has(key) ?? false))
    if (node) draft[fieldElement(key)] = node
  }
  return draft
}

const fieldsOfItems = (value: unknown, rule: ItemsRule): Draft => {
  const draft: Draft = {}
  for (const [element, items] of knownItems(value, rule)) {
    const only = items.length === 1 && rule.form === 'list'
    draft[element] = only ? (nodeOf(items[0], rule.item, true) ?? MEMBER) : MEMBER
  }
  return draft
}

const nodeOf = (value: unknown, declared: MergeRule, member: boolean): FieldSet | undefined => {
  const rule = settle(declared, value)
  if (rule.form === 'whole') return MEMBER
  const draft = rule.form === 'struct' || rule.form === 'map' ? fieldsOfObject(value, rule) : fieldsOfItems(value, rule)
  if (isBare(draft)) return member ? MEMBER : undefined
  return member ? asMember(draft) : draft
}

/** Items of lists that cannot be told from others are no fields. */
export const fieldsOf = (configuration: unknown, rule: MergeRule): FieldSet => {
  const node = nodeOf(configuration, rule, false)
  return node ? childrenOf(node) : NO_FIELDS
}

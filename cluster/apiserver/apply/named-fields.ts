/**
 * A set of fields with the structs on the way to them: who owns `spec.replicas` has said that there is a `spec`. Maps and
 * items of lists on the way are not: those are owned only where the set says so.
 */
import { asMember, type FieldSet, isEmptySet } from './field-set.ts'
import { type MergeRule, ruleBehind } from './merge-rule.ts'
import { fieldName } from './path-element.ts'

export const withNamedFields = (set: FieldSet, rule: MergeRule): FieldSet => {
  if (isEmptySet(set)) return set
  const widened: Record<string, FieldSet> = {}
  for (const element in set) {
    const below = withNamedFields(set[element]!, ruleBehind(rule, element))
    const name = fieldName(element)
    const named = rule.form === 'struct' && name !== undefined && rule.fields.has(name)
    widened[element] = named ? asMember(below) : below
  }
  return widened
}

/** A set of fields that was made, or given by a client, when a value was not yet one whole: it becomes the whole's. */
import { type FieldSet, hasChildren, MEMBER } from './field-set.ts'
import { type MergeRule, ruleBehind } from './merge-rule.ts'

/** The same set (the very same, as far as nothing is to do). Steps that the types do not know stay as they are. */
export const reconcile = (set: FieldSet, rule: MergeRule): FieldSet => {
  let changed: Record<string, FieldSet> | undefined
  for (const element in set) {
    const node = set[element]!
    if (!hasChildren(node)) continue
    const below = isKnown(rule, element) ? reconcileNode(node, ruleBehind(rule, element)) : node
    if (below !== node) (changed ??= { ...set })[element] = below
  }
  return changed ?? set
}

const isKnown = (rule: MergeRule, element: string): boolean => {
  if (rule.form === 'struct') return element.startsWith('f:') && rule.fields.has(element.slice(2))
  return rule.form === 'map' || rule.form === 'list'
}

const reconcileNode = (node: FieldSet, rule: MergeRule): FieldSet =>
  rule.form === 'whole' ? MEMBER : reconcile(node, rule)

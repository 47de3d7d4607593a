/** Items of lists that merge, by the step that leads to each. */
import { isObject } from '#cluster/api/own-property.ts'
import type { ListRule } from './merge-rule.ts'
import { valueElement } from './path-element.ts'

/** An item that cannot be told from others: thrown inside this folder only, a problem of the request outside of it. */
export class NotIdentified extends Error {}

const keyedElement = (item: unknown, rule: ListRule): string => {
  if (item === null || item === undefined) {
    throw new NotIdentified('associative list with keys may not have a null element')
  }
  if (!isObject(item)) throw new NotIdentified('associative list with keys may not have non-map elements')
  let parts = ''
  for (const key of rule.keys) {
    const value = item[key] ?? rule.defaults.get(key)
    if (value !== undefined) parts += `${parts === '' ? '' : ','}"${key}":${JSON.stringify(value)}`
  }
  // The rule's keys are sorted: this is the element's one spelling.
  if (parts !== '') return `k:{${parts}}`
  const names = rule.keys.map(key => JSON.stringify(key)).join(' ')
  throw new NotIdentified(
    `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  )
}

const memberElement = (item: unknown): string => {
  if (typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean') return valueElement(item)
  if (item === null || item === undefined) {
    throw new NotIdentified("associative list without keys has an element that's an explicit null")
  }
  const fault = Array.isArray(item)
    ? 'not supported: associative list with lists as elements'
    : "associative list without keys has an element that's a map type"
  throw new NotIdentified(fault)
}

export type ItemsRule = ListRule | { readonly form: 'set' }

/** The step to an item of such a list. Throws `NotIdentified`. */
export const elementOf = (item: unknown, rule: ItemsRule): string =>
  rule.form === 'set' ? memberElement(item) : keyedElement(item, rule)

/** The same; undefined where a removal has left an item without what tells it apart. */
export const elementIfKnown = (item: unknown, rule: ItemsRule): string | undefined => {
  try {
    return elementOf(item, rule)
  } catch (error) {
    if (error instanceof NotIdentified) return undefined
    throw error
  }
}

/** The items behind each step, in the list's order; more than one where the list has duplicates. */
export const itemsByElement = (list: unknown, rule: ItemsRule): Map<string, unknown[]> =>
  gather(list, item => elementOf(item, rule))

/** Without the items that cannot be told apart. */
export const knownItems = (list: unknown, rule: ItemsRule): Map<string, unknown[]> =>
  gather(list, item => elementIfKnown(item, rule))

const gather = (list: unknown, identify: (item: unknown) => string | undefined): Map<string, unknown[]> => {
  const items = new Map<string, unknown[]>()
  if (!Array.isArray(list)) return items
  for (const item of list) {
    const element = identify(item)
    if (element === undefined) continue
    const twins = items.get(element)
    if (twins) twins.push(item)
    else items.set(element, [item])
  }
  return items
}

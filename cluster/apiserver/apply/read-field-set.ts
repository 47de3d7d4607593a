/** FieldsV1 that a stranger wrote, as a set: each step in its one spelling, steps of unknown kinds left out. */
import { isObject } from '#cluster/api/own-property.ts'
import { asMember, childrenOf, type FieldSet, MEMBER, NO_FIELDS, union } from './field-set.ts'
import { normalizeElement } from './path-element.ts'

/** Two spellings of one step. */
const uniteTwins = (a: FieldSet, b: FieldSet): FieldSet => union({ twin: a }, { twin: b }).twin!

/** A step that leads nowhere we know is a member: that is how Kubernetes reads it. Undefined: malformed. */
const readNode = (value: unknown): FieldSet | undefined => {
  if (value === null) return MEMBER
  if (!isObject(value)) return undefined
  const children: Record<string, FieldSet> = {}
  let member = true
  for (const [text, below] of Object.entries(value)) {
    if (text === '.') continue
    const read = normalizeElement(text)
    if (read === 'unknown') continue
    const node = read === 'malformed' ? undefined : readNode(below)
    if (read === 'malformed' || !node) return undefined
    const twin = children[read.element]
    children[read.element] = twin ? uniteTwins(twin, node) : node
    member = false
  }
  if (member) return MEMBER
  return Object.hasOwn(value, '.') ? asMember(children) : children
}

/** Undefined: no FieldsV1. */
export const readFieldSet = (value: unknown): FieldSet | undefined => {
  if (value === undefined) return NO_FIELDS
  const node = readNode(value)
  return node && childrenOf(node)
}

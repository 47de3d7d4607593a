/**
 * A set of fields. Its form is FieldsV1 itself (KEP-555), so that what is stored needs no reading: each key is a step of a
 * path (see path-element.ts), a step without further steps is a member, and one with further steps is a member when it
 * also holds `.`. The root is never a member: `{}` there is the set without members.
 *
 * Promised: sets are never changed once made, and results share what they can with their operands; operands that are
 * normal (no step that neither is a member nor leads to one) give normal results.
 */
import { sortElements } from './path-element.ts'

export interface FieldSet {
  readonly [element: string]: FieldSet
}

type Draft = Record<string, FieldSet>

/** The step itself, among the steps that follow it. */
const SELF = '.'
const LEAF: FieldSet = Object.freeze({})

export const NO_FIELDS: FieldSet = LEAF
/** What stands behind a step that is a member and leads nowhere. */
export const MEMBER: FieldSet = LEAF

const isBare = (set: FieldSet): boolean => {
  for (const _ in set) return false
  return true
}

export const isEmptySet = isBare

/** Whether the step that leads to `node` is in the set. */
export const isMember = (node: FieldSet): boolean => SELF in node || isBare(node)

/** Whether more steps follow. */
export const hasChildren = (node: FieldSet): boolean => {
  for (const element in node) if (element !== SELF) return true
  return false
}

/** The steps that follow, as a set of their own. */
export const childrenOf = (node: FieldSet): FieldSet => {
  if (!(SELF in node)) return node
  const { [SELF]: _self, ...children } = node
  return children
}

/** `node` with its step in the set. */
export const asMember = (node: FieldSet): FieldSet => (isMember(node) ? node : { [SELF]: LEAF, ...node })

/** A node of these steps; undefined when it is neither a member nor leads to one. */
const nodeOf = (draft: Draft | undefined, member: boolean): FieldSet | undefined => {
  if (draft === undefined) return member ? LEAF : undefined
  return member ? { [SELF]: LEAF, ...draft } : draft
}

const uniteNodes = (a: FieldSet, b: FieldSet): FieldSet => {
  if (a === b) return a
  let draft: Draft | undefined
  for (const element in a) {
    if (element === SELF) continue
    const [left, right] = [a[element]!, b[element]]
    ;(draft ??= {})[element] = right === undefined ? left : uniteNodes(left, right)
  }
  for (const element in b) {
    if (element !== SELF && !(element in a)) (draft ??= {})[element] = b[element]!
  }
  return nodeOf(draft, isMember(a) || isMember(b)) ?? LEAF
}

/** What is in either. */
export const union = (a: FieldSet, b: FieldSet): FieldSet => {
  if (isBare(a)) return b
  return isBare(b) ? a : uniteNodes(a, b)
}

const intersectNodes = (a: FieldSet, b: FieldSet): FieldSet | undefined => {
  let draft: Draft | undefined
  for (const element in a) {
    const right = element === SELF ? undefined : b[element]
    if (right === undefined) continue
    const common = intersectNodes(a[element]!, right)
    if (common) (draft ??= {})[element] = common
  }
  return nodeOf(draft, isMember(a) && isMember(b))
}

/** What is in both. */
export const intersection = (a: FieldSet, b: FieldSet): FieldSet =>
  isBare(a) || isBare(b) ? NO_FIELDS : (intersectNodes(a, b) ?? NO_FIELDS)

const subtractNodes = (a: FieldSet, b: FieldSet): FieldSet | undefined => {
  let draft: Draft | undefined
  for (const element in a) {
    if (element === SELF) continue
    const [left, right] = [a[element]!, b[element]]
    const rest = right === undefined ? left : subtractNodes(left, right)
    if (rest) (draft ??= {})[element] = rest
  }
  return nodeOf(draft, isMember(a) && !isMember(b))
}

/** What is in `a` alone. Fields below a member of `b` stay. */
export const difference = (a: FieldSet, b: FieldSet): FieldSet =>
  isBare(a) || isBare(b) ? a : (subtractNodes(a, b) ?? NO_FIELDS)

const pruneNodes = (a: FieldSet, b: FieldSet): FieldSet | undefined => {
  let draft: Draft | undefined
  for (const element in a) {
    if (element === SELF) continue
    const [left, right] = [a[element]!, b[element]]
    if (right !== undefined && isMember(right)) continue
    const rest = right === undefined ? left : pruneNodes(left, right)
    if (rest) (draft ??= {})[element] = rest
  }
  return nodeOf(draft, isMember(a))
}

/** What is in `a`, but for the members of `b` and all that lies below them. */
export const differenceBelow = (a: FieldSet, b: FieldSet): FieldSet =>
  isBare(a) || isBare(b) ? a : (pruneNodes(a, b) ?? NO_FIELDS)

/** In place: levels are short, and for those a plain insertion beats the library's sort several times. */
const sortTexts = (texts: string[]): string[] => {
  for (let index = 1; index < texts.length; index++) {
    const text = texts[index]!
    let place = index
    for (; place > 0 && texts[place - 1]! > text; place--) texts[place] = texts[place - 1]!
    texts[place] = text
  }
  return texts
}

/** Texts that one insertion after the other sorts quickly. */
const SHORT = 64

const isField = (element: string): boolean => element === SELF || element.startsWith('f:')

/** Nearly all sets hold nothing but fields, whose order is that of their texts; `.` comes before them by itself. */
const inOrder = (elements: string[]): string[] => {
  if (elements.length === 1 || (elements.length === 2 && elements[0] === SELF)) return elements
  if (!elements.every(isField)) return sortElements(elements)
  return elements.length <= SHORT ? sortTexts(elements) : elements.sort()
}

const orderNode = (node: FieldSet): FieldSet => {
  if (isBare(node)) return LEAF
  const elements = Object.keys(node)
  const ordered: Draft = {}
  for (const element of elements.length > 1 ? inOrder(elements) : elements) ordered[element] = orderNode(node[element]!)
  return ordered
}

/** The same set, its steps in the order of FieldsV1. */
export const ordered = (set: FieldSet): FieldSet => orderNode(set)

const walkNode = (node: FieldSet, path: readonly string[], found: string[][]): void => {
  const elements = Object.keys(node).filter(element => element !== SELF)
  for (const element of elements) if (isMember(node[element]!)) found.push([...path, element])
  for (const element of elements) walkNode(node[element]!, [...path, element], found)
}

/** The members: those of a level before what lies below them. */
export const pathsOf = (set: FieldSet): string[][] => {
  const found: string[][] = []
  walkNode(set, [], found)
  return found
}

const singleton = ([element, ...rest]: readonly string[]): FieldSet =>
  element === undefined ? LEAF : { [element]: singleton(rest) }

/** The set of these paths; the empty path is none. */
export const fieldSet = (paths: Iterable<readonly string[]>): FieldSet => {
  let set = NO_FIELDS
  for (const path of paths) set = union(set, singleton(path))
  return set
}

export const hasPath = (set: FieldSet, path: readonly string[]): boolean => {
  let node: FieldSet | undefined = set
  for (const element of path) {
    node = node[element]
    if (node === undefined) return false
  }
  return path.length > 0 && isMember(node)
}

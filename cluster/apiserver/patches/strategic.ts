/**
 * Strategic merge patch: a merge patch that knows from the types which lists merge, by which key, and that takes
 * directives: `$patch` (replace, delete, merge), `$retainKeys`, `$deleteFromPrimitiveList/LIST` and
 * `$setElementOrder/LIST`. Which fields merge how follows from types.json.
 */

import { isObject, setOwn } from '#cluster/api/own-property.ts'
import { type FieldSchema, type Shape, typeSchema } from '#cluster/api/schema.ts'
import { badRequest, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { JsonObject, PatchFormat } from '../patch.ts'
import { type Identity, orderMerged } from './strategic/list-order.ts'

const PATCH = '$patch'
const RETAIN_KEYS = '$retainKeys'
const DELETE_FROM = '$deleteFromPrimitiveList/'
const SET_ORDER = '$setElementOrder/'

/** A patch that cannot be: thrown inside this file only, and a 400 outside of it. */
class BadPatch extends Error {}

/** What the types say of a value: undefined where they know nothing (unknown fields, raw objects). */
interface Rule {
  readonly shape: Shape | undefined
  readonly field: FieldSchema | undefined
}

const UNKNOWN: Rule = { shape: undefined, field: undefined }

const ruleFor = (shape: Shape | undefined, key: string): Rule => {
  if (shape?.form === 'map') return { shape: shape.item, field: undefined }
  if (shape?.form !== 'struct') return UNKNOWN
  const field = typeSchema(shape.type).byName.get(key)
  return field ? { shape: field.shape, field } : UNKNOWN
}

const isDirective = (key: string): boolean =>
  key === PATCH || key === RETAIN_KEYS || key.startsWith(DELETE_FROM) || key.startsWith(SET_ORDER)

/** A value that meets nothing to merge with: directives and nulls go. Undefined when it says that nothing shall be. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(plain).filter(item => item !== undefined)
  if (!isObject(value)) return value
  if (value[PATCH] === 'delete') return undefined
  const result: JsonObject = {}
  for (const [key, inner] of Object.entries(value)) {
    if (isDirective(key) || inner === null) continue
    const kept = plain(inner)
    if (kept !== undefined) setOwn(result, key, kept)
  }
  return result
}

const listOf = (value: unknown, directive: string): unknown[] => {
  if (!Array.isArray(value)) throw new BadPatch(`invalid patch format of ${directive}: it takes a list`)
  return value
}

/** Fields that the directive does not list are dropped; a patch that sets one of those contradicts itself. */
const retainKeys = (original: JsonObject, patch: JsonObject): void => {
  if (!(RETAIN_KEYS in patch)) return
  const keep = new Set(listOf(patch[RETAIN_KEYS], 'retainKeys'))
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && !isDirective(key) && !keep.has(key)) throw new BadPatch('invalid patch format of retainKeys')
  }
  for (const key of Object.keys(original)) if (!keep.has(key)) delete original[key]
}

const keyOf = (item: unknown, mergeKey: string): unknown => {
  if (!isObject(item) || !Object.hasOwn(item, mergeKey)) {
    throw new BadPatch(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`)
  }
  return item[mergeKey]
}

const isScalarList = (shape: Shape | undefined): boolean => shape?.form === 'list' && shape.item.form === 'scalar'

const identityIn = ({ shape, field }: Rule): Identity => {
  if (isScalarList(shape)) return item => item
  const mergeKey = field?.patchMergeKey
  if (mergeKey === undefined) throw new BadPatch(`cannot merge lists without merge key for ${field?.name ?? 'a list'}`)
  return item => keyOf(item, mergeKey)
}

/** What the directives among the items leave of the list and of the patch. */
const takeDirectives = (original: readonly unknown[], patch: readonly unknown[], identity: Identity) => {
  let kept = [...original]
  const items: unknown[] = []
  let replaced = false
  for (const item of patch) {
    const directive = isObject(item) ? item[PATCH] : undefined
    if (directive === undefined) items.push(item)
    else if (directive === 'replace') replaced = true
    else if (directive === 'delete') {
      const gone = identity(item)
      kept = kept.filter(other => identity(other) !== gone)
    } else if (directive === 'merge') throw new BadPatch('merging lists cannot yet be specified in the patch')
    else throw new BadPatch(`unknown patch type '${String(directive)}' in map: ${JSON.stringify(item)}`)
  }
  return replaced ? { kept: [], items, replaced } : { kept, items, replaced }
}

const mergeItems = (kept: readonly unknown[], items: readonly unknown[], rule: Rule, identity: Identity): unknown[] => {
  const itemShape = rule.shape?.form === 'list' ? rule.shape.item : undefined
  const merged = [...kept]
  const places = new Map(kept.map((item, index) => [identity(item), index]))
  for (const item of items) {
    const id = identity(item)
    const place = places.get(id)
    const before = place === undefined ? undefined : merged[place]
    if (place !== undefined && isObject(before) && isObject(item)) merged[place] = mergeObject(before, item, itemShape)
    else if (place === undefined) {
      places.set(id, merged.length)
      merged.push(plain(item))
    }
  }
  return merged
}

interface ListPatch {
  readonly items: readonly unknown[]
  /** Identities in the order that `$setElementOrder` wants. */
  readonly order: readonly unknown[] | undefined
}

const mergeList = (original: readonly unknown[], { items, order }: ListPatch, rule: Rule): unknown[] => {
  const identity = identityIn(rule)
  const taken = takeDirectives(original, items, identity)
  if (taken.replaced) return taken.items.map(plain)
  const merged = mergeItems(taken.kept, taken.items, rule, identity)
  return orderMerged(merged, order ?? taken.items.map(identity), original.map(identity), identity)
}

/** Every item of the patch must stand in the order, and in that order. */
const checkOrder = (items: readonly unknown[], order: readonly unknown[], identity: Identity): void => {
  let last = -1
  for (const item of items) {
    if (isObject(item) && PATCH in item) continue
    const place = order.indexOf(identity(item))
    if (place <= last) {
      const text = `The order in patch list:\n${JSON.stringify(items)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}`
      throw new BadPatch(text)
    }
    last = place
  }
}

const merges = ({ field }: Rule): boolean => field?.patchStrategies.includes('merge') ?? false

const mergeOrdered = (original: JsonObject, patch: JsonObject, shape: Shape | undefined, directive: string): void => {
  const key = directive.slice(SET_ORDER.length)
  const rule = ruleFor(shape, key)
  const identity = identityIn(rule)
  const order = listOf(patch[directive], '$setElementOrder').map(identity)
  const items = patch[key] === undefined || patch[key] === null ? [] : listOf(patch[key], key)
  checkOrder(items, order, identity)
  const before = original[key]
  if (patch[key] === null || (before === undefined && items.length === 0)) return
  if (items.length > 0 && !merges(rule)) return
  setOwn(original, key, mergeList(Array.isArray(before) ? before : [], { items, order }, rule))
}

const deleteScalars = (original: JsonObject, patch: JsonObject, directive: string): void => {
  const gone = new Set(listOf(patch[directive], '$deleteFromPrimitiveList'))
  const key = directive.slice(DELETE_FROM.length)
  const before = original[key]
  if (Array.isArray(before)) original[key] = before.filter(item => !gone.has(item))
}

const mergeValue = (before: unknown, value: unknown, rule: Rule): unknown => {
  if (isObject(before) && isObject(value)) {
    return rule.field?.patchStrategies.includes('replace') ? plain(value) : mergeObject(before, value, rule.shape)
  }
  if (Array.isArray(before) && Array.isArray(value) && merges(rule)) {
    return mergeList(before, { items: value, order: undefined }, rule)
  }
  return plain(value)
}

const mergeObject = (before: JsonObject, patch: JsonObject, shape: Shape | undefined): JsonObject => {
  const directive = patch[PATCH]
  if (directive === 'replace') return plain({ ...patch, [PATCH]: undefined }) as JsonObject
  if (directive === 'delete') return {}
  if (directive !== undefined && directive !== 'merge') {
    throw new BadPatch(`unknown patch type '${String(directive)}' in map: ${JSON.stringify(patch)}`)
  }
  const original = { ...before }
  retainKeys(original, patch)
  const keys = Object.keys(patch)
  const ordered = new Set<string>()
  for (const key of keys) {
    if (key.startsWith(DELETE_FROM)) deleteScalars(original, patch, key)
  }
  for (const key of keys) {
    if (!key.startsWith(SET_ORDER)) continue
    mergeOrdered(original, patch, shape, key)
    if (merges(ruleFor(shape, key.slice(SET_ORDER.length)))) ordered.add(key.slice(SET_ORDER.length))
  }
  for (const key of keys) {
    if (isDirective(key)) continue
    if (patch[key] === null) delete original[key]
    else if (!ordered.has(key)) setOrDelete(original, key, mergeValue(original[key], patch[key], ruleFor(shape, key)))
  }
  return original
}

const setOrDelete = (target: JsonObject, key: string, value: unknown): void => {
  if (value === undefined) delete target[key]
  else setOwn(target, key, value)
}

const apply = (current: JsonObject, patch: unknown, type: string): Result<JsonObject, Status> => {
  if (!isObject(patch)) return refused(badRequest('a strategic merge patch is a JSON object'))
  try {
    // Cloned, so that nothing of the result is shared with the patch or the object as it was.
    return accepted(structuredClone(mergeObject(current, patch, { form: 'struct', type })))
  } catch (error) {
    if (error instanceof BadPatch) return refused(badRequest(error.message))
    throw error
  }
}

export const strategicMergePatch: PatchFormat = { mediaType: 'application/strategic-merge-patch+json', apply }

/**
 * Sets of fields in memory (metadata.managedFields): objects that the same programs wrote have the same sets, by the
 * thousand, so that each set is held once, and put in order once.
 *
 * Promised: what is shared is deeply frozen; what nobody uses goes.
 */
import { LRUCache } from 'lru-cache'
import type { ApiObject } from '#cluster/api/object.ts'
import { freeze } from './freeze.ts'

/** Characters of JSON: some ten thousand sets, more than the kinds and programs of a cluster make. */
const MAX_SIZE = 8 * 1024 * 1024

const shared = new LRUCache<string, object>({ maxSize: MAX_SIZE, sizeCalculation: (_set, text) => text.length })
/** The same by the text of a set that is not in order yet. */
const unordered = new LRUCache<string, object>({ maxSize: MAX_SIZE, sizeCalculation: (_set, text) => text.length })
/** Whatever `shared` has, or had. */
const isShared = new WeakSet<object>()
const isInOrder = new WeakSet<object>()

const share = (text: string, fields: object): object => {
  const known = shared.get(text)
  if (known) return known
  freeze(fields)
  shared.set(text, fields)
  isShared.add(fields)
  return fields
}

/** In place; `object` is not frozen yet. */
export const shareFields = ({ metadata }: ApiObject): void => {
  for (const entry of metadata.managedFields ?? []) {
    const { fieldsV1 } = entry
    if (typeof fieldsV1 !== 'object' || fieldsV1 === null || isShared.has(fieldsV1)) continue
    entry.fieldsV1 = share(JSON.stringify(fieldsV1), fieldsV1)
  }
}

/** The set in another order, which `order` gives it: made once for all that are equal and came in the same order. */
export const sharedInOrder = <Fields extends object>(fields: Fields, order: (fields: Fields) => Fields): Fields => {
  if (isInOrder.has(fields)) return fields
  const text = JSON.stringify(fields)
  const known = unordered.get(text)
  if (known) return known as Fields
  const inOrder = order(fields)
  const made = share(JSON.stringify(inOrder), inOrder)
  isInOrder.add(made)
  unordered.set(text, made)
  return made as Fields
}

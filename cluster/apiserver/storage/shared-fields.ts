/**
 * Sets of fields in memory (metadata.managedFields): objects that the same programs wrote have the same sets, by the
 * thousand, so that each set is held once.
 *
 * Promised: what is shared is deeply frozen; what nobody uses goes.
 */
import { LRUCache } from 'lru-cache'
import type { ApiObject } from '#cluster/api/object.ts'
import { freeze } from './freeze.ts'

/** Characters of JSON: some ten thousand sets, more than the kinds and programs of a cluster make. */
const MAX_SIZE = 8 * 1024 * 1024

const shared = new LRUCache<string, object>({ maxSize: MAX_SIZE, sizeCalculation: (_set, text) => text.length })

/** In place; `object` is not frozen yet. */
export const shareFields = ({ metadata }: ApiObject): void => {
  for (const entry of metadata.managedFields ?? []) {
    const { fieldsV1 } = entry
    if (typeof fieldsV1 !== 'object' || fieldsV1 === null) continue
    const text = JSON.stringify(fieldsV1)
    const known = shared.get(text)
    if (known) entry.fieldsV1 = known
    else {
      freeze(fieldsV1)
      shared.set(text, fieldsV1)
    }
  }
}

/**
 * Objects between memory, which has those of a kind with a conversion webhook as they were written, and the verbs, which
 * read and write each in its own version. Of all other kinds an object is what memory has.
 *
 * Promised: what memory has is converted once for each version, however many read it, and by as few reviews as bounded
 * ones can be; what could not be converted is tried again by the next who asks.
 */
import type { Converter, Kind } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import { accepted, type Result } from '#lib/result.ts'
import type { StoredObject } from './stored-object.ts'

/** Of one review: a webhook has to hold it, and answer it, whole. */
const MAX_OBJECTS = 500
const MAX_BYTES = 4 * 1024 * 1024

type Conversion = Promise<Result<StoredObject, Status>>

/** By what memory has, which is one kind's alone. */
const conversions = new WeakMap<StoredObject, Conversion>()

/** How many of `stored`, from `start` on, fit into a review. */
const batchSize = (stored: readonly StoredObject[], start: number): number => {
  let bytes = 0
  let count = 0
  while (count < MAX_OBJECTS && start + count < stored.length) {
    bytes += stored[start + count]!.json.length
    if (count > 0 && bytes > MAX_BYTES) break
    count++
  }
  return count
}

const convertBatch = (kind: Kind, converter: Converter, batch: readonly StoredObject[]): void => {
  const objects = batch.map(({ object }) => object)
  const converting = converter.convert(objects, apiVersionOf(kind))
  for (const [index, stored] of batch.entries()) {
    const conversion = converting.then(result => (result.ok ? accepted(stored.as(result.value[index]!)) : result))
    conversions.set(stored, conversion)
    const forget = () => void conversions.delete(stored)
    conversion.then(result => result.ok || forget(), forget)
  }
}

/** What memory has of `kind`, in its version and in order. Refused: a 500, when one cannot be converted. */
export const servedObjects = async (
  kind: Kind,
  stored: readonly StoredObject[],
): Promise<Result<readonly StoredObject[], Status>> => {
  const converter = kind.storage?.converter
  if (!converter) return accepted(stored)
  const served: StoredObject[] = []
  for (let start = 0; start < stored.length; ) {
    const batch = stored.slice(start, start + batchSize(stored, start))
    const missing = batch.filter(each => !conversions.has(each))
    if (missing.length > 0) convertBatch(kind, converter, missing)
    for (const conversion of batch.map(each => conversions.get(each)!)) {
      const one = await conversion
      if (!one.ok) return one
      served.push(one.value)
    }
    start += batch.length
  }
  return accepted(served)
}

export const servedObject = async (kind: Kind, stored: StoredObject): Promise<Result<StoredObject, Status>> => {
  const served = await servedObjects(kind, [stored])
  return served.ok ? accepted(served.value[0]!) : served
}

/** `object`, of `kind`, in the version that is written. */
export const writtenObject = async (kind: Kind, object: ApiObject): Promise<Result<ApiObject, Status>> => {
  const converter = kind.storage?.converter
  if (!converter || object.apiVersion === converter.storedAs) return accepted(object)
  const converted = await converter.convert([object], converter.storedAs)
  return converted.ok ? accepted(converted.value[0]!) : converted
}

/**
 * One object in another version of its kind, for what is computed at once: who owns which field, what a webhook or a
 * policy is shown. Where only a conversion webhook can tell, the computation stops, and begins again when it has told.
 */
import type { Converter, Kind } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'

/** A conversion that has to be made first. */
class NotConverted extends Error {
  readonly converter: Converter
  readonly object: ApiObject
  readonly apiVersion: string

  constructor(converter: Converter, object: ApiObject, apiVersion: string) {
    super(`not converted yet: ${object.apiVersion} to ${apiVersion}`)
    this.converter = converter
    this.object = object
    this.apiVersion = apiVersion
  }
}

const keyOf = (object: ApiObject, apiVersion: string): string => `${apiVersion} ${JSON.stringify(object)}`

/** What has been converted for the computation that runs now. */
let known: ReadonlyMap<string, ApiObject> = new Map()

/** `from` and `to` share what is stored. To be called within `withConversions`. */
export const convertObject = (from: Kind, to: Kind, object: ApiObject): ApiObject => {
  if (from === to) return object
  const converter = to.storage?.converter
  if (converter) {
    const apiVersion = apiVersionOf(to)
    const converted = known.get(keyOf(object, apiVersion))
    if (!converted) throw new NotConverted(converter, object, apiVersion)
    return structuredClone(converted)
  }
  const stored = from.storage ? from.storage.toStored(object) : object
  const converted = to.storage ? to.storage.fromStored(stored) : stored
  return { ...converted, kind: to.kind, apiVersion: apiVersionOf(to) }
}

/** More than any object has owners in different versions. */
const MAX_CONVERSIONS = 256

/**
 * The value of `compute`, which is called again after each conversion that it was in want of: it must not do anything
 * that may not be done twice. Refused: the 500 of a conversion that failed.
 */
export const withConversions = async <Value>(compute: () => Value): Promise<Result<Value, Status>> => {
  const made = new Map<string, ApiObject>()
  for (;;) {
    const outcome = attempt(compute, made)
    if (!(outcome instanceof NotConverted)) return accepted(outcome)
    if (made.size >= MAX_CONVERSIONS) throw outcome
    const { converter, object, apiVersion } = outcome
    const converted = await converter.convert([object], apiVersion)
    if (!converted.ok) return refused(converted.problem)
    made.set(keyOf(object, apiVersion), converted.value[0]!)
  }
}

const attempt = <Value>(compute: () => Value, made: ReadonlyMap<string, ApiObject>): Value | NotConverted => {
  const outer = known
  known = made
  try {
    return compute()
  } catch (error) {
    if (error instanceof NotConverted) return error
    throw error
  } finally {
    known = outer
  }
}

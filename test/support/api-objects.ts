import { decodeBody } from '#cluster/api/decode.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import type { FieldError } from '#cluster/api/field-error.ts'
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { validateCreate, validateUpdate } from '#cluster/api/validate.ts'

/** An object as the apiserver would make it of `body` on create, before anything is allocated. Throws if it is refused. */
export const prepared = (kind: Kind, body: object): ApiObject => {
  const decoded = decodeBody(JSON.stringify(body), 'json', kind, 'Strict')
  if (!decoded.ok) throw new Error(decoded.problem.message ?? 'refused')
  const { object } = decoded.value
  if (kind.namespaced) object.metadata.namespace ??= 'default'
  kind.prepareForCreate?.(object)
  kind.applyDefaults?.(object)
  return object
}

export const canonical = (kind: Kind, body: object): ApiObject => encodeObject(prepared(kind, body), kind.type)

/** What is wrong with `body`, as `field: message`. */
export const complaints = (kind: Kind, body: object): string[] => texts(validateCreate(kind, prepared(kind, body)))

export const texts = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`)

/** The least that has a name. */
export const named = (rest: object = {}, name = 'x') => ({ metadata: { name }, ...rest })

/** What is wrong with turning `before` into `after`. */
export const updating = (kind: Kind, before: object, after: object): string[] => {
  const current = prepared(kind, before)
  const next = prepared(kind, after)
  kind.prepareForUpdate?.(next, current)
  kind.applyDefaults?.(next)
  return texts(validateUpdate(kind, next, current))
}

/** The cells of a table that an object of the kind shows, without what depends on time. */
export const row = (kind: Kind, body: object): unknown[] =>
  kind.columns.map(column => column.value(prepared(kind, body), 0)).filter(cell => cell !== '<unknown>')

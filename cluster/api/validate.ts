/** Whether an object may be written: metadata, the kind's own rules, then what types.json states. */
import { type FieldError, fieldInvalid } from './field-error.ts'
import type { Kind } from './kind.ts'
import { checkQualifiedName } from './name.ts'
import type { ApiObject } from './object.ts'
import { validateMetadata, validateMetadataUpdate } from './object-meta.ts'
import { isObject } from './own-property.ts'
import { validateStructure } from './structure.ts'

/** Each field and reason once: a kind's rule and the structure may say the same, and the kind says it better. */
const distinct = (errors: readonly FieldError[]): FieldError[] => {
  const seen = new Set<string>()
  return errors.filter(({ field, reason, message }) => {
    const coarse = reason === 'FieldValueRequired' || reason === 'FieldValueNotSupported'
    const identity = coarse ? `${field}\0${reason}` : `${field}\0${reason}\0${message}`
    if (seen.has(identity)) return false
    seen.add(identity)
    return true
  })
}

/** What the kind has judged already is not missed as well. */
const validateBody = (kind: Kind, object: ApiObject, current?: ApiObject): FieldError[] => {
  const own = kind.validate?.(object, current) ?? []
  const judged = new Set(own.map(({ field }) => field))
  const others = validateStructure(object, kind.type)
  return [...own, ...others.filter(({ field, reason }) => reason !== 'FieldValueRequired' || !judged.has(field))]
}

/** Everything wrong with an object about to be created; the name is there, defaults are applied. */
export const validateCreate = (kind: Kind, object: ApiObject): FieldError[] =>
  distinct([
    ...validateMetadata(kind, object.metadata),
    ...(kind.validateCreate?.(object) ?? []),
    ...validateBody(kind, object),
  ])

const validateFinalize = ({ spec }: ApiObject): FieldError[] => {
  const finalizers = isObject(spec) && Array.isArray(spec.finalizers) ? spec.finalizers : []
  return finalizers.flatMap((name: string) =>
    checkQualifiedName(name).map(complaint => fieldInvalid('spec.finalizers', name, complaint)),
  )
}

/** Everything wrong with turning `current` into `next`, as a whole or in one subresource. */
export const validateUpdate = (kind: Kind, next: ApiObject, current: ApiObject, subresource?: string): FieldError[] => {
  const metadata = [
    ...validateMetadataUpdate(next.metadata, current.metadata),
    ...validateMetadata(kind, next.metadata),
  ]
  if (subresource === 'status') return distinct([...metadata, ...(kind.validateStatusUpdate?.(next, current) ?? [])])
  const part = kind.parts?.[subresource ?? '']
  if (part) return distinct([...metadata, ...part.validate(next, current)])
  if (subresource === 'finalize') return distinct([...metadata, ...validateFinalize(next)])
  return distinct([...metadata, ...(kind.validateUpdate?.(next, current) ?? []), ...validateBody(kind, next, current)])
}

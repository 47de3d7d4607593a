/** The 422 about a request's own options. */
import type { FieldError } from '#cluster/api/field-error.ts'
import { failure, type Status } from '#cluster/api/status.ts'

export type OptionsKind = 'ListOptions' | 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions'

export const invalidOptions = (kind: OptionsKind, errors: readonly FieldError[]): Status => {
  const texts = errors.map(({ field, message }) => `${field}: ${message}`)
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return failure(422, 'Invalid', `${kind}.meta.k8s.io "" is invalid: ${list}`, {
    group: 'meta.k8s.io',
    kind,
    causes: errors.map(({ field, reason, message }) => ({ reason, message, field })),
  })
}

/** What the access reviews of authorization.k8s.io/v1 share: what they ask, checked, and their answer. */
import { type FieldError, fieldInvalid } from '#cluster/api/field-error.ts'
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { invalid, type Status } from '#cluster/api/status.ts'
import type { User } from '../authenticator.ts'
import type { Attributes, Decision } from '../authorizer.ts'

export interface ReviewSpec {
  readonly resourceAttributes?: Readonly<Record<string, string>>
  readonly nonResourceAttributes?: Readonly<Record<string, string>>
  readonly user?: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export const specOf = ({ spec }: ApiObject): ReviewSpec => (spec ?? {}) as ReviewSpec

/** That one thing is asked about. */
export const checkAsked = ({ resourceAttributes, nonResourceAttributes }: ReviewSpec): FieldError[] => {
  if (resourceAttributes && nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes'
    return [fieldInvalid('spec.nonResourceAttributes', nonResourceAttributes, detail)]
  }
  if (resourceAttributes || nonResourceAttributes) return []
  const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
  return [fieldInvalid('spec.resourceAttributes', null, detail)]
}

export const checkSubject = ({ user = '', groups = [] }: ReviewSpec): FieldError[] =>
  user === '' && groups.length === 0
    ? [fieldInvalid('spec.user', user, 'at least one of user or group must be specified')]
    : []

/** `allowed`: fields of metadata that a review may have. */
export const checkMetadata = ({ metadata }: ApiObject, allowed: readonly string[] = []): FieldError[] =>
  Object.keys(metadata).some(field => field !== 'managedFields' && !allowed.includes(field))
    ? [fieldInvalid('metadata', metadata, `must be empty${allowed.length > 0 ? ' except for namespace' : ''}`)]
    : []

/** Kubernetes does not say the kind here. */
export const invalidReview = ({ group }: Kind, errors: readonly FieldError[]): Status =>
  invalid({ group, resource: '', kind: '', name: '' }, errors)

export const subjectOf = ({ user = '', uid, groups = [], extra }: ReviewSpec): User => ({
  name: user,
  groups,
  ...(uid ? { uid } : {}),
  ...(extra ? { extra } : {}),
})

export const askedOf = (spec: ReviewSpec, user: User): Attributes => {
  const { resourceAttributes: asked } = spec
  if (!asked) {
    const { path = '', verb = '' } = spec.nonResourceAttributes ?? {}
    return { user, verb, path }
  }
  const { verb = '', group = '', version = '', resource = '', subresource = '', namespace = '', name = '' } = asked
  return { user, verb, path: '', resource: { group, version, resource, subresource, namespace, name } }
}

export const answered = (review: ApiObject, { decision, reason }: Decision): ApiObject => ({
  ...review,
  status: {
    allowed: decision === 'allow',
    ...(decision === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
  },
})

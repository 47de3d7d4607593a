/** LocalSubjectAccessReview: may they, in this namespace? For those who may ask about one namespace only. */
import { type FieldError, fieldInvalid } from '#cluster/api/field-error.ts'
import { localSubjectAccessReviewKind } from '#cluster/api/reviews.ts'
import { badRequest } from '#cluster/api/status.ts'
import { accepted, refused } from '#lib/result.ts'
import type { Action, ActionEnvironment } from '../action.ts'
import {
  answered,
  askedOf,
  checkAsked,
  checkMetadata,
  checkSubject,
  invalidReview,
  type ReviewSpec,
  specOf,
  subjectOf,
} from '../reviews/access-review.ts'

const checkPlace = (
  { resourceAttributes, nonResourceAttributes }: ReviewSpec,
  namespace: string | undefined,
): FieldError[] => {
  const errors: FieldError[] = []
  const asked = resourceAttributes?.namespace
  if (resourceAttributes && asked !== namespace)
    errors.push(fieldInvalid('spec.resourceAttributes.namespace', asked ?? '', 'must match metadata.namespace'))
  if (nonResourceAttributes)
    errors.push(fieldInvalid('spec.nonResourceAttributes', nonResourceAttributes, 'disallowed on this kind of request'))
  return errors
}

export const localSubjectAccessReview = ({ decide }: ActionEnvironment): Action => ({
  kind: localSubjectAccessReviewKind,
  async run({ object, namespace }) {
    const spec = specOf(object)
    const { namespace: own } = object.metadata
    const errors = [
      ...checkAsked(spec),
      ...checkSubject(spec),
      ...checkMetadata(object, ['namespace']),
      ...checkPlace(spec, own),
    ]
    if (errors.length > 0) return refused(invalidReview(localSubjectAccessReviewKind, errors))
    if (own !== namespace)
      return refused(badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace ?? ''}`))
    return accepted(answered(object, await decide(askedOf(spec, subjectOf(spec)))))
  },
})

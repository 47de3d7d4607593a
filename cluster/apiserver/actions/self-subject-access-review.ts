/** SelfSubjectAccessReview: may I? (`kubectl auth can-i`) */
import { selfSubjectAccessReviewKind } from '#cluster/api/reviews.ts'
import { accepted, refused } from '#lib/result.ts'
import type { Action, ActionEnvironment } from '../action.ts'
import { answered, askedOf, checkAsked, checkMetadata, invalidReview, specOf } from '../reviews/access-review.ts'

export const selfSubjectAccessReview = ({ decide }: ActionEnvironment): Action => ({
  kind: selfSubjectAccessReviewKind,
  async run({ object, user }) {
    const spec = specOf(object)
    const errors = [...checkAsked(spec), ...checkMetadata(object)]
    if (errors.length > 0) return refused(invalidReview(selfSubjectAccessReviewKind, errors))
    return accepted(answered(object, await decide(askedOf(spec, user))))
  },
})

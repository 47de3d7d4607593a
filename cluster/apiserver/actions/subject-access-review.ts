/** SubjectAccessReview: may they? Asked by servers that let the apiserver decide. */
import { subjectAccessReviewKind } from '#cluster/api/reviews.ts'
import { accepted, refused } from '#lib/result.ts'
import type { Action, ActionEnvironment } from '../action.ts'
import {
  answered,
  askedOf,
  checkAsked,
  checkMetadata,
  checkSubject,
  invalidReview,
  specOf,
  subjectOf,
} from '../reviews/access-review.ts'

export const subjectAccessReview = ({ decide }: ActionEnvironment): Action => ({
  kind: subjectAccessReviewKind,
  async run({ object }) {
    const spec = specOf(object)
    const errors = [...checkAsked(spec), ...checkSubject(spec), ...checkMetadata(object)]
    if (errors.length > 0) return refused(invalidReview(subjectAccessReviewKind, errors))
    return accepted(answered(object, await decide(askedOf(spec, subjectOf(spec)))))
  },
})

/** SelfSubjectReview: who am I? (`kubectl auth whoami`) */
import { selfSubjectReviewKind } from '#cluster/api/reviews.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import { accepted } from '#lib/result.ts'
import type { Action, ActionEnvironment } from '../action.ts'
import { userInfo } from '../reviews/user-info.ts'

export const selfSubjectReview = ({ now }: ActionEnvironment): Action => ({
  kind: selfSubjectReviewKind,
  run: ({ object, user }) =>
    accepted({
      ...object,
      metadata: { creationTimestamp: timestamp(now()) },
      status: { userInfo: userInfo(user) },
    }),
})

/** TokenReview: whose token is this? Asked by servers that let the apiserver know their users. */
import { tokenReviewKind } from '#cluster/api/reviews.ts'
import { badRequest } from '#cluster/api/status.ts'
import { accepted, refused } from '#lib/result.ts'
import type { Action, ActionEnvironment } from '../action.ts'
import { userInfo } from '../reviews/user-info.ts'

interface Spec {
  readonly token?: string
  readonly audiences?: readonly string[]
}

export const tokenReview = ({ authenticateToken }: ActionEnvironment): Action => ({
  kind: tokenReviewKind,
  async run({ object }) {
    const { token = '', audiences = [] } = (object.spec ?? {}) as Spec
    if (token === '') return refused(badRequest('token is required for TokenReview in authentication'))
    const identified = await authenticateToken(token, audiences)
    if (identified === 'none')
      return accepted({ ...object, status: { user: {}, error: '[invalid bearer token, Unauthorized]' } })
    const { user, audiences: meant = [] } = identified
    return accepted({
      ...object,
      status: { authenticated: true, user: userInfo(user), ...(meant.length > 0 ? { audiences: meant } : {}) },
    })
  },
})

/** SelfSubjectRulesReview: what may I do here? (`kubectl auth can-i --list`) */
import { selfSubjectRulesReviewKind } from '#cluster/api/reviews.ts'
import { badRequest } from '#cluster/api/status.ts'
import { accepted, refused } from '#lib/result.ts'
import type { Action, ActionEnvironment } from '../action.ts'

export const selfSubjectRulesReview = ({ rulesFor }: ActionEnvironment): Action => ({
  kind: selfSubjectRulesReviewKind,
  run({ object, user }) {
    const { namespace = '' } = (object.spec ?? {}) as { namespace?: string }
    if (namespace === '') return refused(badRequest('no namespace on request'))
    const { resourceRules, nonResourceRules, incomplete } = rulesFor(user, namespace)
    const status = {
      resourceRules,
      nonResourceRules,
      incomplete: incomplete !== undefined,
      ...(incomplete ? { evaluationError: incomplete } : {}),
    }
    return accepted({ ...object, metadata: {}, spec: {}, status })
  },
})

/**
 * Kinds that are asked and answered, and stored nowhere: who am I, may I, whose token is this. A create is all that they
 * are served with; `cluster/apiserver/actions/` answers it.
 */
import type { Kind } from './kind.ts'
import { bindingKind } from './pod-actions.ts'

interface Names {
  readonly group: string
  readonly kind: string
  readonly namespaced?: boolean
}

const review = ({ group, kind, namespaced = false }: Names): Kind => ({
  group,
  version: 'v1',
  kind,
  resource: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  shortNames: [],
  categories: [],
  namespaced,
  type: `${group}/v1.${kind}`,
  hasStatus: false,
  countsGenerations: false,
  verbs: ['create'],
  columns: [],
})

const AUTHENTICATION = 'authentication.k8s.io'
const AUTHORIZATION = 'authorization.k8s.io'

export const selfSubjectReviewKind = review({ group: AUTHENTICATION, kind: 'SelfSubjectReview' })
export const tokenReviewKind = review({ group: AUTHENTICATION, kind: 'TokenReview' })
export const localSubjectAccessReviewKind = review({
  group: AUTHORIZATION,
  kind: 'LocalSubjectAccessReview',
  namespaced: true,
})
export const selfSubjectAccessReviewKind = review({ group: AUTHORIZATION, kind: 'SelfSubjectAccessReview' })
export const selfSubjectRulesReviewKind = review({ group: AUTHORIZATION, kind: 'SelfSubjectRulesReview' })
export const subjectAccessReviewKind = review({ group: AUTHORIZATION, kind: 'SubjectAccessReview' })

/** In the order of discovery. */
export const REVIEWS: readonly Kind[] = [
  bindingKind,
  selfSubjectReviewKind,
  tokenReviewKind,
  localSubjectAccessReviewKind,
  selfSubjectAccessReviewKind,
  selfSubjectRulesReviewKind,
  subjectAccessReviewKind,
]

/** What a POST to `serviceaccounts/NAME/token` carries; no resource of its own. */
export const tokenRequestKind = review({ group: AUTHENTICATION, kind: 'TokenRequest', namespaced: true })

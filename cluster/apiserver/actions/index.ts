/** All actions. */
import type { Action, ActionEnvironment } from '../action.ts'
import { localSubjectAccessReview } from './local-subject-access-review.ts'
import { bindings, podBinding } from './pod-binding.ts'
import { podEviction } from './pod-eviction.ts'
import { selfSubjectAccessReview } from './self-subject-access-review.ts'
import { selfSubjectReview } from './self-subject-review.ts'
import { selfSubjectRulesReview } from './self-subject-rules-review.ts'
import { serviceAccountToken } from './service-account-token.ts'
import { subjectAccessReview } from './subject-access-review.ts'
import { tokenReview } from './token-review.ts'

export const createActions = (environment: ActionEnvironment): readonly Action[] => [
  selfSubjectReview(environment),
  tokenReview(environment),
  localSubjectAccessReview(environment),
  selfSubjectAccessReview(environment),
  selfSubjectRulesReview(environment),
  subjectAccessReview(environment),
  serviceAccountToken(environment),
  bindings(environment),
  podBinding(environment),
  podEviction(environment),
]

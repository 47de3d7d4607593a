/** Whoever reaches the apiserver may ask whether it is well: load balancers do so before they have credentials. */
import { type Authorizer, NO_OPINION } from '../authorizer.ts'
import { isHealthPath } from '../health.ts'

const ALLOWED = { decision: 'allow', reason: '' } as const

export const healthAuthorizer: Authorizer = {
  name: 'health',
  authorize: ({ path, verb, resource }) =>
    !resource && (verb === 'get' || verb === 'head') && isHealthPath(path) ? ALLOWED : NO_OPINION,
}

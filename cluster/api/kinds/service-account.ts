/** ServiceAccount: who a pod is. */
import { ageColumn } from '../column.ts'
import type { Kind } from '../kind.ts'
import { tokenRequestKind } from '../reviews.ts'

export const serviceAccountKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  resource: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  categories: [],
  namespaced: true,
  type: 'core/v1.ServiceAccount',
  hasStatus: false,
  countsGenerations: false,
  deleteReturnsObject: true,
  posts: { token: tokenRequestKind },
  columns: [ageColumn],
}

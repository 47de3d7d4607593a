/** ClusterRole: what may be done, in a namespace or everywhere, as the binding says. */
import { createdColumn } from '../column.ts'
import type { Kind } from '../kind.ts'
import { checkPathSegment } from '../name.ts'
import { RBAC_GROUP, validateClusterRole } from '../rbac/rbac.ts'

export const clusterRoleKind: Kind = {
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRole',
  resource: 'clusterroles',
  singular: 'clusterrole',
  shortNames: [],
  categories: [],
  namespaced: false,
  type: 'rbac.authorization.k8s.io/v1.ClusterRole',
  hasStatus: false,
  countsGenerations: false,
  validateName: checkPathSegment,
  validate: validateClusterRole,
  createOnUpdate: true,
  columns: [createdColumn],
}

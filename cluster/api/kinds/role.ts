/** Role: what may be done in its namespace, for bindings to grant. */
import { createdColumn } from '../column.ts'
import type { Kind } from '../kind.ts'
import { checkPathSegment } from '../name.ts'
import { RBAC_GROUP, validateRole } from '../rbac/rbac.ts'

export const roleKind: Kind = {
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'Role',
  resource: 'roles',
  singular: 'role',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'rbac.authorization.k8s.io/v1.Role',
  hasStatus: false,
  countsGenerations: false,
  validateName: checkPathSegment,
  validate: validateRole,
  createOnUpdate: true,
  columns: [createdColumn],
}

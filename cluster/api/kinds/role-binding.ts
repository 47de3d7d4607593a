/** RoleBinding: grants a Role, or a ClusterRole for this namespace alone, to subjects. */
import { ageColumn, column, wideColumn } from '../column.ts'
import type { Kind } from '../kind.ts'
import { checkPathSegment } from '../name.ts'
import {
  defaultBinding,
  RBAC_GROUP,
  roleText,
  subjectNames,
  validateBindingUpdate,
  validateRoleBinding,
} from '../rbac/rbac.ts'

export const roleBindingKind: Kind = {
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'RoleBinding',
  resource: 'rolebindings',
  singular: 'rolebinding',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'rbac.authorization.k8s.io/v1.RoleBinding',
  hasStatus: false,
  countsGenerations: false,
  validateName: checkPathSegment,
  applyDefaults: defaultBinding,
  validate: validateRoleBinding,
  validateUpdate: validateBindingUpdate,
  createOnUpdate: true,
  columns: [
    column('Role', 'The role that is granted.', roleText),
    ageColumn,
    wideColumn('Users', 'Users to whom it is granted.', object => subjectNames(object, 'User')),
    wideColumn('Groups', 'Groups to whom it is granted.', object => subjectNames(object, 'Group')),
    wideColumn('ServiceAccounts', 'Service accounts to whom it is granted.', object =>
      subjectNames(object, 'ServiceAccount'),
    ),
  ],
}

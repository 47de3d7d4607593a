/** ClusterRoleBinding: grants a ClusterRole everywhere to subjects. */
import { ageColumn, column, wideColumn } from '../column.ts'
import type { Kind } from '../kind.ts'
import { checkPathSegment } from '../name.ts'
import {
  defaultBinding,
  RBAC_GROUP,
  roleText,
  subjectNames,
  validateBindingUpdate,
  validateClusterRoleBinding,
} from '../rbac/rbac.ts'

export const clusterRoleBindingKind: Kind = {
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  resource: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  shortNames: [],
  categories: [],
  namespaced: false,
  type: 'rbac.authorization.k8s.io/v1.ClusterRoleBinding',
  hasStatus: false,
  countsGenerations: false,
  validateName: checkPathSegment,
  applyDefaults: defaultBinding,
  validate: validateClusterRoleBinding,
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

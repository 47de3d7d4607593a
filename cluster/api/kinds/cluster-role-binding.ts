/** ClusterRoleBinding: grants a ClusterRole everywhere to subjects. */
import type { Kind } from '../kind.ts'
import { checkPathSegment } from '../name.ts'
import { bindingColumns } from '../rbac/binding-columns.ts'
import { defaultBinding, RBAC_GROUP, validateBindingUpdate, validateClusterRoleBinding } from '../rbac/rbac.ts'

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
  columns: bindingColumns,
}

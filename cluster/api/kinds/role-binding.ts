/** RoleBinding: grants a Role, or a ClusterRole for this namespace alone, to subjects. */
import type { Kind } from '../kind.ts'
import { checkPathSegment } from '../name.ts'
import { bindingColumns } from '../rbac/binding-columns.ts'
import { defaultBinding, RBAC_GROUP, validateBindingUpdate, validateRoleBinding } from '../rbac/rbac.ts'

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
  columns: bindingColumns,
}

/** What is printed of a RoleBinding or a ClusterRoleBinding. */
import { ageColumn, column, wideColumn } from '../column.ts'
import type { Column } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { isObject } from '../own-property.ts'
import type { Binding, RoleRef } from './rbac.ts'

/** What is granted. */
const roleText = (object: ApiObject): string => {
  const { kind = '', name = '' } = isObject(object.roleRef) ? (object.roleRef as Partial<RoleRef>) : {}
  return `${kind}/${name}`
}

/** Names of subjects of a kind. */
const subjectNames = (object: ApiObject, kind: string): string =>
  ((object as Binding).subjects ?? [])
    .filter(subject => subject.kind === kind)
    .map(({ name, namespace }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ')

/** Of both kinds of bindings. */
export const bindingColumns: readonly Column[] = [
  column('Role', 'The role that is granted.', roleText),
  ageColumn,
  wideColumn('Users', 'Users to whom it is granted.', object => subjectNames(object, 'User')),
  wideColumn('Groups', 'Groups to whom it is granted.', object => subjectNames(object, 'Group')),
  wideColumn('ServiceAccounts', 'Service accounts to whom it is granted.', object =>
    subjectNames(object, 'ServiceAccount'),
  ),
]

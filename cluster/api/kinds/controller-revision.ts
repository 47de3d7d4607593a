/** ControllerRevision: a state that a DaemonSet or StatefulSet once had, to go back to. */
import { ageColumn, column, orNone } from '../column.ts'
import { type FieldError, fieldRequired } from '../field-error.ts'
import { validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { notNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'

const validate = ({ data, revision }: ApiObject): FieldError[] => [
  ...(data === undefined || data === null ? [fieldRequired('data', 'data is mandatory')] : []),
  ...notNegative('revision', revision),
]

/** As `deployment.apps/web`. */
const controllerText = ({ metadata: { ownerReferences = [] } }: ApiObject): string => {
  const owner = ownerReferences.find(({ controller }) => controller === true)
  if (!owner) return orNone(undefined)
  const [group] = owner.apiVersion?.includes('/') ? owner.apiVersion.split('/') : ['']
  return `${(owner.kind ?? '').toLowerCase()}${group ? `.${group}` : ''}/${owner.name}`
}

export const controllerRevisionKind: Kind = {
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  resource: 'controllerrevisions',
  singular: 'controllerrevision',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'apps/v1.ControllerRevision',
  hasStatus: false,
  countsGenerations: false,
  validate,
  validateUpdate: (next, current) => validateImmutable('data', next.data, current.data),
  columns: [
    column('Controller', 'Whose state it is.', controllerText),
    column('Revision', 'Which of its states.', ({ revision }) => (revision as number | undefined) ?? 0),
    ageColumn,
  ],
}

/** PodDisruptionBudget: how many of some Pods may be taken away at once. */
import { ageColumn, column, integerColumn } from '../column.ts'
import { type FieldError, fieldInvalid } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import { type LabelSelector, validateLabelSelector } from '../label-selector.ts'
import { checkPathSegment } from '../name.ts'
import { type IntOrString, noneNegative, notOverAll, validateNumberOrPercent } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'

interface BudgetSpec {
  minAvailable?: IntOrString
  maxUnavailable?: IntOrString
  selector?: LabelSelector
}

const specOf = ({ spec }: ApiObject): BudgetSpec => (spec ?? {}) as BudgetSpec

const validate = (object: ApiObject): FieldError[] => {
  const spec = specOf(object)
  const { minAvailable, maxUnavailable, selector } = spec
  const errors: FieldError[] = []
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.push(fieldInvalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'))
  for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
    if (value === undefined) continue
    errors.push(...validateNumberOrPercent(`spec.${name}`, value), ...notOverAll(`spec.${name}`, value))
  }
  return selector ? [...errors, ...validateLabelSelector(selector, 'spec.selector')] : errors
}

const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods']

const asText = (value: IntOrString | undefined): string => (value === undefined ? 'N/A' : String(value))

export const podDisruptionBudgetKind: Kind = {
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  resource: 'poddisruptionbudgets',
  singular: 'poddisruptionbudget',
  shortNames: ['pdb'],
  categories: [],
  namespaced: true,
  type: 'policy/v1.PodDisruptionBudget',
  hasStatus: true,
  countsGenerations: true,
  takesAnyFinalizer: true,
  // Kubernetes looks at no more of a budget's name than at that of a role.
  validateName: checkPathSegment,
  unconditionalUpdate: false,
  prepareForCreate(object) {
    object.status = {}
  },
  validate,
  validateStatusUpdate: next => noneNegative((next.status ?? {}) as object, 'status', COUNTS),
  columns: [
    column('Min Available', 'Pods that must stay.', object => asText(specOf(object).minAvailable)),
    column('Max Unavailable', 'Pods that may be away.', object => asText(specOf(object).maxUnavailable)),
    integerColumn('Allowed Disruptions', 'Pods that may be taken away now.', object => {
      return ((object.status ?? {}) as { disruptionsAllowed?: number }).disruptionsAllowed ?? 0
    }),
    ageColumn,
  ],
}

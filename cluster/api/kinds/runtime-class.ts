/** RuntimeClass: how a node runs the containers of Pods that name it. */
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldInvalid } from '../field-error.ts'
import { validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { validateLabelMap } from '../label-selector.ts'
import { checkDnsLabel } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { validateResources } from '../pod/container-validation.ts'

interface RuntimeClass extends ApiObject {
  handler?: string
  overhead?: { podFixed?: Record<string, string> }
  scheduling?: { nodeSelector?: Record<string, string> }
}

const as = (object: ApiObject): RuntimeClass => object as RuntimeClass

const validate = (object: ApiObject): FieldError[] => {
  const { handler = '', overhead, scheduling } = as(object)
  const overheads = validateResources({ requests: overhead?.podFixed ?? {} }, 'overhead')
  return [
    ...checkDnsLabel(handler).map(text => fieldInvalid('handler', handler, text)),
    ...overheads.map(error => ({ ...error, field: error.field.replace('overhead.requests', 'overhead.podFixed') })),
    ...validateLabelMap(scheduling?.nodeSelector ?? {}, 'scheduling.nodeSelector'),
  ]
}

export const runtimeClassKind: Kind = {
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  resource: 'runtimeclasses',
  singular: 'runtimeclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  type: 'node.k8s.io/v1.RuntimeClass',
  hasStatus: false,
  countsGenerations: false,
  takesAnyFinalizer: true,
  unconditionalUpdate: false,
  validate,
  validateUpdate: (next, current) => validateImmutable('handler', as(next).handler, as(current).handler),
  columns: [column('Handler', 'How the node calls it.', object => as(object).handler ?? ''), ageColumn],
}

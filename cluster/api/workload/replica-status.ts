/** What controllers may say of a workload: no more Pods are ready, available … than there are. */
import { type FieldError, fieldInvalid } from '../field-error.ts'
import { noneNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'

/** `counts`: of those Pods that there are. `more`: further numbers below which nothing goes. */
export const validateReplicaCounts = (
  object: ApiObject,
  counts: readonly string[],
  more: readonly string[],
): FieldError[] => {
  const status = (object.status ?? {}) as Record<string, number | undefined>
  const errors = noneNegative(status, 'status', ['replicas', ...counts, ...more])
  for (const name of counts) {
    const count = status[name] ?? 0
    if (count > (status.replicas ?? 0))
      errors.push(fieldInvalid(`status.${name}`, count, 'cannot be greater than status.replicas'))
  }
  if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0)) {
    const detail = 'cannot be greater than readyReplicas'
    errors.push(fieldInvalid('status.availableReplicas', status.availableReplicas, detail))
  }
  return errors
}

const COUNTS = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']

/** Of a ReplicaSet or ReplicationController. */
export const validateReplicaStatus = (object: ApiObject): FieldError[] =>
  validateReplicaCounts(object, COUNTS, ['observedGeneration'])

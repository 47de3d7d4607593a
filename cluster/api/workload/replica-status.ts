/** What a ReplicaSet's or ReplicationController's controller may say of it. */
import { type FieldError, fieldInvalid } from '../field-error.ts'
import { noneNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'

const COUNTS = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']

export const validateReplicaStatus = (object: ApiObject): FieldError[] => {
  const status = (object.status ?? {}) as Record<string, number | undefined>
  const errors = noneNegative(status, 'status', ['replicas', ...COUNTS, 'observedGeneration'])
  for (const name of COUNTS) {
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

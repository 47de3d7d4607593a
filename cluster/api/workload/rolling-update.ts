/** How many more, or fewer, than wanted there may be while a workload is being changed. */
import { type FieldError, fieldInvalid } from '../field-error.ts'
import { type IntOrString, isZero, notOverAll, validateNumberOrPercent } from '../number-rules.ts'

export interface RollingUpdate {
  maxUnavailable?: IntOrString
  maxSurge?: IntOrString
}

/** What a workload says where one of the two must not be zero, or must. */
export const validateRollingUpdate = (
  { maxUnavailable = 0, maxSurge = 0 }: RollingUpdate,
  at: string,
  kind: 'Deployment' | 'DaemonSet',
): FieldError[] => {
  const [down, up] = [`${at}.maxUnavailable`, `${at}.maxSurge`]
  const errors = [
    ...validateNumberOrPercent(down, maxUnavailable),
    ...validateNumberOrPercent(up, maxSurge),
    ...notOverAll(down, maxUnavailable),
    ...(kind === 'DaemonSet' ? notOverAll(up, maxSurge) : []),
  ]
  if (kind === 'Deployment') {
    if (isZero(maxUnavailable) && isZero(maxSurge))
      errors.push(fieldInvalid(down, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
    return errors
  }
  if (isZero(maxUnavailable) && isZero(maxSurge))
    errors.push(fieldInvalid(down, maxUnavailable, 'cannot be 0 when maxSurge is 0'))
  if (!isZero(maxUnavailable) && !isZero(maxSurge))
    errors.push(fieldInvalid(up, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  return errors
}

/** The tokens of Pods that a CSI driver wants: for which audience, and how long. */
import { type FieldError, fieldDuplicate, fieldInvalid } from '../field-error.ts'

export interface VolumeTokenRequest {
  audience?: string
  expirationSeconds?: number
}

const MIN_SECONDS = 600
const MAX_SECONDS = 2 ** 32

export const validateTokenRequests = (requests: readonly VolumeTokenRequest[], at: string): FieldError[] => {
  const audiences = new Set<string>()
  return requests.flatMap(({ audience = '', expirationSeconds: seconds }, index) => {
    const errors = audiences.has(audience) ? [fieldDuplicate(`${at}[${index}].audience`, audience)] : []
    audiences.add(audience)
    const field = `${at}[${index}].expirationSeconds`
    if (seconds !== undefined && seconds < MIN_SECONDS)
      errors.push(fieldInvalid(field, seconds, 'may not specify a duration less than 10 minutes'))
    if (seconds !== undefined && seconds > MAX_SECONDS)
      errors.push(fieldInvalid(field, seconds, 'may not specify a duration larger than 2^32 seconds'))
    return errors
  })
}

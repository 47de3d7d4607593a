/** What classes of storage tell those who make it. */
import { type FieldError, fieldInvalid, fieldTooLong } from '../field-error.ts'

const MAX_PARAMETERS = 512
const MAX_BYTES = 256 * 1024

export const validateParameters = (parameters: Readonly<Record<string, string>>): FieldError[] => {
  const entries = Object.entries(parameters)
  const errors: FieldError[] = []
  if (entries.length > MAX_PARAMETERS) errors.push(fieldTooLong('parameters', MAX_PARAMETERS))
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)
  if (bytes > MAX_BYTES) errors.push(fieldTooLong('parameters', MAX_BYTES))
  if (entries.some(([key]) => key === '')) errors.push(fieldInvalid('parameters', '', 'field can not be empty.'))
  return errors
}

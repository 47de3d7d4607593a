/** The name of who writes (fieldManager), as requests and metadata.managedFields may have it. */
import { type FieldError, fieldInvalid, fieldTooLong } from './field-error.ts'

/** Bytes. */
export const MAX_FIELD_MANAGER = 128
/** What Go calls not printable: control characters, and white space but for the blank. */
export const HIDDEN_CHARACTER = /\p{C}|\p{Zl}|\p{Zp}|(?! )\p{Zs}/u

/** What nearly all programs are called; the rest is looked at letter by letter. */
const PRINTABLE_ASCII = /^[ -~]*$/

/** `field`: where the name stands. */
export const checkFieldManager = (field: string, name: string): FieldError[] => {
  if (name.length <= MAX_FIELD_MANAGER && PRINTABLE_ASCII.test(name)) return []
  if (Buffer.byteLength(name) > MAX_FIELD_MANAGER) return [fieldTooLong(field, MAX_FIELD_MANAGER)]
  const hidden = HIDDEN_CHARACTER.exec(name)
  if (!hidden) return []
  const code = hidden[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
  const position = Buffer.byteLength(name.slice(0, hidden.index))
  return [fieldInvalid(field, name, `invalid character U+${code} (at position ${position})`)]
}

/** CEL of webhooks and policies: conditions under which they are asked. */
import { type FieldError, fieldDuplicate, fieldInvalid, fieldRequired, fieldTooMany } from '../field-error.ts'
import { checkQualifiedName } from '../name.ts'

export interface MatchCondition {
  name?: string
  expression?: string
}

const MAX_CONDITIONS = 64

export const validateConditions = (conditions: readonly MatchCondition[], field: string): FieldError[] => [
  ...(conditions.length > MAX_CONDITIONS ? [fieldTooMany(field, conditions.length, MAX_CONDITIONS)] : []),
  ...conditions.flatMap(({ name = '', expression = '' }, index) => {
    const at = `${field}[${index}]`
    const again = name !== '' && conditions.findIndex(other => other.name === name) < index
    return [
      ...(expression.trim() === '' ? [fieldRequired(`${at}.expression`)] : []),
      ...(name === ''
        ? [fieldRequired(`${at}.name`)]
        : checkQualifiedName(name).map(text => fieldInvalid(`${at}.name`, name, text))),
      ...(again ? [fieldDuplicate(`${at}.name`, name)] : []),
    ]
  }),
]

/** When a Pod's end decides about its Job (KEP-3329): rules by exit code or by condition. */
import {
  complain,
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldInvalidPart,
  fieldNotSupported,
  fieldRequired,
  fieldTooMany,
} from '../field-error.ts'
import { checkQualifiedName } from '../name.ts'

interface OnExitCodes {
  containerName?: string
  operator?: string
  values?: number[]
}

interface OnPodCondition {
  type?: string
  status?: string
}

interface FailureRule {
  action?: string
  onExitCodes?: OnExitCodes
  onPodConditions?: OnPodCondition[]
}

export interface PodFailurePolicy {
  rules?: FailureRule[]
}

/** What of the Job its rules refer to. */
export interface FailureContext {
  /** Whether each index has a limit of its own. */
  readonly perIndex: boolean
  /** Of containers and init containers. */
  readonly containers: ReadonlySet<string>
}

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const OPERATORS = ['In', 'NotIn']
const STATUSES = ['False', 'True', 'Unknown']
const MAX_RULES = 20
const MAX_PATTERNS = 20
const MAX_VALUES = 255

const choose = (field: string, value: string, values: readonly string[]): FieldError[] => {
  if (value === '') return [fieldRequired(field, `valid values: [${values.map(each => `"${each}"`).join(' ')}]`)]
  return values.includes(value) ? [] : [fieldNotSupported(field, value, values)]
}

const validateValues = ({ operator, values = [] }: OnExitCodes, at: string): FieldError[] => {
  const errors: FieldError[] = []
  if (values.length === 0) errors.push(fieldInvalid(at, values, 'at least one value is required'))
  if (values.length > MAX_VALUES) errors.push(fieldTooMany(at, values.length, MAX_VALUES))
  const seen = new Set<number>()
  for (const [index, value] of values.entries()) {
    const field = `${at}[${index}]`
    if (operator === 'In' && value === 0) errors.push(fieldInvalid(field, value, 'must not be 0 for the In operator'))
    if (seen.has(value)) errors.push(fieldDuplicate(field, value))
    seen.add(value)
  }
  const ordered = values.every((value, index) => index === 0 || values[index - 1]! <= value)
  return ordered ? errors : [...errors, fieldInvalid(at, values, 'must be ordered')]
}

const validateExitCodes = (codes: OnExitCodes, at: string, { containers }: FailureContext): FieldError[] => {
  const { containerName: name, operator = '' } = codes
  const errors = choose(`${at}.operator`, operator, OPERATORS)
  if (name !== undefined && !containers.has(name)) {
    const detail = 'must be one of the container or initContainer names in the pod template'
    errors.push(fieldInvalid(`${at}.containerName`, name, detail))
  }
  return [...errors, ...validateValues(codes, `${at}.values`)]
}

const validateConditions = (patterns: readonly OnPodCondition[], at: string): FieldError[] => [
  ...(patterns.length > MAX_PATTERNS ? [fieldTooMany(at, patterns.length, MAX_PATTERNS)] : []),
  ...patterns.flatMap(({ type = '', status = '' }, index) => [
    ...complain(`${at}[${index}].type`, type, checkQualifiedName(type)),
    ...choose(`${at}[${index}].status`, status, STATUSES),
  ]),
]

const validateRule = (rule: FailureRule, at: string, context: FailureContext): FieldError[] => {
  const { action = '', onExitCodes, onPodConditions = [] } = rule
  const byCondition = onPodConditions.length > 0
  const errors = choose(`${at}.action`, action, ACTIONS)
  if (action === 'FailIndex' && !context.perIndex)
    errors.push(fieldInvalid(`${at}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  if (onExitCodes) errors.push(...validateExitCodes(onExitCodes, `${at}.onExitCodes`, context))
  if (byCondition) errors.push(...validateConditions(onPodConditions, `${at}.onPodConditions`))
  if (onExitCodes && byCondition)
    errors.push(fieldInvalidPart(at, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  if (!onExitCodes && !byCondition)
    errors.push(fieldInvalidPart(at, 'specifying one of OnExitCodes and OnPodConditions is required'))
  return errors
}

export const validateFailurePolicy = (
  { rules = [] }: PodFailurePolicy,
  at: string,
  context: FailureContext,
): FieldError[] => [
  ...(rules.length > MAX_RULES ? [fieldTooMany(`${at}.rules`, rules.length, MAX_RULES)] : []),
  ...rules.flatMap((rule, index) => validateRule(rule, `${at}.rules[${index}]`, context)),
]

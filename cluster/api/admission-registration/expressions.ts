/**
 * CEL of webhooks and policies: what their expressions may name, and conditions under which they are asked. Objects are of
 * no type (`dyn`): a policy may be about many kinds.
 */

import { accepted, type Result, refused } from '#lib/result.ts'
import { compile, FOLDING, type Program } from '../cel/compile.ts'
import { AUTHORIZER, AUTHORIZER_LIBRARY } from '../cel/library/authorizer.ts'
import { BOOL, type CelType, DYN, listOf, mapOf, STRING } from '../cel/type.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldInternal,
  fieldInvalid,
  fieldRequired,
  fieldTooMany,
} from '../field-error.ts'
import { checkQualifiedName } from '../name.ts'

export interface MatchCondition {
  name?: string
  expression?: string
}

/** What an expression may name besides the object, what it was, and the request. */
export interface Declared {
  readonly params?: boolean
  readonly authorizer?: boolean
  readonly namespace?: boolean
  /** Types of a policy's variables, by name. */
  readonly variables?: ReadonlyMap<string, CelType>
  /** Of what is otherwise of none. */
  readonly types?: ObjectTypes
}

export interface ObjectTypes {
  readonly object?: CelType
  readonly params?: CelType
}

const objectType = (name: string, fields: Readonly<Record<string, CelType>>): CelType => ({
  form: 'object',
  name,
  field: property => (Object.hasOwn(fields, property) ? { property, type: fields[property]! } : undefined),
})

const KIND = objectType('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const RESOURCE = objectType('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER = objectType('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
})

/** `request`: an AdmissionRequest but for its objects. */
export const REQUEST = objectType('kubernetes.AdmissionRequest', {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER,
  dryRun: BOOL,
  options: DYN,
})

const variablesType = (variables: ReadonlyMap<string, CelType>): CelType =>
  objectType('kubernetes.variables', Object.fromEntries(variables))

const typesOf = ({ params, authorizer, namespace, variables, types }: Declared): Record<string, CelType> => ({
  object: types?.object ?? DYN,
  oldObject: types?.object ?? DYN,
  request: REQUEST,
  ...(params ? { params: types?.params ?? DYN } : {}),
  ...(authorizer ? { authorizer: AUTHORIZER } : {}),
  ...(namespace ? { namespaceObject: DYN } : {}),
  ...(variables ? { variables: variablesType(variables) } : {}),
})

/** Refused: what is wrong with it, as Kubernetes words it. `result`: what it must give; absent: anything. */
export const compileExpression = (
  expression: string,
  declared: Declared,
  result?: readonly CelType[],
): Result<Program, string> => {
  const functions = declared.authorizer ? { functions: AUTHORIZER_LIBRARY } : {}
  const compiled = compile(expression, typesOf(declared), { ...functions, ...(result ? { result } : {}) })
  if (compiled.ok) return accepted(compiled.value)
  const isWhole = ['must evaluate to', FOLDING].some(start => compiled.problem.startsWith(start))
  return refused(isWhole ? compiled.problem : `compilation failed: ${compiled.problem}`)
}

/** `problem`: of `compileExpression`. A constant that cannot be worked out is Kubernetes's own failure to it. */
export const expressionError = (field: string, expression: string, problem: string): FieldError =>
  problem.startsWith(FOLDING) ? fieldInternal(field, problem) : fieldInvalid(field, expression, problem)

const MAX_CONDITIONS = 64

const validateExpression = (expression: string, field: string, declared: Declared): FieldError[] => {
  const trimmed = expression.trim()
  if (trimmed === '') return [fieldRequired(field)]
  const compiled = compileExpression(trimmed, declared, [BOOL])
  return compiled.ok ? [] : [expressionError(field, trimmed, compiled.problem)]
}

export const validateConditions = (
  conditions: readonly MatchCondition[],
  field: string,
  declared: Declared,
): FieldError[] => [
  ...(conditions.length > MAX_CONDITIONS ? [fieldTooMany(field, conditions.length, MAX_CONDITIONS)] : []),
  ...conditions.flatMap(({ name = '', expression = '' }, index) => {
    const at = `${field}[${index}]`
    const again = name !== '' && conditions.findIndex(other => other.name === name) < index
    return [
      ...validateExpression(expression, `${at}.expression`, declared),
      ...(name === ''
        ? [fieldRequired(`${at}.name`)]
        : checkQualifiedName(name).map(text => fieldInvalid(`${at}.name`, name, text))),
      ...(again ? [fieldDuplicate(`${at}.name`, name)] : []),
    ]
  }),
]

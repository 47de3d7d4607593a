/** The expressions of a policy, compiled; each variable may be named by what comes after it. */
import type { Program } from '../cel/compile.ts'
import { BOOL, type CelType, STRING } from '../cel/type.ts'
import type { FieldError } from '../field-error.ts'
import { compileExpression, type Declared, expressionError, type ObjectTypes } from './expressions.ts'
import type { PolicySpec, Validation } from './policy-spec.ts'

export interface CompiledPolicy {
  readonly conditions: readonly { readonly name: string; readonly expression: string; readonly program: Program }[]
  readonly variables: readonly { readonly name: string; readonly program: Program }[]
  readonly validations: readonly {
    readonly validation: Validation
    readonly program: Program
    /** Absent: the message is said, or made of the expression. */
    readonly message: Program | undefined
  }[]
  readonly annotations: readonly { readonly key: string; readonly expression: string; readonly program: Program }[]
}

class PolicyCompiler {
  readonly errors: FieldError[] = []
  readonly #spec: PolicySpec
  readonly #types = new Map<string, CelType>()
  readonly #objects: ObjectTypes

  constructor(spec: PolicySpec, objects: ObjectTypes) {
    this.#spec = spec
    this.#objects = objects
  }

  compile(): CompiledPolicy {
    const { matchConditions = [], variables = [], validations = [], auditAnnotations = [] } = this.#spec
    const conditions = matchConditions.flatMap(({ name = '', expression = '' }, index) => {
      const declared = { params: this.#params, authorizer: true, types: this.#objects }
      const program = this.#add(expression.trim(), `spec.matchConditions[${index}].expression`, declared, [BOOL])
      return program ? [{ name, expression, program }] : []
    })
    const named = variables.flatMap(({ name = '', expression = '' }, index) => {
      const program = this.#add(expression, `spec.variables[${index}].expression`, this.#declared)
      if (!program) return []
      this.#types.set(name, program.type)
      return [{ name, program }]
    })
    return {
      conditions,
      variables: named,
      validations: validations.flatMap((validation, index) =>
        this.#validation(validation, `spec.validations[${index}]`),
      ),
      annotations: auditAnnotations.flatMap(({ key = '', valueExpression = '' }, index) => {
        const at = `spec.auditAnnotations[${index}].valueExpression`
        const program = this.#add(valueExpression.trim(), at, this.#declared, [STRING])
        return program ? [{ key, expression: valueExpression, program }] : []
      }),
    }
  }

  get #params(): boolean {
    return this.#spec.paramKind !== undefined
  }

  get #declared(): Declared {
    const variables = new Map(this.#types)
    return { params: this.#params, authorizer: true, namespace: true, variables, types: this.#objects }
  }

  #validation(validation: Validation, at: string): CompiledPolicy['validations'] {
    const { expression = '', messageExpression = '' } = validation
    const program = this.#add(expression, `${at}.expression`, this.#declared, [BOOL])
    const declared = { ...this.#declared, authorizer: false }
    const message =
      messageExpression.trim() === ''
        ? undefined
        : this.#add(messageExpression, `${at}.messageExpression`, declared, [STRING])
    return program ? [{ validation, program, message }] : []
  }

  /** Undefined: it is empty, or wrong, which is told. */
  #add(expression: string, field: string, declared: Declared, result?: readonly CelType[]): Program | undefined {
    if (expression.trim() === '') return undefined
    const compiled = compileExpression(expression, declared, result)
    if (compiled.ok) return compiled.value
    this.errors.push(expressionError(field, expression, compiled.problem))
    return undefined
  }
}

/** `errors`: none for a policy that may be stored. `objects`: the types of what else is of none. */
export const compilePolicy = (
  spec: PolicySpec,
  objects: ObjectTypes = {},
): { readonly policy: CompiledPolicy; readonly errors: FieldError[] } => {
  const compiler = new PolicyCompiler(spec, objects)
  const policy = compiler.compile()
  return { policy, errors: compiler.errors }
}

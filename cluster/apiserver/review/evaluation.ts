/**
 * CEL expressions run on one request: its values are made when an expression asks for them, and who may do what is asked
 * of the authorizers, which may take time: the expression is run again once they have answered.
 */
import { REQUEST } from '#cluster/api/admission-registration/expressions.ts'
import { CALL_LIMIT, type Evaluation, type Program } from '#cluster/api/cel/compile.ts'
import type { Lazy } from '#cluster/api/cel/frame.ts'
import { fromJson } from '#cluster/api/cel/json.ts'
import {
  type AccessAnswer,
  type AccessQuestion,
  type AskAccess,
  AuthorizerValue,
} from '#cluster/api/cel/library/authorizer.ts'
import { DYN } from '#cluster/api/cel/type.ts'
import { CelError, type CelValue, Dictionary } from '#cluster/api/cel/value.ts'
import type { AdmissionRequest } from '../admission.ts'
import { serviceAccountGroups, serviceAccountUser, type User } from '../authenticator.ts'
import type { Attributes, Decision } from '../authorizer.ts'
import { requestJson } from './admission-review.ts'
import { type JsonObject, namespaceOf, type Reviewed } from './reviewed.ts'

export type Values = Readonly<Record<string, CelValue | Lazy>>

/** Questions that one request's expressions may ask, each once. */
const MAX_QUESTIONS = 100

/** An answer is not there yet. Nothing of CEL catches it. */
class Pending extends Error {
  readonly question: AccessQuestion

  constructor(question: AccessQuestion) {
    super('an authorizer is asked')
    this.question = question
  }
}

const userOf = (user: User, { serviceAccount }: AccessQuestion): User =>
  serviceAccount
    ? {
        name: serviceAccountUser(serviceAccount.namespace, serviceAccount.name),
        groups: [...serviceAccountGroups(serviceAccount.namespace), 'system:authenticated'],
      }
    : user

const attributesOf = (user: User, question: AccessQuestion): Attributes => {
  const { verb, path, group = '', resource, subresource = '', namespace = '', name = '' } = question
  const asks = userOf(user, question)
  if (resource === undefined) return { user: asks, verb, path: path ?? '' }
  const asked = { group, version: '*', resource, subresource, namespace, name }
  return { user: asks, verb, path: '', resource: asked }
}

/** Of a policy: each is run when it is first asked for. */
class Variables extends Dictionary {
  readonly #run: (name: string) => CelValue | undefined
  readonly #names: readonly string[]

  constructor(names: readonly string[], run: (name: string) => CelValue | undefined) {
    super()
    this.#names = names
    this.#run = run
  }

  get(key: CelValue): CelValue | undefined {
    return typeof key === 'string' && this.#names.includes(key) ? this.#run(key) : undefined
  }

  keys(): readonly CelValue[] {
    return this.#names
  }

  get size(): number {
    return this.#names.length
  }
}

export interface Subject {
  readonly request: AdmissionRequest
  readonly reviewed: Reviewed
  readonly original: Reviewed
  readonly decide: (attributes: Attributes) => Promise<Decision>
}

/** All expressions of one webhook or policy on one request, under one budget. */
export class Evaluator {
  readonly #subject: Subject
  readonly #answers = new Map<string, AccessAnswer>()
  readonly values: Values
  #budget: number

  /** `budget`: in cel-go's unit, for all together. */
  constructor(subject: Subject, budget: number, more: Values = {}) {
    const { request, reviewed, original } = subject
    this.#subject = subject
    this.#budget = budget
    this.values = {
      object: once(() => fromJson(reviewed.object, DYN)),
      oldObject: once(() => fromJson(reviewed.oldObject, DYN)),
      request: once(() => fromJson(requestJson(request, reviewed, original), REQUEST)),
      authorizer: once(() => this.#authorizer()),
      ...more,
    }
  }

  /** The same on the same request, with its variables and what it is told besides. */
  withVariables(variables: readonly { readonly name: string; readonly program: Program }[], more: Values): Values {
    const made = new Map<string, CelValue>()
    const values: Record<string, CelValue | Lazy> = { ...this.values, ...more }
    values.variables = new Variables(
      variables.map(({ name }) => name),
      name => {
        const known = made.get(name)
        if (known !== undefined) return known
        const { program } = variables.find(variable => variable.name === name)!
        const { outcome } = this.#charged(program.evaluate(values, this.#limit))
        if (!outcome.ok) throw new CelError(outcome.problem)
        made.set(name, outcome.value)
        return outcome.value
      },
    )
    return values
  }

  async run(program: Program, values: Values = this.values): Promise<Evaluation> {
    for (;;) {
      try {
        return this.#charged(program.evaluate(values, this.#limit))
      } catch (error) {
        if (!(error instanceof Pending)) throw error
        await this.#answer(error.question)
      }
    }
  }

  get #limit(): number {
    return Math.max(0, Math.min(this.#budget, CALL_LIMIT))
  }

  #charged(evaluation: Evaluation): Evaluation {
    this.#budget -= evaluation.cost
    return evaluation
  }

  #authorizer(): AuthorizerValue {
    const { request, original } = this.#subject
    const ask: AskAccess = question => {
      const known = this.#answers.get(JSON.stringify(question))
      if (known) return known
      if (this.#answers.size >= MAX_QUESTIONS) throw new CelError('too many questions to the authorizer')
      throw new Pending(question)
    }
    const { group, resource } = original.resource
    const { subresource, name } = request
    return new AuthorizerValue(ask, { group, resource, subresource, namespace: namespaceOf(request), name })
  }

  async #answer(question: AccessQuestion): Promise<void> {
    const { decide, request } = this.#subject
    const { decision, reason } = await decide(attributesOf(request.user, question))
    this.#answers.set(JSON.stringify(question), { allowed: decision === 'allow', reason })
  }
}

const once = (make: () => CelValue): Lazy => {
  let made: CelValue | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** As CEL sees it. */
export const jsonValue = (json: JsonObject | null): CelValue => fromJson(json, DYN)

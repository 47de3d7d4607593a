/**
 * The authorizer of admission's expressions (Kubernetes: `authorizer.group('').resource('pods').check('create').allowed()`).
 * Who decides is passed in with the value.
 */
import { type CelFunction, method } from '../function.ts'
import { BOOL, type CelType, foreign, STRING } from '../type.ts'
import { type CelValue, Dictionary, Foreign } from '../value.ts'

export interface AccessQuestion {
  readonly verb: string
  /** Of what is no resource. */
  readonly path?: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly fieldSelector?: string
  readonly labelSelector?: string
  /** Who asks, instead of the request's user. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string }
}

export interface AccessAnswer {
  readonly allowed: boolean
  readonly reason: string
  /** Why nobody could say. */
  readonly error?: string
}

export type AskAccess = (question: AccessQuestion) => AccessAnswer

const NAMES = 'kubernetes.authorization.'
const GROUP_CHECK = foreign(`${NAMES}GroupCheck`)
const RESOURCE_CHECK = foreign(`${NAMES}ResourceCheck`)
const PATH_CHECK = foreign(`${NAMES}PathCheck`)
const DECISION = foreign(`${NAMES}Decision`)

export const AUTHORIZER: CelType = {
  form: 'object',
  name: `${NAMES}Authorizer`,
  field: name => (name === 'requestResource' ? { property: name, type: RESOURCE_CHECK } : undefined),
}

class Check extends Foreign {
  readonly typeName: string
  readonly ask: AskAccess
  readonly question: Partial<AccessQuestion>

  constructor(type: CelType & { form: 'foreign' }, ask: AskAccess, question: Partial<AccessQuestion>) {
    super()
    this.typeName = type.name
    this.ask = ask
    this.question = question
  }

  equals(other: Foreign): boolean {
    return this === other
  }
}

class DecisionValue extends Foreign {
  readonly typeName = `${NAMES}Decision`
  readonly answer: AccessAnswer

  constructor(answer: AccessAnswer) {
    super()
    this.answer = answer
  }

  equals(other: Foreign): boolean {
    return this === other
  }
}

/** `requestResource`: what the request itself is about. */
export class AuthorizerValue extends Dictionary {
  readonly ask: AskAccess
  readonly #requestResource: Partial<AccessQuestion>
  readonly who: Pick<AccessQuestion, 'serviceAccount'>

  constructor(
    ask: AskAccess,
    requestResource: Partial<AccessQuestion>,
    who: Pick<AccessQuestion, 'serviceAccount'> = {},
  ) {
    super()
    this.ask = ask
    this.#requestResource = requestResource
    this.who = who
  }

  as(serviceAccount: NonNullable<AccessQuestion['serviceAccount']>): AuthorizerValue {
    return new AuthorizerValue(this.ask, this.#requestResource, { serviceAccount })
  }

  get(key: CelValue): CelValue | undefined {
    if (key !== 'requestResource') return undefined
    return new Check(RESOURCE_CHECK as Named, this.ask, { ...this.#requestResource, ...this.who })
  }

  keys(): readonly CelValue[] {
    return ['requestResource']
  }

  get size(): number {
    return 1
  }
}

type Named = CelType & { form: 'foreign' }

/** cel-go's unit, as Kubernetes charges it. */
const CHECK_COST = 350_000

const begin = (name: string, type: CelType, key: 'path' | 'group'): CelFunction =>
  method(name, [AUTHORIZER, STRING], type, ([authorizer, value]) => {
    const { ask, who } = authorizer as AuthorizerValue
    return new Check(type as Named, ask, { ...who, [key]: value as string })
  })

const refine = (name: keyof AccessQuestion, receiver: CelType): CelFunction =>
  method(name, [receiver, STRING], RESOURCE_CHECK, ([check, value]) => {
    const { ask, question } = check as Check
    return new Check(RESOURCE_CHECK as Named, ask, { ...question, [name]: value as string })
  })

const check = (receiver: CelType): CelFunction =>
  method(
    'check',
    [receiver, STRING],
    DECISION,
    ([value, verb]) => {
      const { ask, question } = value as Check
      return new DecisionValue(ask({ ...question, verb: verb as string }))
    },
    { run: () => CHECK_COST },
  )

const tell = (name: string, type: CelType, of: (answer: AccessAnswer) => CelValue): CelFunction =>
  method(name, [DECISION], type, ([decision]) => of((decision as DecisionValue).answer))

export const AUTHORIZER_LIBRARY: readonly CelFunction[] = [
  begin('path', PATH_CHECK, 'path'),
  begin('group', GROUP_CHECK, 'group'),
  method('serviceAccount', [AUTHORIZER, STRING, STRING], AUTHORIZER, ([authorizer, namespace, name]) =>
    (authorizer as AuthorizerValue).as({ namespace: namespace as string, name: name as string }),
  ),
  refine('resource', GROUP_CHECK),
  refine('subresource', RESOURCE_CHECK),
  refine('namespace', RESOURCE_CHECK),
  refine('name', RESOURCE_CHECK),
  refine('fieldSelector', RESOURCE_CHECK),
  refine('labelSelector', RESOURCE_CHECK),
  check(RESOURCE_CHECK),
  check(PATH_CHECK),
  tell('allowed', BOOL, ({ allowed }) => allowed),
  tell('reason', STRING, ({ reason }) => reason),
  tell('errored', BOOL, ({ error }) => error !== undefined),
  tell('error', STRING, ({ error = '' }) => error),
]

/** What a function of expressions is, and what a call of one must look like. */
import { spend, spendLength } from './budget.ts'
import { ExpressionError, type Place } from './expression-error.ts'
import { type Subject, type Type, type Typed, wrongType } from './typed.ts'

/** What the parameters of that name are; undefined: it is for the function to say. */
const parameterTypes = {
  TEXT: 'string',
  PART: 'string',
  OLD: 'string',
  NEW: 'string',
  KEY: 'string',
  IP: 'string',
  CIDR: 'string',
  NUMBER: 'number',
  TIMES: 'number',
  BITS: 'number',
  LIST: 'list',
  VALUE: undefined,
} as const satisfies Record<string, Type | undefined>
export type Parameter = keyof typeof parameterTypes

export interface ExpressionFunction {
  readonly parameters: readonly Parameter[]
  /** How many of the last may be left out. Default 0. */
  readonly optional?: number
  /** Throws an `ExpressionError` for what cannot be right. Values are of the parameters' types. */
  readonly make: (place: Place, values: readonly Typed[]) => Typed
}

export type Functions = ReadonlyMap<string, ExpressionFunction>

export const callFunction = (called: ExpressionFunction, place: Place, values: readonly Typed[]): Typed => {
  const { parameters, optional = 0, make } = called
  if (values.length > parameters.length || values.length < parameters.length - optional)
    throw new ExpressionError(place, `is written ${place.text}(${signatureOf(called)})`)
  for (const [index, value] of values.entries()) {
    const wanted = parameterTypes[parameters[index]!]
    if (wanted && value.type !== wanted) throw wrongType(value, place.text, wanted)
  }
  return spending(make(place, values.map(spending)))
}

/** The same, whose length is spent each time. */
const spending = (typed: Typed): Typed => {
  if (typed.type === 'string') return { ...typed, of: subject => spendLength(typed.of(subject)) }
  if (typed.type === 'list') return { ...typed, of: subject => spendLength(typed.of(subject)) }
  if (typed.type === 'number') return { ...typed, of: counted(typed.of) }
  return { ...typed, of: counted(typed.of) }
}

const counted =
  <Value>(of: (subject: Subject) => Value) =>
  (subject: Subject): Value => {
    spend(1)
    return of(subject)
  }

const signatureOf = ({ parameters, optional = 0 }: ExpressionFunction): string => {
  const needed = parameters.slice(0, parameters.length - optional).join(', ')
  return parameters.slice(parameters.length - optional).reduce<string>((text, name) => `${text}[, ${name}]`, needed)
}

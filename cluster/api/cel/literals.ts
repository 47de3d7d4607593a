/** What is written out: its type, and whether it may be an argument where it stands, as cel-go's validators have it. */
import type { ASTNode } from '@marcbachmann/cel-js'
import type { Checked } from './checked.ts'
import { compilePattern } from './library/regex.ts'
import { durationOfNumber, parseDuration, parseTime, timeOfSeconds } from './time.ts'
import { BOOL, BYTES, type CelType, DOUBLE, INT, NULL, STRING, UINT } from './type.ts'
import { CelError, type CelValue, Unsigned } from './value.ts'

const LITERALS: ReadonlyMap<string, CelType> = new Map([
  ['string', STRING],
  ['bigint', INT],
  ['number', DOUBLE],
  ['boolean', BOOL],
])

const constant = (type: CelType, value: CelValue): Checked => ({ type, run: () => value, isConstant: true })

/** `value`: as the parser has it. Undefined: a number beyond 64 bits. */
export const literalOf = (value: unknown): Checked | undefined => {
  if (value === null) return constant(NULL, value)
  if (value instanceof Uint8Array) return constant(BYTES, value)
  if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) return undefined
  const known = LITERALS.get(typeof value)
  if (known) return constant(known, value as CelValue)
  return constant(UINT, new Unsigned(BigInt((value as { valueOf(): bigint }).valueOf())))
}

const CHECKS: Readonly<Record<string, (text: string) => unknown>> = {
  timestamp: parseTime,
  duration: parseDuration,
  matches: compilePattern,
}

const NUMBER_CHECKS: Readonly<Record<string, (value: bigint) => unknown>> = {
  timestamp: timeOfSeconds,
  duration: durationOfNumber,
}

/** Whether the argument of a function may be that, as far as it is a text or a number that stands there. */
export const isGoodLiteral = (name: string, argument: ASTNode): boolean => {
  if (argument.op !== 'value') return true
  const { args: value } = argument
  const check = typeof value === 'string' ? CHECKS : typeof value === 'bigint' ? NUMBER_CHECKS : {}
  if (!Object.hasOwn(check, name)) return true
  try {
    check[name]!(value as never)
    return true
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
}

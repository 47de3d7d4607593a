/**
 * What a function of CEL is: a name, a signature, what it gives and what it costs. Operators are functions under cel-go's
 * names (`_+_`). Libraries (`library/`) are lists of them.
 */
import type { CallCost } from './cost/call-cost.ts'
import type { Charge } from './equality.ts'
import type { CelType } from './type.ts'
import type { CelValue } from './value.ts'

export interface CelFunction {
  /** `size`; with a namespace `ip.isCanonical`; an operator `_+_`. */
  readonly name: string
  /** Whether the first parameter stands before the dot. */
  readonly method: boolean
  readonly parameters: readonly CelType[]
  readonly result: CelType
  /** Arguments are of the parameters' types. Throws CelError. `charge`: for what it costs before it is done. */
  readonly call: (args: readonly CelValue[], charge: Charge) => CelValue
  /** Absent: 1. */
  readonly cost?: CallCost
}

type Call = CelFunction['call']

const made =
  (method: boolean) => (name: string, parameters: readonly CelType[], result: CelType, call: Call, cost?: CallCost) =>
    ({ name, method, parameters, result, call, ...(cost ? { cost } : {}) }) satisfies CelFunction

export const globalFunction = made(false)
/** The first of `parameters` is the receiver. */
export const method = made(true)

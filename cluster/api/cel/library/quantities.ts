/** Quantities (`1.5Gi`): Kubernetes's library. */
import { parseQuantity, QUANTITY_SYNTAX, type Quantity } from '../../quantity.ts'
import { walks } from '../cost/call-cost.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { BOOL, DOUBLE, foreign, INT, STRING } from '../type.ts'
import { CelError, type CelValue, Foreign } from '../value.ts'

const NANO = 1_000_000_000n

class QuantityValue extends Foreign {
  readonly typeName = 'kubernetes.Quantity'
  readonly quantity: Quantity

  constructor(quantity: Quantity) {
    super()
    this.quantity = quantity
  }

  equals(other: Foreign): boolean {
    return other instanceof QuantityValue && other.quantity.nano === this.quantity.nano
  }
}

const QUANTITY = foreign('kubernetes.Quantity')

const toQuantity = (text: string): QuantityValue => {
  const quantity = parseQuantity(text)
  if (!quantity) throw new CelError(QUANTITY_SYNTAX)
  return new QuantityValue(quantity)
}

const quantityOf = (value: CelValue | undefined): Quantity => (value as QuantityValue).quantity
const nano = (value: CelValue | undefined): bigint => quantityOf(value).nano

/** Undefined: it has a fraction, or does not fit an int. */
const wholeOf = (value: CelValue | undefined): bigint | undefined => {
  const whole = nano(value) / NANO
  return whole * NANO === nano(value) && BigInt.asIntN(64, whole) === whole ? whole : undefined
}

const toInteger = (value: CelValue | undefined): bigint => {
  const whole = wholeOf(value)
  if (whole === undefined) throw new CelError('cannot convert value to integer')
  return whole
}

const sign = (value: bigint): bigint => (value < 0n ? -1n : value > 0n ? 1n : 0n)

const plus = (value: CelValue | undefined, more: bigint): QuantityValue =>
  new QuantityValue({ ...quantityOf(value), nano: nano(value) + more })

export const QUANTITIES: readonly CelFunction[] = [
  globalFunction('quantity', [STRING], QUANTITY, ([text]) => toQuantity(text as string), walks(1)),
  globalFunction('isQuantity', [STRING], BOOL, ([text]) => parseQuantity(text as string) !== undefined, walks(1)),
  globalFunction('sign', [QUANTITY], INT, ([a]) => sign(nano(a))),
  method('isGreaterThan', [QUANTITY, QUANTITY], BOOL, ([a, b]) => nano(a) > nano(b)),
  method('isLessThan', [QUANTITY, QUANTITY], BOOL, ([a, b]) => nano(a) < nano(b)),
  method('compareTo', [QUANTITY, QUANTITY], INT, ([a, b]) => sign(nano(a) - nano(b))),
  method('asApproximateFloat', [QUANTITY], DOUBLE, ([a]) => Number(nano(a)) / Number(NANO)),
  method('asInteger', [QUANTITY], INT, ([a]) => toInteger(a)),
  method('isInteger', [QUANTITY], BOOL, ([a]) => wholeOf(a) !== undefined),
  method('add', [QUANTITY, QUANTITY], QUANTITY, ([a, b]) => plus(a, nano(b))),
  method('add', [QUANTITY, INT], QUANTITY, ([a, b]) => plus(a, (b as bigint) * NANO)),
  method('sub', [QUANTITY, QUANTITY], QUANTITY, ([a, b]) => plus(a, -nano(b))),
  method('sub', [QUANTITY, INT], QUANTITY, ([a, b]) => plus(a, -(b as bigint) * NANO)),
]

/** core/v1.ResourceList: amounts by resource name, and sums of them. */
import { formatQuantity, parseQuantity, type Quantity } from './quantity.ts'

export type ResourceList = Readonly<Record<string, string>>
export type Amounts = ReadonlyMap<string, Quantity>

export const NOTHING: Quantity = { nano: 0n, format: 'decimal' }

export const count = (number: number): Quantity => ({ nano: BigInt(number) * 1_000_000_000n, format: 'decimal' })

/** Of one text; what is no quantity is nothing, for validation has refused it. */
export const amountOf = (text: string | undefined): Quantity => (text && parseQuantity(text)) || NOTHING

export const readAmounts = (list: ResourceList | undefined): Map<string, Quantity> =>
  new Map(Object.entries(list ?? {}).map(([name, text]) => [name, amountOf(text)]))

export const writeAmounts = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]))

/** The way it is written is that of the first of the two that is something. */
export const plus = (a: Quantity, b: Quantity): Quantity => ({
  nano: a.nano + b.nano,
  format: (a.nano === 0n ? b : a).format,
})

export const minus = (a: Quantity, b: Quantity): Quantity => plus(a, { ...b, nano: -b.nano })

/** In place. */
export const addAmounts = (target: Map<string, Quantity>, added: Amounts): void => {
  for (const [name, amount] of added) target.set(name, plus(target.get(name) ?? NOTHING, amount))
}

/** In place: the larger of each. */
export const raiseAmounts = (target: Map<string, Quantity>, other: Amounts): void => {
  for (const [name, amount] of other) {
    const known = target.get(name)
    if (!known || known.nano < amount.nano) target.set(name, amount)
  }
}

/** Up to whole units. */
export const roundUp = ({ nano, format }: Quantity): Quantity => {
  const unit = 1_000_000_000n
  const over = nano % unit
  return over > 0n ? { nano: nano - over + unit, format } : { nano, format }
}

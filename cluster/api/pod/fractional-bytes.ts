/** Amounts of bytes that are none: Kubernetes takes them, and says so. */
import { formatQuantity } from '../quantity.ts'
import { amountOf, type ResourceList } from '../resource-list.ts'

const MILLI = 1_000_000n

/** `names`: of the resources that are counted in bytes; `at`: the list's field. */
export const fractionalBytes = (list: ResourceList | undefined, at: string, names: readonly string[]): string[] =>
  names.flatMap(name => {
    const amount = amountOf(list?.[name])
    // Up to whole thousandths, as quantities are compared.
    const milli = (amount.nano + MILLI - 1n) / MILLI
    if (milli % 1000n === 0n) return []
    const text = JSON.stringify(formatQuantity(amount))
    return [`${at}[${name}]: fractional byte value ${text} is invalid, must be an integer`]
  })

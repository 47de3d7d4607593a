/**
 * Kubernetes quantities (`250m`, `1Gi`, `1e3`), exactly: a value is a whole number of nano units in a bigint, and
 * the canonical text is what Kubernetes prints (largest suffix without a fraction, family of suffixes kept).
 */
import { LRUCache } from 'lru-cache'

type Format = 'binary' | 'decimal' | 'exponent'

export interface Quantity {
  /** The value in billionths; finer digits are rounded up, as Kubernetes does. */
  readonly nano: bigint
  readonly format: Format
}

const SYNTAX = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,3})?$/
const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const
const NANO = 1_000_000_000n

/** Kubernetes's words for what is no quantity. */
export const QUANTITY_SYNTAX =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

const divideUp = (value: bigint, by: bigint): bigint => (value + by - 1n) / by

const scaleOf = (suffix: string): { readonly format: Format; readonly times: bigint; readonly over: bigint } => {
  if (suffix.length > 1 && /^[eE]/.test(suffix) && !suffix.endsWith('i')) {
    const exponent = BigInt(suffix.slice(1).replace('+', ''))
    return exponent < 0n
      ? { format: 'exponent', times: 1n, over: 10n ** -exponent }
      : { format: 'exponent', times: 10n ** exponent, over: 1n }
  }
  const binary = BINARY.indexOf(suffix as (typeof BINARY)[number])
  if (binary > 0) return { format: 'binary', times: 1024n ** BigInt(binary), over: 1n }
  const power = DECIMAL.indexOf(suffix as (typeof DECIMAL)[number]) - 3
  return power < 0
    ? { format: 'decimal', times: 1n, over: 1000n ** BigInt(-power) }
    : { format: 'decimal', times: 1000n ** BigInt(power), over: 1n }
}

/** Quantities by their texts: a cluster's objects say the same few over and over. */
const parsed = new LRUCache<string, Quantity>({ max: 1_000 })

/** Undefined for what is no quantity. */
export const parseQuantity = (text: string): Quantity | undefined => {
  const known = parsed.get(text)
  if (known) return known
  const quantity = parseAnew(text)
  if (quantity) parsed.set(text, quantity)
  return quantity
}

const parseAnew = (text: string): Quantity | undefined => {
  const match = text.length <= 64 ? SYNTAX.exec(text) : null
  if (!match) return undefined
  const [whole = '', fraction = ''] = match[2]!.split('.')
  const { format, times, over } = scaleOf(match[3] ?? '')
  const digits = BigInt(whole + fraction)
  const nano = divideUp(digits * times * NANO, over * 10n ** BigInt(fraction.length))
  return { nano: match[1] === '-' ? -nano : nano, format }
}

const decimalText = (nano: bigint, exponent: boolean): string => {
  let value = nano
  let power = 0
  while (power < DECIMAL.length - 1 && value % 1000n === 0n) {
    value /= 1000n
    power++
  }
  if (!exponent) return `${value}${DECIMAL[power]}`
  const shown = (power - 3) * 3
  return shown === 0 ? `${value}` : `${value}e${shown}`
}

const formatted = new WeakMap<Quantity, string>()

/** The text that Kubernetes prints for the same value. */
export const formatQuantity = (quantity: Quantity): string => {
  const known = formatted.get(quantity)
  if (known !== undefined) return known
  const text = formatAnew(quantity)
  formatted.set(quantity, text)
  return text
}

const formatAnew = ({ nano, format }: Quantity): string => {
  if (nano === 0n) return '0'
  const sign = nano < 0n ? '-' : ''
  const size = nano < 0n ? -nano : nano
  // A binary quantity below 1024 or with a fraction has no binary suffix to wear.
  if (format !== 'binary' || size % NANO !== 0n || size < 1024n * NANO) {
    return sign + decimalText(size, format === 'exponent')
  }
  let value = size / NANO
  let power = 0
  while (power < BINARY.length - 1 && value % 1024n === 0n) {
    value /= 1024n
    power++
  }
  return `${sign}${value}${BINARY[power]}`
}

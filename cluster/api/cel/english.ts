/** Numbers as `format` writes them: for readers of English, with digits in groups of three, rounded to the even digit. */

/** |value| · 10^places as an integer, a half to the even one. */
const rounded = (value: number, places: number): bigint => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, Math.abs(value))
  const bits = view.getBigUint64(0)
  const exponent = Number(bits >> 52n)
  const fraction = bits & ((1n << 52n) - 1n)
  // IEEE 754 §3.4: subnormal numbers have no leading one.
  const mantissa = exponent === 0 ? fraction : fraction | (1n << 52n)
  const shift = Math.max(exponent, 1) - 1075
  const numerator = (mantissa << BigInt(Math.max(shift, 0))) * 10n ** BigInt(Math.max(places, 0))
  const denominator = (1n << BigInt(Math.max(-shift, 0))) * 10n ** BigInt(Math.max(-places, 0))
  const [quotient, rest] = [numerator / denominator, (numerator % denominator) * 2n]
  const isUp = rest > denominator || (rest === denominator && quotient % 2n === 1n)
  return isUp ? quotient + 1n : quotient
}

/** Of what has no digits. */
const named = (value: number): string | undefined => {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? undefined : value > 0 ? '∞' : '-∞'
}

const signOf = (value: number): string => (value < 0 || Object.is(value, -0) ? '-' : '')

const withPoint = (digits: string, places: number): string => {
  const whole = digits.slice(0, digits.length - places).replace(/\B(?=(?:\d{3})+$)/g, ',')
  return places === 0 ? whole : `${whole}.${digits.slice(digits.length - places)}`
}

/** `1,234.50` */
export const fixedPoint = (value: number, places: number): string =>
  named(value) ?? signOf(value) + withPoint(String(rounded(value, places)).padStart(places + 1, '0'), places)

const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹'

const raised = (exponent: number): string =>
  (exponent < 0 ? '⁻' : '') +
  String(Math.abs(exponent))
    .padStart(2, '0')
    .replace(/\d/g, digit => RAISED[Number(digit)]!)

const PLACES = 6

/** `1.234500×10⁰³`: with six digits always, since cel-go takes what should say how many for a width. */
export const scientific = (value: number): string => {
  const name = named(value)
  if (name !== undefined) return name
  const size = value === 0 ? 0 : Number(value.toExponential().split('e')[1])
  const digits = String(rounded(value, PLACES - size)).padStart(PLACES + 1, '0')
  // Nines may become one digit more.
  const more = digits.length - PLACES - 1
  return `${signOf(value)}${withPoint(digits.slice(0, PLACES + 1), PLACES)}×10${raised(size + more)}`
}

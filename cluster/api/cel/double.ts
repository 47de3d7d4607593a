/** Doubles as Go writes them: the shortest digits, and an exponent below 1e-4 and from 1e6 on. */

const NAMES: ReadonlyMap<number, string> = new Map([
  [Number.POSITIVE_INFINITY, '+Inf'],
  [Number.NEGATIVE_INFINITY, '-Inf'],
])

/** Two digits at least. */
const withExponent = (text: string): string => text.replace(/e([+-])(\d)$/, 'e$10$2')

export const formatDouble = (value: number): string => {
  const named = NAMES.get(value)
  if (named !== undefined) return named
  if (Object.is(value, -0)) return '-0'
  const size = Math.abs(value)
  return size !== 0 && (size < 1e-4 || size >= 1e6) ? withExponent(value.toExponential()) : String(value)
}

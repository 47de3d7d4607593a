/** Times and durations: RFC 3339 and Go's notation, both ways, to the nanosecond. */
import { CelError, Duration, Timestamp } from './value.ts'

const SECOND = 1_000_000_000n

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2})$/
const DATE = /^\d{4}-\d{2}-\d{2}$/

/** Years 1 to 9999, as protobuf's Timestamp has them. */
const FIRST = -62_135_596_800n * SECOND
const LAST = 253_402_300_799n * SECOND + 999_999_999n

export const checkedTime = (nanoseconds: bigint): Timestamp => {
  if (nanoseconds < FIRST || nanoseconds > LAST) throw new CelError('timestamp overflow')
  return new Timestamp(nanoseconds)
}

/** As a schema has it: a date alone is its first moment. */
export const parseDateOrTime = (text: string): Timestamp => {
  const date = DATE.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return Number.isNaN(date) ? parseTime(text) : checkedTime(BigInt(date) * 1_000_000n)
}

export const parseTime = (text: string): Timestamp => {
  const [, date, time, fraction = '', zone = 'Z'] = RFC3339.exec(text) ?? []
  const whole = Date.parse(`${date}T${time}${zone.toUpperCase()}`)
  if (Number.isNaN(whole)) throw new CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'")
  return checkedTime(BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(9, '0')))
}

const fractionOf = (nanoseconds: bigint): string => {
  const digits = nanoseconds.toString().padStart(9, '0').replace(/0+$/, '')
  return digits === '' ? '' : `.${digits}`
}

export const formatTime = ({ nanoseconds }: Timestamp): string => {
  const rest = ((nanoseconds % SECOND) + SECOND) % SECOND
  const whole = Number((nanoseconds - rest) / 1_000_000n)
  return `${new Date(whole).toISOString().slice(0, 19)}${fractionOf(rest)}Z`
}

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3_600n * SECOND,
}

const MAX_DURATION = 1_000

const PART = /(\d+)?(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y

export const checkedDuration = (nanoseconds: bigint): Duration => {
  if (nanoseconds >= 2n ** 63n || nanoseconds < -(2n ** 63n)) throw new CelError('integer overflow')
  return new Duration(nanoseconds)
}

/** Go's notation: `1h30m`, `-1.5s`, `0`. */
export const parseDuration = (text: string): Duration => {
  const fault = () => new CelError("type conversion error from 'string' to 'google.protobuf.Duration'")
  // To read digits without end takes more than their length.
  if (text.length > MAX_DURATION) throw fault()
  const negative = text.startsWith('-')
  const rest = text.replace(/^[+-]/, '')
  if (rest === '0') return new Duration(0n)
  let total = 0n
  PART.lastIndex = 0
  for (let end = 0; end < rest.length; end = PART.lastIndex) {
    const [, whole = '', fraction = '', unit = ''] = PART.exec(rest) ?? []
    const size = UNITS[unit]
    if (size === undefined || whole + fraction === '') throw fault()
    total += BigInt(whole || '0') * size
    if (fraction !== '') total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length)
  }
  if (rest === '') throw fault()
  return checkedDuration(negative ? -total : total)
}

/** In seconds: `5400s`, `1.5s`. */
export const formatDuration = ({ nanoseconds }: Duration): string => {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  return `${nanoseconds < 0n ? '-' : ''}${size / SECOND}${fractionOf(size % SECOND)}s`
}

export const timeOfSeconds = (seconds: bigint): Timestamp => checkedTime(seconds * 1_000_000_000n)

/** cel-go knows the signature and no conversion. */
export const durationOfNumber = (_value: bigint): Duration => {
  throw new CelError("type conversion error from 'int' to 'google.protobuf.Duration'")
}

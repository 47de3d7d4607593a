/** metav1.Time and metav1.MicroTime: RFC 3339 in, UTC with whole seconds or six digits out. */

const SYNTAX = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/

/** Microseconds since the epoch; undefined for what is no RFC 3339 time. */
export const parseTimestamp = (text: string): bigint | undefined => {
  const match = SYNTAX.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  // Date rolls 30 February over; Go refuses it.
  if (Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) return undefined
  const offset = zone === 'Z' ? 0 : (Number(zone!.slice(1, 3)) * 60 + Number(zone!.slice(4))) * 60_000
  const milliseconds = date.getTime() - (zone!.startsWith('-') ? -offset : offset)
  return BigInt(milliseconds) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
}

const seconds = (microseconds: bigint): string => {
  const whole = microseconds / 1_000_000n - (microseconds < 0n && microseconds % 1_000_000n !== 0n ? 1n : 0n)
  return new Date(Number(whole) * 1000).toISOString().slice(0, 19)
}

/** `2031-05-01T12:00:00Z`. */
export const formatTime = (microseconds: bigint): string => `${seconds(microseconds)}Z`

/** The same of a clock's time, milliseconds since the epoch: `metadata.creationTimestamp` and its like. */
export const timestamp = (milliseconds: number): string => {
  const second = Math.floor(milliseconds / 1000)
  if (second !== last.second) last = { second, text: formatTime(BigInt(second) * 1_000_000n) }
  return last.text
}

/** All writes of a second have one. */
let last = { second: Number.NaN, text: '' }

/** `2031-05-01T12:00:00.000000Z`. */
export const formatMicroTime = (microseconds: bigint): string => {
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n
  return `${seconds(microseconds)}.${String(fraction).padStart(6, '0')}Z`
}

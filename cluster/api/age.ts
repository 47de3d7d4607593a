/** Durations as kubectl's AGE column shows them: two units at most, coarser the longer it is. */

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY

/** `5m3s` from 303_000 milliseconds. A slightly negative duration is a clock's fault and shows as 0s. */
export const humanDuration = (milliseconds: number): string => {
  const seconds = Math.trunc(milliseconds / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  const both = (unit: number, name: string, smaller: number, smallerName: string): string => {
    const rest = Math.floor((seconds % unit) / smaller)
    return `${Math.floor(seconds / unit)}${name}${rest === 0 ? '' : `${rest}${smallerName}`}`
  }
  if (seconds < 2 * MINUTE) return `${seconds}s`
  if (seconds < 10 * MINUTE) return both(MINUTE, 'm', 1, 's')
  if (seconds < 3 * HOUR) return `${Math.floor(seconds / MINUTE)}m`
  if (seconds < 8 * HOUR) return both(HOUR, 'h', MINUTE, 'm')
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)}h`
  if (seconds < 8 * DAY) return both(DAY, 'd', HOUR, 'h')
  if (seconds < 2 * YEAR) return `${Math.floor(seconds / DAY)}d`
  if (seconds < 8 * YEAR) return both(YEAR, 'y', DAY, 'd')
  return `${Math.floor(seconds / YEAR)}y`
}

/** How long ago an RFC 3339 time was at `now` (milliseconds since the epoch). */
export const ageSince = (time: unknown, now: number): string => {
  if (typeof time !== 'string') return '<unknown>'
  const then = Date.parse(time)
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now - then)
}

/** Durations as Go and so the Corefile write them: `5s`, `1h30m`, `1.5h`, `250ms`. */
import type { Milliseconds } from '#lib/clock.ts'

const units: Readonly<Record<string, Milliseconds>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Undefined: not a duration. */
export const parseDuration = (text: string): Milliseconds | undefined => {
  if (text === '0') return 0
  if (!/^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(amount) * units[unit!]!
  return total
}

/** The shortest way to write it: 90000 → `1m30s`. */
export const formatDuration = (duration: Milliseconds): string => {
  if (duration < 1000) return `${duration}ms`
  let text = ''
  let rest = duration
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return rest > 0 ? `${text}${rest / 1000}s` : text
}

/**
 * $GENERATE: many records from one line, as BIND has it (BIND 9 ARM §3.5.3): `1-254/2`, `$`, `${OFFSET,WIDTH,BASE}` with
 * the bases d, o, x, X and the reversed nibbles n, N.
 */
import { accepted, type Result, refused } from '#lib/result.ts'

export interface GenerateRange {
  readonly start: number
  readonly stop: number
  readonly step: number
}

/** Records of one directive: a slip in a range must not fill the memory. */
const MOST = 65_536

/** `1-254`, `0-1000/10`. */
export const parseRange = (text: string): Result<GenerateRange, string> => {
  const match = /^(\d{1,9})-(\d{1,9})(?:\/(\d{1,9}))?$/.exec(text)
  const [start = 0, stop = 0, step = 0] = (match?.slice(1) ?? []).map(number => Number(number ?? 1))
  if (!match || step === 0) return refused(`"${text}" is not a range (START-STOP or START-STOP/STEP)`)
  if (stop < start) return refused(`the range "${text}" is empty`)
  if ((stop - start) / step >= MOST) return refused(`the range "${text}" makes more than ${MOST} records`)
  return accepted({ start, stop, step })
}

/** The nibbles of a number, least first, with dots; WIDTH counts digits and dots. */
const nibbles = (number: number, width: number): string => {
  let text = ''
  let rest = number
  do {
    text += (rest & 0xf).toString(16)
    rest >>>= 4
    if (rest > 0 || text.length < width) text += '.'
  } while (rest > 0 || text.length < width)
  return text
}

const radixes: Readonly<Record<string, number>> = { d: 10, o: 8, x: 16, X: 16 }

const formatNumber = (number: number, width: number, base: string): string => {
  const text = /n/i.test(base) ? nibbles(number, width) : number.toString(radixes[base]).padStart(width, '0')
  return base === 'X' || base === 'N' ? text.toUpperCase() : text
}

/** `template` with the number in its places; `$$` and `\$` stand for a dollar sign. */
export const substitute = (template: string, number: number): Result<string, string> => {
  let problem: string | undefined
  const text = template.replace(/\\\$|\$\$|\$\{([^}]*)\}|\$|\\./g, (whole: string, modifiers?: string) => {
    if (whole === '\\$' || whole === '$$') return '$'
    if (whole === '$') return String(number)
    if (modifiers === undefined) return whole
    const parts = /^(-?\d{1,9})(?:,(\d{1,3})(?:,([doxXnN]))?)?$/.exec(modifiers)
    const shifted = number + Number(parts?.[1])
    if (!parts || shifted < 0) {
      problem ??= parts ? `"${whole}" of ${number} is below zero` : `"${whole}" is not \${OFFSET,WIDTH,BASE}`
      return ''
    }
    return formatNumber(shifted, Number(parts[2] ?? 0), parts[3] ?? 'd')
  })
  return problem === undefined ? accepted(text) : refused(problem)
}

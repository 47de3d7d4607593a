/** Cron's syntax: five fields, or a word such as `@daily`. It says what is wrong with a schedule, not when it is due. */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const WORDS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'])
const DURATION = /^(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/

interface Bounds {
  readonly min: number
  readonly max: number
  readonly names: ReadonlyMap<string, number>
}

const bounds = (min: number, max: number, names: readonly string[] = []): Bounds => ({
  min,
  max,
  names: new Map(names.map((name, index) => [name, index + min])),
})

const FIELDS: readonly Bounds[] = [
  bounds(0, 59),
  bounds(0, 23),
  bounds(1, 31),
  bounds(1, 12, MONTHS),
  bounds(0, 6, DAYS),
]

const readNumber = (text: string, { names }: Bounds): number | undefined =>
  names.get(text.toLowerCase()) ?? (/^\d+$/.test(text) ? Number(text) : undefined)

/** `A`, `A-B`, `*`, each with `/STEP`. */
const checkRange = (text: string, field: Bounds): string | undefined => {
  const [range = '', step, ...rest] = text.split('/')
  const ends = range.split('-')
  if (rest.length > 0) return `too many slashes: ${text}`
  const isAny = range === '*' || range === '?'
  if (!isAny && ends.length > 2) return `too many hyphens: ${text}`
  const [from, to] = isAny ? [field.min, field.max] : ends.map(end => readNumber(end, field))
  if (from === undefined || (ends.length === 2 && to === undefined)) return `failed to parse int from ${range}`
  const end = to ?? (step === undefined ? from : field.max)
  if (step !== undefined && !/^\d+$/.test(step)) return `failed to parse int from ${step}`
  if (from < field.min) return `beginning of range (${from}) below minimum (${field.min}): ${text}`
  if (end > field.max) return `end of range (${end}) above maximum (${field.max}): ${text}`
  if (from > end) return `beginning of range (${from}) beyond end of range (${end}): ${text}`
  return step !== undefined && Number(step) === 0 ? `step of range should be a positive number: ${text}` : undefined
}

/** Undefined: it is a schedule. */
export const scheduleProblem = (text: string): string | undefined => {
  if (text.startsWith('@')) {
    if (text.startsWith('@every ')) {
      return DURATION.test(text.slice(7)) ? undefined : `failed to parse duration ${text}`
    }
    return WORDS.has(text) ? undefined : `unrecognized descriptor: ${text}`
  }
  const fields = text.split(/\s+/).filter(field => field !== '')
  if (fields.length !== FIELDS.length) return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`
  for (const [index, field] of fields.entries()) {
    for (const range of field.split(',')) {
      const problem = checkRange(range, FIELDS[index]!)
      if (problem) return problem
    }
  }
  return undefined
}

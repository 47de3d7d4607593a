/**
 * How plugins read their directive: properties as a table of data (which the docs are held against), words by bounds.
 * Nothing throws: the first problem of each line is kept, readers go on with harmless values, and `finish` tells.
 */
import type { Milliseconds } from '#lib/clock.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { parseType, recordTypes } from '../wire/codes.ts'
import type { DnsName } from '../wire/record.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { suggestion } from './nearest.ts'
import type { CorefileProblem, Directive, Position, Property, Word } from './syntax.ts'
import { parseZones } from './zone-address.ts'

export interface NumberBounds {
  readonly minimum: number
  readonly maximum: number
  /** `seconds`, `entries`, `upstreams` … */
  readonly unit: string
}

export interface DurationBounds {
  readonly minimum: Milliseconds
  readonly maximum: Milliseconds
  /** Whether a number without a unit is one of seconds. */
  readonly plainSeconds?: boolean
}

interface Documented {
  /** How its arguments are written: `CAPACITY [TTL [MINTTL]]`. */
  readonly syntax?: string
  /** One line: what it does; the source where one sets it. */
  readonly doc: string
}

/** Present or not; no arguments. */
interface FlagOption extends Documented {
  readonly kind: 'flag'
}

interface NumberOption extends Documented, NumberBounds {
  readonly kind: 'number'
  /** Undefined: none until it is set. */
  readonly default: number | undefined
}

interface DurationOption extends Documented, DurationBounds {
  readonly kind: 'duration'
  readonly default: Milliseconds | undefined
}

interface ChoiceOption extends Documented {
  readonly kind: 'choice'
  readonly choices: readonly string[]
  readonly default: string
}

/** Words that the plugin reads itself; every line that has the name. */
interface WordsOption extends Documented {
  readonly kind: 'words'
  readonly minimum: number
  /** Infinity: any number. */
  readonly maximum: number
  readonly repeatable?: boolean
  /** Whether the property takes braces of its own. */
  readonly nested?: boolean
  /** What holds when it is absent, in words, for the docs. */
  readonly absent?: string
}

export type PropertyOption = FlagOption | NumberOption | DurationOption | ChoiceOption | WordsOption
export type PropertyTable = Readonly<Record<string, PropertyOption>>

type ValueOf<Option extends PropertyOption> = Option extends FlagOption
  ? boolean
  : Option extends NumberOption | DurationOption
    ? Option['default'] extends number
      ? number
      : number | undefined
    : Option extends ChoiceOption
      ? Option['choices'][number]
      : readonly Property[]

export type PropertyValues<Table extends PropertyTable> = { readonly [Name in keyof Table]: ValueOf<Table[Name]> }

export class DirectiveReader {
  readonly #directive: Directive
  readonly #problems: CorefileProblem[] = []

  constructor(directive: Directive) {
    this.#directive = directive
  }

  /**
   * Keeps a problem, unless there is one on that line already; one of the directive as a whole (something is missing) only
   * where its lines are in order. `where` is the word that is wrong.
   */
  refuse(where: Word | Position, message: string): void {
    const position = 'position' in where ? where.position : where
    const { name } = this.#directive
    const isKnown = this.#problems.some(
      known => isSameLine(position, known.position) || isSameLine(position, name.position),
    )
    if (!isKnown) this.#problems.push({ position, message: `${name.text}: ${message}` })
  }

  /** What `make` makes if nothing was refused, `make`'s own readings included. */
  finish<Value>(make: () => Value): Result<Value, CorefileProblem> {
    const value = this.#problems.length === 0 ? make() : undefined
    const [first, ...further] = this.#problems
    if (!first) return accepted(value as Value)
    return refused(further.length === 0 ? first : { ...first, further })
  }

  /** For directives whose line takes at most `maximum` words. */
  limitArguments(maximum: number): void {
    const surplus = this.#directive.arguments[maximum]
    if (surplus) this.refuse(surplus, `"${surplus.text}" is one word too many`)
  }

  /** For directives without braces. */
  noProperties(): void {
    const [property] = this.#directive.properties
    if (property) this.refuse(property.name, `takes no properties, but has "${property.name.text}"`)
  }

  /** The properties by `table`; `skip` leaves alone lines that are not properties (inline hosts). */
  properties<const Table extends PropertyTable>(
    table: Table,
    skip?: (property: Property) => boolean,
  ): PropertyValues<Table> {
    const values: Record<string, unknown> = {}
    for (const [name, option] of Object.entries(table)) values[name] = absentValue(option)
    const seen = new Map<string, Position>()
    for (const property of this.#directive.properties) {
      if (skip?.(property)) continue
      const { text, position } = property.name
      const option = Object.hasOwn(table, text) ? table[text] : undefined
      if (!option) {
        this.refuse(position, `unknown property "${text}"${suggestion(text, Object.keys(table))}`)
        continue
      }
      const before = seen.get(text)
      seen.set(text, position)
      const repeatable = option.kind === 'flag' || (option.kind === 'words' && option.repeatable)
      if (before && !repeatable) this.refuse(position, `"${text}" stands here and on line ${before.line}`)
      values[text] = this.#value(option, property, values[text])
    }
    return values as PropertyValues<Table>
  }

  number(word: Word, { minimum, maximum, unit }: NumberBounds): number {
    const number = /^\d+$/.test(word.text) ? Number(word.text) : Number.NaN
    if (number >= minimum && number <= maximum) return number
    const range = maximum >= Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `${minimum} to ${maximum}`
    this.refuse(word, `"${word.text}" is not a number of ${unit} (${range})`)
    return minimum
  }

  duration(word: Word, { minimum, maximum, plainSeconds }: DurationBounds): Milliseconds {
    const duration = parseDuration(plainSeconds && /^\d+$/.test(word.text) ? `${word.text}s` : word.text)
    if (duration !== undefined && duration >= minimum && duration <= maximum) return duration
    const range = `${formatDuration(minimum)} to ${formatDuration(maximum)}`
    this.refuse(word, `"${word.text}" is not a duration (${range}, written like 5s, 1m30s or 500ms)`)
    return minimum
  }

  choice<const Choice extends string>(word: Word, choices: readonly Choice[]): Choice {
    const found = choices.find(choice => choice === word.text)
    if (found !== undefined) return found
    this.refuse(word, `"${word.text}" is not one of ${choices.join(', ')}${suggestion(word.text, choices)}`)
    return choices[0]!
  }

  /** A record type by its mnemonic or as `TYPE65`; 0 where it is none. */
  recordType(word: Word): number {
    const type = parseType(word.text)
    if (type === undefined)
      this.refuse(word, `"${word.text}" is not a record type${suggestion(word.text, Object.keys(recordTypes))}`)
    return type ?? 0
  }

  /** Names and networks as canonical zones; `otherwise` when there are no words. */
  zones(words: readonly Word[], otherwise: readonly DnsName[]): readonly DnsName[] {
    if (words.length === 0) return otherwise
    return words.flatMap(word => {
      const zones = parseZones(word.text)
      if (zones.ok) return zones.value
      this.refuse(word, zones.problem)
      return []
    })
  }

  #value(option: PropertyOption, property: Property, before: unknown): unknown {
    const { name, arguments: words, body } = property
    const [minimum, maximum] = wordCount(option)
    const problem = countProblem(words.length, minimum, maximum, option.syntax)
    if (problem) {
      this.refuse(name, `"${name.text}" ${problem}`)
      return before
    }
    if (body.length > 0 && !(option.kind === 'words' && option.nested))
      this.refuse(name, `"${name.text}" takes no braces`)
    switch (option.kind) {
      case 'flag':
        return true
      case 'number':
        return this.number(words[0]!, option)
      case 'duration':
        return this.duration(words[0]!, option)
      case 'choice':
        return this.choice(words[0]!, option.choices)
      case 'words':
        return [...(before as Property[]), property]
    }
  }
}

const isSameLine = (left: Position, right: Position): boolean => left.file === right.file && left.line === right.line

const absentValue = (option: PropertyOption): unknown => {
  switch (option.kind) {
    case 'flag':
      return false
    case 'words':
      return []
    default:
      return option.default
  }
}

const wordCount = (option: PropertyOption): readonly [number, number] => {
  if (option.kind === 'flag') return [0, 0]
  return option.kind === 'words' ? [option.minimum, option.maximum] : [1, 1]
}

const countProblem = (count: number, minimum: number, maximum: number, syntax?: string): string | undefined => {
  const form = syntax === undefined ? '' : ` (${syntax})`
  if (count < minimum) return count === 0 ? `needs a value${form}` : `needs ${minimum} values${form}`
  if (count > maximum) return maximum === 0 ? 'takes no value' : `takes at most ${maximum} values${form}`
  return undefined
}

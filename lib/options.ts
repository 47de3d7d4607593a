/**
 * Options as data: one table per room gives each option its name, default, bounds, unit and one line of doc. `cmd/`
 * turns tables into flags and `--help`; the docs are held against them by a test.
 */
import { accepted, type Result, refused } from './result.ts'

interface OptionBase<Value> {
  readonly default: Value
  /** One line: what it does; the source (RFC, KEP) where one sets it. */
  readonly doc: string
}

export interface NumberOption extends OptionBase<number> {
  readonly type: 'number'
  readonly minimum: number
  readonly maximum: number
  /** `ms`, `bytes`, `connections` … */
  readonly unit: string
}

export interface TextOption extends OptionBase<string> {
  readonly type: 'text'
}

export interface SwitchOption extends OptionBase<boolean> {
  readonly type: 'switch'
}

/** One of a few words. */
export interface ChoiceOption extends OptionBase<string> {
  readonly type: 'choice'
  readonly choices: readonly string[]
}

export type Option = NumberOption | TextOption | SwitchOption | ChoiceOption
export type OptionTable = Readonly<Record<string, Option>>

/** The frozen values of a table, with `overrides` checked against its bounds. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name]['default'] extends number
    ? number
    : Table[Name]['default'] extends boolean
      ? boolean
      : string
}

/** Reads `overrides` against `table`; the problem names the option, the value and what it may be. */
export const readOptions = <Table extends OptionTable>(
  table: Table,
  overrides: { readonly [Name in keyof Table]?: unknown } = {},
): Result<OptionValues<Table>, string> => {
  const values: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(table)) {
    const value = overrides[name] === undefined ? accepted(option.default) : readOption(option, overrides[name])
    if (!value.ok) return refused(`${name}: ${String(overrides[name])} ${value.problem}`)
    values[name] = value.value
  }
  return accepted(Object.freeze(values) as OptionValues<Table>)
}

const readOption = (option: Option, given: unknown): Result<unknown, string> => {
  switch (option.type) {
    case 'number': {
      const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
      const { minimum, maximum, unit } = option
      return typeof number === 'number' && number >= minimum && number <= maximum
        ? accepted(number)
        : refused(`is not a number from ${minimum} to ${maximum} (${unit})`)
    }
    case 'choice':
      return option.choices.includes(given as string)
        ? accepted(given)
        : refused(`is none of ${option.choices.join(', ')}`)
    case 'switch':
      return typeof given === 'boolean' ? accepted(given) : refused('is not a true or false')
    case 'text':
      return typeof given === 'string' ? accepted(given) : refused('is not a text')
  }
}

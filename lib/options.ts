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

export type Option = NumberOption | TextOption | SwitchOption
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
    const given = overrides[name]
    if (given === undefined) {
      values[name] = option.default
    } else if (option.type === 'number') {
      const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
      if (typeof number !== 'number' || !(number >= option.minimum && number <= option.maximum)) {
        return refused(
          `${name}: ${String(given)} is not a number from ${option.minimum} to ${option.maximum} (${option.unit})`,
        )
      }
      values[name] = number
    } else if (typeof given !== typeof option.default) {
      return refused(`${name}: ${String(given)} is not a ${option.type === 'switch' ? 'true or false' : 'text'}`)
    } else {
      values[name] = given
    }
  }
  return accepted(Object.freeze(values) as OptionValues<Table>)
}

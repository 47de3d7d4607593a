/** A room's option table (lib/options.ts) as flags, and back: one source for `--help`, the docs and the bounds. */
import type { Command } from 'commander'
import { SeamarkError } from '#lib/errors.ts'
import { type OptionTable, type OptionValues, readOptions } from '#lib/options.ts'

/** `tcpMaxConnections` → `tcp-max-connections`. */
const kebab = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)

/** Adds a flag for each option of the table. */
export const withOptionTable = (command: Command, table: OptionTable): Command => {
  for (const [name, option] of Object.entries(table)) {
    const flag = `--${kebab(name)}`
    if (option.type === 'number') {
      const bounds = `${option.minimum} to ${option.maximum}`
      command.option(`${flag} <${option.unit}>`, `${option.doc} (${bounds})`, String(option.default))
    } else if (option.type === 'switch') {
      command.option(flag, option.doc, option.default)
    } else if (option.type === 'choice') {
      command.option(`${flag} <${option.choices.join('|')}>`, option.doc, option.default)
    } else {
      // An empty text says nothing: what holds then stands in the doc.
      command.option(`${flag} <text>`, option.doc, option.default || undefined)
    }
  }
  return command
}

/**
 * The table's values as the flags gave them.
 * @throws SeamarkError BAD_OPTION that names the flag, the value and the bounds
 */
export const optionValues = <Table extends OptionTable>(table: Table, flags: object): OptionValues<Table> => {
  const given = Object.fromEntries(Object.entries(flags).filter(([name]) => name in table))
  const values = readOptions(table, given as { [Name in keyof Table]?: unknown })
  if (values.ok) return values.value
  const [name, ...detail] = values.problem.split(':')
  throw new SeamarkError('BAD_OPTION', `--${kebab(name ?? '')}:${detail.join(':')}`)
}

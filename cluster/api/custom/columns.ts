/** What kubectl shows of a custom resource: columns by JSONPath, or its name and age. */
import { ageSince } from '../age.ts'
import type { Column } from '../kind.ts'
import type { PrinterColumn } from './definition.ts'
import { compileJsonPath } from './json-path.ts'

const DEFAULT: readonly PrinterColumn[] = [
  {
    name: 'Age',
    type: 'date',
    description: 'When the object was made.',
    jsonPath: '.metadata.creationTimestamp',
  },
]

const integer = (value: unknown): number | undefined => (typeof value === 'number' ? Math.trunc(value) : undefined)

/** Null where there is nothing to show, or nothing of the column's type. */
const cell = (value: unknown, type: string, now: number): string | number | boolean | null => {
  switch (type) {
    case 'integer':
      return integer(value) ?? null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      if (typeof value !== 'string') return null
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : ageSince(value, now)
    default:
      return typeof value === 'string' ? value : JSON.stringify(value)
  }
}

const columnOf = ({
  name = '',
  type = 'string',
  format = '',
  description,
  priority = 0,
  jsonPath = '',
}: PrinterColumn): Column => {
  const find = compileJsonPath(jsonPath)
  return {
    name,
    type,
    format,
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority,
    value: (object, now) => {
      const [value] = find(object)
      return value === undefined || value === null ? null : cell(value, type, now)
    },
  }
}

export const columnsOf = (columns: readonly PrinterColumn[] | undefined): readonly Column[] =>
  (columns && columns.length > 0 ? columns : DEFAULT).map(columnOf)

/** Results as tables of text: a case with subjects has a row for each and a column for each figure. */
import { type Results, summaryOf } from './results.ts'
import { formatSummary } from './statistics.ts'

/** Columns as wide as their widest cell; the first is the rows' names. */
const textTable = (lines: readonly (readonly string[])[]): string => {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)))
  const pad = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!)
  return lines.map(line => `| ${line.map(pad).join(' | ')} |`).join('\n')
}

export const resultTables = (results: Results): string =>
  Object.entries(results.cases)
    .map(([name, subjects]) => {
      const cell = (subject: string, figure: string): string => {
        const summary = summaryOf(results, { case: name, subject, figure })
        return summary ? formatSummary(summary) : ''
      }
      const figures = [...new Set(Object.values(subjects).flatMap(rows => Object.keys(rows)))]
      const lines =
        '' in subjects
          ? [['', 'median (least to greatest)'], ...figures.map(figure => [figure, cell('', figure)])]
          : [['', ...figures], ...Object.keys(subjects).map(row => [row, ...figures.map(figure => cell(row, figure))])]
      return `\n${name}\n${textTable(lines)}`
    })
    .join('\n')

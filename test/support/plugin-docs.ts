/** The rows that a plugin's page has for its options and metrics. */
import type { PropertyOption } from '#resolver/corefile/directive-reader.ts'
import { formatDuration } from '#resolver/corefile/duration.ts'
import type { MetricDefinition } from '#resolver/metrics.ts'

const escapeCell = (text: string): string => text.replaceAll('|', '\\|')

const defaultOf = (option: PropertyOption): string => {
  switch (option.kind) {
    case 'flag':
      return 'off'
    case 'words':
      return option.absent ?? ''
    case 'duration':
      return option.default === undefined ? 'none' : formatDuration(option.default)
    default:
      return option.default === undefined ? 'none' : String(option.default)
  }
}

const limitsOf = (option: PropertyOption): string => {
  if (option.kind === 'number') return `${option.minimum}–${option.maximum} ${option.unit}`
  if (option.kind === 'duration') return `${formatDuration(option.minimum)}–${formatDuration(option.maximum)}`
  return ''
}

export const optionRow = (name: string, option: PropertyOption): string => {
  const form = option.syntax === undefined ? name : `${name} ${option.syntax}`
  return `| \`${escapeCell(form)}\` | ${escapeCell(option.doc)} | ${escapeCell(defaultOf(option))} | ${limitsOf(option)} |`
}

export const metricRow = ({ name, labels, help }: MetricDefinition): string =>
  `| \`${name}\` | ${labels.map(label => `\`${label}\``).join(', ')} | ${escapeCell(help)} |`

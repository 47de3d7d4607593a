/** Grouped horizontal bars as SVG: medians, with lines from the least to the greatest. Legible on light and dark pages. */
import { rounded, type Summary } from './statistics.ts'

export interface BarChart {
  readonly title: string
  /** What the axis counts. */
  readonly unit: string
  /** A group is a question; its bars are who answered it. */
  readonly groups: readonly { readonly label: string; readonly bars: readonly Bar[] }[]
}

interface Bar {
  readonly label: string
  readonly summary: Summary
}

/** Pixels. */
const WIDTH = 720
const LABELS = 150
const VALUES = 70
const BAR = 14
const GAP = 4
const GROUP_HEAD = 24
const GROUP_GAP = 12
const HEAD = 30

/** Told apart by those who do not see colours alike (Okabe and Ito). By the order in which labels turn up. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#999999', '#f0e442']

const STYLE = `text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 14px }
.group { font-weight: 600 } .spread { stroke: #1f2328; stroke-width: 1 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .spread { stroke: #e6edf3 } }`

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const text = (x: number, y: number, content: string, attributes = ''): string =>
  `<text x="${x}" y="${y}"${attributes}>${escapeText(content)}</text>`

export const barChart = ({ title, unit, groups }: BarChart): string => {
  const bars = groups.flatMap(group => group.bars)
  const greatest = Math.max(...bars.map(({ summary }) => summary.greatest), Number.MIN_VALUE)
  const labels = [...new Set(bars.map(({ label }) => label))]
  const length = (value: number): number => Math.round((value / greatest) * (WIDTH - LABELS - VALUES) * 10) / 10
  const parts = [text(0, 16, `${title} (${unit})`, ' class="title"')]
  let y = HEAD
  for (const group of groups) {
    parts.push(text(0, y + 14, group.label, ' class="group"'))
    y += GROUP_HEAD
    for (const { label, summary } of group.bars) {
      const { median, least, greatest: most } = summary
      const colour = COLOURS[labels.indexOf(label) % COLOURS.length]
      const middle = y + BAR / 2
      parts.push(
        text(LABELS - 8, y + 11, label, ' text-anchor="end"'),
        `<rect x="${LABELS}" y="${y}" width="${length(median)}" height="${BAR}" fill="${colour}"/>`,
        `<line class="spread" x1="${LABELS + length(least)}" y1="${middle}" x2="${LABELS + length(most)}" y2="${middle}"/>`,
        text(LABELS + length(most) + 6, y + 11, rounded(median).toLocaleString('en')),
      )
      y += BAR + GAP
    }
    y += GROUP_GAP
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="${escapeText(title)}">
<style>${STYLE}</style>
${parts.join('\n')}
</svg>
`
}

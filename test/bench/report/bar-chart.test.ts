import test from 'ava'
import { barChart } from '../../../bench/report/bar-chart.ts'

const summary = (median: number) => ({ median, least: median / 2, greatest: median * 2, rounds: 5 })

const chart = barChart({
  title: 'Time & <space>',
  unit: 'µs',
  groups: [
    {
      label: 'one',
      bars: [
        { label: 'a', summary: summary(10) },
        { label: 'b', summary: summary(5) },
      ],
    },
    { label: 'two', bars: [{ label: 'b', summary: summary(2.5) }] },
  ],
})

const numbers = (pattern: RegExp): readonly number[] => [...chart.matchAll(pattern)].map(match => Number(match[1]))

test('a bar is as long as its median, beside the others', t => {
  const [a, b, c] = numbers(/<rect [^>]*width="([\d.]+)"/g) as [number, number, number]
  t.is(a, 2 * b)
  t.is(a, 4 * c)
})

test('the greatest value fits into the picture', t => {
  const [width] = numbers(/viewBox="0 0 (\d+) /g)
  for (const end of numbers(/x2="([\d.]+)"/g)) t.true(end < width!, `${end}`)
})

test('a label has one colour in all groups', t => {
  const colours = [...chart.matchAll(/fill="(#\w+)"/g)].map(match => match[1])
  t.is(colours.length, 3)
  t.is(colours[1], colours[2])
  t.not(colours[0], colours[1])
})

test('text is escaped', t => {
  t.true(chart.includes('Time &amp; &lt;space&gt;'))
  t.false(chart.includes('<space>'))
})

test('a chart of nothing is a picture still', t => {
  t.regex(barChart({ title: 'none', unit: '', groups: [] }), /^<svg [^>]*>[\s\S]*<\/svg>\n$/)
})

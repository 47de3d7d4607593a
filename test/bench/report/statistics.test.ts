import test from 'ava'
import fc from 'fast-check'
import { formatSummary, percentile, rounded, summarise } from '../../../bench/report/statistics.ts'

test('a percentile is a value of the list, and NaN of none', t => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1)
  t.is(percentile(sorted, 0), 1)
  t.is(percentile(sorted, 0.5), 51)
  t.is(percentile(sorted, 0.99), 100)
  t.is(percentile(sorted, 1), 100)
  t.is(percentile([], 0.5), Number.NaN)
})

test('the median of an odd number of rounds is one of them, of an even number the mean of two', t => {
  t.deepEqual(summarise([3, 1, 2]), { median: 2, least: 1, greatest: 3, rounds: 3 })
  t.deepEqual(summarise([4, 1, 2, 3]), { median: 2.5, least: 1, greatest: 4, rounds: 4 })
})

test('rounds without a value do not count', t => {
  t.deepEqual(summarise([undefined, 5, Number.NaN]), { median: 5, least: 5, greatest: 5, rounds: 1 })
  t.is(summarise([undefined]), undefined)
  t.is(summarise([]), undefined)
})

test('whatever the order, the median lies between the least and the greatest', t => {
  const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 })
  fc.assert(
    fc.property(values, given => {
      const { median, least, greatest } = summarise(given)!
      const below = given.filter(value => value < median).length
      const above = given.filter(value => value > median).length
      return least <= median && median <= greatest && below <= given.length / 2 && above <= given.length / 2
    }),
  )
  t.pass()
})

test('three digits are shown', t => {
  t.is(rounded(1234.5), 1230)
  t.is(formatSummary({ median: 0.98765, least: 0.9, greatest: 12_345, rounds: 5 }), '0.988 (0.9 to 12300)')
})

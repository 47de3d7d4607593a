import test from 'ava'
import { formatMicroTime, formatTime, parseTimestamp } from '#cluster/api/timestamp.ts'

const cases: readonly [string, string, string][] = [
  ['2031-05-01T12:00:00Z', '2031-05-01T12:00:00Z', '2031-05-01T12:00:00.000000Z'],
  ['2031-05-01T12:00:00.1234567Z', '2031-05-01T12:00:00Z', '2031-05-01T12:00:00.123456Z'],
  ['2031-05-01T14:30:00+02:30', '2031-05-01T12:00:00Z', '2031-05-01T12:00:00.000000Z'],
  ['2031-05-01T10:00:00-02:00', '2031-05-01T12:00:00Z', '2031-05-01T12:00:00.000000Z'],
  ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59Z', '1969-12-31T23:59:59.500000Z'],
]

for (const [given, time, microTime] of cases) {
  test(given, t => {
    const microseconds = parseTimestamp(given)
    t.not(microseconds, undefined)
    if (microseconds === undefined) return
    t.is(formatTime(microseconds), time)
    t.is(formatMicroTime(microseconds), microTime)
  })
}

test('what is no RFC 3339 time', t => {
  for (const text of [
    '',
    '2031-05-01',
    '2031-05-01 12:00:00Z',
    '2031-02-30T00:00:00Z',
    '2031-05-01T24:00:00Z',
    '2031-05-01T12:00:00',
  ]) {
    t.is(parseTimestamp(text), undefined, text)
  }
})

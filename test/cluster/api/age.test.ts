import test from 'ava'
import { ageSince, humanDuration } from '#cluster/api/age.ts'

const S = 1000
const M = 60 * S
const H = 60 * M
const D = 24 * H

const cases: readonly [number, string][] = [
  [-2 * S, '<invalid>'],
  [-1 * S, '0s'],
  [0, '0s'],
  [999, '0s'],
  [119 * S, '119s'],
  [2 * M, '2m'],
  [5 * M + 3 * S, '5m3s'],
  [9 * M + 59 * S, '9m59s'],
  [10 * M + 59 * S, '10m'],
  [179 * M, '179m'],
  [3 * H, '3h'],
  [3 * H + 5 * M, '3h5m'],
  [7 * H + 59 * M, '7h59m'],
  [8 * H + 59 * M, '8h'],
  [47 * H, '47h'],
  [2 * D, '2d'],
  [2 * D + 5 * H, '2d5h'],
  [7 * D + 23 * H, '7d23h'],
  [8 * D + 23 * H, '8d'],
  [729 * D, '729d'],
  [730 * D, '2y'],
  [2 * 365 * D + 3 * D, '2y3d'],
  [9 * 365 * D + 3 * D, '9y'],
]

for (const [milliseconds, text] of cases) {
  test(`${milliseconds} ms are ${text}`, t => t.is(humanDuration(milliseconds), text))
}

test('ages of times that are none are unknown', t => {
  t.is(ageSince(undefined, 0), '<unknown>')
  t.is(ageSince('soon', 0), '<unknown>')
  t.is(ageSince('1970-01-01T00:00:00Z', 5 * M), '5m')
})

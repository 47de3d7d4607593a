import test from 'ava'
import { Recorder } from '../../../bench/recorder.ts'
import { type Results, ratioOf, summaryOf } from '../../../bench/report/results.ts'

const recorder = new Recorder(3)
recorder.add('hits', 0, { ours: { time: 2 }, theirs: { time: 4 } })
recorder.add('hits', 1, { ours: { time: 20 }, theirs: { time: 20 } })
recorder.add('hits', 2, { ours: { time: 3 } })
recorder.add('change', 1, { 'p99, ms': 7, 'p50, ms': Number.NaN })

const results: Results = {
  date: '2026-01-01T00:00:00.000Z',
  machine: {},
  versions: {},
  load: [0, 0],
  rounds: 3,
  problems: [],
  cases: recorder.cases,
}

const cell = (subject: string) => ({ case: 'hits', subject, figure: 'time' })

test('a figure has a place for each round', t => {
  t.deepEqual(results.cases.hits, { ours: { time: [2, 20, 3] }, theirs: { time: [4, 20, null] } })
  t.deepEqual(results.cases.change, { '': { 'p99, ms': [null, 7, null], 'p50, ms': [null, null, null] } })
})

test('a summary is of the rounds that have a value', t => {
  t.deepEqual(summaryOf(results, cell('theirs')), { median: 12, least: 4, greatest: 20, rounds: 2 })
  t.is(summaryOf(results, { case: 'change', figure: 'p50, ms' }), undefined)
  t.is(summaryOf(results, { case: 'none', figure: 'p50, ms' }), undefined)
})

test('a ratio is of the same round', t => {
  t.deepEqual(ratioOf(results, cell('ours'), cell('theirs')), { median: 0.75, least: 0.5, greatest: 1, rounds: 2 })
  t.is(ratioOf(results, cell('ours'), cell('nobody')), undefined)
})

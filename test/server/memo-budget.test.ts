import test from 'ava'
import { memoBudget } from '#server/memo-budget.ts'
import { serverOptions } from '#server/options.ts'

const MEBIBYTE = 1024 * 1024

test('all memos together keep what is wanted, whatever the number of workers', t => {
  const total = serverOptions.memo.default
  t.is(total, 16 * MEBIBYTE)
  t.deepEqual(memoBudget(total, 0, undefined), { main: total, worker: 0 })
  for (const workers of [1, 2, 4, 7]) {
    const { main, worker } = memoBudget(total, workers, undefined)
    t.is(main, total / 4)
    t.true(main + workers * worker <= total && main + workers * worker > total - workers - 1)
  }
})

test('and no more than a tenth of the container', t => {
  const wanted = 64 * MEBIBYTE
  const { main, worker } = memoBudget(wanted, 2, 170 * MEBIBYTE)
  t.true(main + 2 * worker <= 17 * MEBIBYTE && main + 2 * worker > 17 * MEBIBYTE - 3)
  t.deepEqual(memoBudget(wanted, 0, 1024 * MEBIBYTE), { main: wanted, worker: 0 })
})

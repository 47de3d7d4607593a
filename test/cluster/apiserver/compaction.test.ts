import test from 'ava'
import { startCompaction } from '#cluster/apiserver/compaction.ts'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import { prefixRange, type Store } from '#cluster/store/kv.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const put = async (store: Store, text: string): Promise<number> => {
  const operations = [{ type: 'put', key: '/registry/a', value: Buffer.from(text) }] as const
  return (await store.transact({ compare: [], operations })).revision
}

test('history is kept for one interval at least, and not for two', async t => {
  const clock = new VirtualClock()
  const store = await openSqliteStore({
    directory: temporaryFolder(t),
    logger: silentLogger,
    registry: createRegistry(),
  })
  let compacted = Promise.withResolvers<number>()
  const watched: Store = Object.assign(Object.create(store) as Store, {
    compact: async (revision: number) => {
      await store.compact(revision)
      compacted.resolve(revision)
    },
    revision: () => store.revision(),
  })
  const stop = startCompaction({ store: watched, clock, logger: silentLogger, interval: 1000 })
  t.teardown(async () => {
    stop()
    await store.close()
  })
  const first = await put(store, '1')
  const second = await put(store, '2')
  await clock.advance(1000)
  await store.revision()
  const third = await put(store, '3')
  const range = prefixRange('/registry/')
  t.is((await store.range(range, { revision: first })).count, 1)
  await clock.advance(1000)
  t.is(await compacted.promise, second)
  await t.throwsAsync(store.range(range, { revision: first }), { message: /compacted/ })
  t.is((await store.range(range, { revision: second })).count, 1)
  compacted = Promise.withResolvers()
  await clock.advance(1000)
  t.is(await compacted.promise, third)
})

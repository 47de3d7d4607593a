import type { Store } from '#cluster/store/kv.ts'
import { everything, type Law, open, problemOf, put, remove, text } from './place.ts'

export const testHistory = (law: Law): void => {
  law('a range and a key can be read as of a revision', async (t, store) => {
    await put(store, '/a', 'a1')
    await put(store, '/b', 'b2')
    await put(store, '/a', 'a3')
    await remove(store, '/b')
    await put(store, '/b', 'b5')
    const at = async (revision: number) =>
      (await store.range(everything, { revision })).keyValues.map(({ value }) => text(value))
    t.deepEqual(await Promise.all([0, 1, 2, 3, 4, 5].map(at)), [
      [],
      ['a1'],
      ['a1', 'b2'],
      ['a3', 'b2'],
      ['a3'],
      ['a3', 'b5'],
    ])
    t.like(await store.get('/b', { revision: 3 }), { createRevision: 2, modRevision: 2, version: 1 })
    t.is(await store.get('/b', { revision: 4 }), undefined)
    t.like(await store.range(everything, { revision: 3, limit: 1 }), { more: true, count: 2, revision: 3 })
  })

  law('a revision that is still to come cannot be read', async (t, store) => {
    await put(store, '/a', 'one')
    t.deepEqual(await problemOf(t, store.range(everything, { revision: 2 })), { problem: 'future', current: 1 })
    t.deepEqual(await problemOf(t, store.compact(2)), { problem: 'future', current: 1 })
  })

  law('compaction forgets what was before it and keeps what was at it', async (t, store, place) => {
    for (const value of ['1', '2', '3', '4']) await put(store, '/a', value)
    await put(store, '/b', '5')
    await remove(store, '/b')
    await store.compact(3)
    await store.compact(2)
    const compacted = { problem: 'compacted', compacted: 3 } as const
    const check = async (open: Store) => {
      t.deepEqual(await problemOf(t, open.range(everything, { revision: 2 })), compacted)
      t.deepEqual(await problemOf(t, open.get('/a', { revision: 0 })), compacted)
      t.is(text((await open.get('/a', { revision: 3 }))?.value), '3')
      t.is(text((await open.get('/b', { revision: 5 }))?.value), '5')
      t.is(await open.revision(), 6)
    }
    await check(store)
    await store.close()
    await check(await open(t, place))
  })

  law('compaction of everything keeps what is there', async (t, store) => {
    for (let index = 0; index < 1_200; index++) void put(store, `/${index % 40}`, String(index))
    await remove(store, '/0')
    await store.compact(await store.revision())
    t.is((await store.range(everything)).count, 39)
    t.like(await put(store, '/1', 'on'), { revision: 1_202 })
    t.like(await store.get('/1'), { version: 31, createRevision: 2 })
  })
}

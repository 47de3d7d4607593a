import assert from 'node:assert'
import { continueKey, prefixRange } from '#cluster/store/kv.ts'
import { bytes, everything, type Law, open, put, remove, text } from './place.ts'

export const testReadsAndWrites = (law: Law): void => {
  law('a new store is empty, at revision 0', async (t, store) => {
    t.is(await store.revision(), 0)
    t.is(await store.get('/a'), undefined)
    t.deepEqual(await store.range(everything), { keyValues: [], more: false, count: 0, revision: 0 })
  })

  law('a put makes a key, the next one changes it, a delete ends it, another makes it anew', async (t, store) => {
    t.deepEqual(await put(store, '/a', 'one'), { committed: true, revision: 1 })
    t.deepEqual(await put(store, '/a', 'two'), { committed: true, revision: 2 })
    t.deepEqual(await store.get('/a'), {
      key: '/a',
      value: bytes('two'),
      createRevision: 1,
      modRevision: 2,
      version: 2,
      lease: 0,
    })
    t.deepEqual(await remove(store, '/a'), { committed: true, revision: 3 })
    t.is(await store.get('/a'), undefined)
    await put(store, '/a', 'three')
    t.like(await store.get('/a'), { createRevision: 4, modRevision: 4, version: 1 })
    t.is(await store.revision(), 4)
  })

  law('a transaction that changes nothing has no revision of its own', async (t, store) => {
    await put(store, '/a', 'one')
    t.deepEqual(await remove(store, '/absent'), { committed: true, revision: 1 })
    t.deepEqual(await store.transact({ compare: [{ key: '/a', modRevision: 1 }], operations: [] }), {
      committed: true,
      revision: 1,
    })
    t.is(await store.revision(), 1)
  })

  law('all operations of a transaction share a revision', async (t, store) => {
    await put(store, '/b', 'old')
    const result = await store.transact({
      compare: [],
      operations: [
        { type: 'put', key: '/a', value: bytes('new') },
        { type: 'delete', key: '/b' },
        { type: 'put', key: '/c', value: bytes('') },
      ],
    })
    t.deepEqual(result, { committed: true, revision: 2 })
    const { keyValues } = await store.range(everything)
    t.deepEqual(
      keyValues.map(({ key, modRevision }) => [key, modRevision]),
      [
        ['/a', 2],
        ['/c', 2],
      ],
    )
    t.is(keyValues[1]?.value.byteLength, 0)
  })

  law('when a comparison fails nothing is written, and the answer says what is there', async (t, store) => {
    await put(store, '/a', 'one')
    const result = await store.transact({
      compare: [
        { key: '/a', modRevision: 0 },
        { key: '/b', modRevision: 0 },
      ],
      operations: [
        { type: 'put', key: '/a', value: bytes('two') },
        { type: 'put', key: '/b', value: bytes('two') },
      ],
    })
    t.false(result.committed)
    assert(!result.committed)
    t.is(result.revision, 1)
    t.is(text(result.current[0]?.value), 'one')
    t.is(result.current[1], undefined)
    t.is(await store.get('/b'), undefined)
  })

  law('of concurrent writers that compare the same revision exactly one wins', async (t, store) => {
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        store.transact({
          compare: [{ key: '/lock', modRevision: 0 }],
          operations: [{ type: 'put', key: '/lock', value: bytes(String(index)) }],
        }),
      ),
    )
    const winners = results.flatMap((result, index) => (result.committed ? [String(index)] : []))
    t.is(winners.length, 1)
    t.is(text((await store.get('/lock'))?.value), winners[0])
    t.is(await store.revision(), 1)
  })

  law('what a caller does with its bytes after a put changes nothing', async (t, store) => {
    const value = Buffer.from('kept')
    const written = store.transact({ compare: [], operations: [{ type: 'put', key: '/a', value }] })
    value.fill(0)
    await written
    t.is(text((await store.get('/a'))?.value), 'kept')
  })

  law(
    'a key is written and compared at most once in a transaction, and is neither empty nor holds NUL',
    async (t, store) => {
      const operation = (key: string) => ({ type: 'put', key, value: bytes('') }) as const
      await t.throwsAsync(store.transact({ compare: [], operations: [operation('/a'), operation('/a')] }))
      const comparison = { key: '/a', modRevision: 0 }
      await t.throwsAsync(store.transact({ compare: [comparison, comparison], operations: [] }))
      await t.throwsAsync(put(store, '', 'x'))
      await t.throwsAsync(put(store, '/a\0', 'x'))
      t.is(await store.revision(), 0)
    },
  )

  law('ranges are ordered by UTF-8, closed below, open above, and paged', async (t, store) => {
    const keys = ['/p/', '/p/a', '/p/a/b', '/p/é', '/p/\ufffd', '/p/😀', '/p', '/q', '/pa']
    for (const key of [...keys].reverse()) await put(store, key, key)
    const sorted = keys
      .filter(key => key.startsWith('/p/'))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const range = prefixRange('/p/')
    const whole = await store.range(range)
    t.deepEqual(
      whole.keyValues.map(({ key }) => key),
      sorted,
    )
    t.is(whole.count, 6)
    t.like(await store.range(range, { limit: 2, counted: false }), { more: true, count: 2 })
    t.like(await store.range(range, { limit: 6, counted: false }), { more: false, count: 6 })
    const paged: string[] = []
    for (let start = range.start, more = true; more; ) {
      const page = await store.range({ start, end: range.end }, { limit: 2, revision: whole.revision })
      t.is(page.count, sorted.length - paged.length)
      paged.push(...page.keyValues.map(({ key }) => key))
      more = page.more
      start = continueKey(paged.at(-1) ?? '')
    }
    t.deepEqual(paged, sorted)
  })

  law('everything is there after closing and opening again; closed, it refuses', async (t, store, place) => {
    await put(store, '/a', 'one')
    await put(store, '/a', 'two')
    await store.close()
    await store.close()
    await t.throwsAsync(put(store, '/a', 'three'), { code: 'STORE_CLOSED' })
    await t.throwsAsync(store.get('/a'), { code: 'STORE_CLOSED' })
    const again = await open(t, place)
    t.is(await again.revision(), 2)
    t.like(await again.get('/a'), { createRevision: 1, modRevision: 2, version: 2 })
    t.is(text((await again.get('/a', { revision: 1 }))?.value), 'one')
    t.like(await put(again, '/a', 'three'), { revision: 3 })
  })

  law('closing waits for what was accepted', async (t, store, place) => {
    const writes = Array.from({ length: 20 }, (_, index) => put(store, `/${index}`, 'x'))
    await store.close()
    t.is((await Promise.all(writes)).length, 20)
    t.is((await (await open(t, place)).range(everything)).count, 20)
  })
}

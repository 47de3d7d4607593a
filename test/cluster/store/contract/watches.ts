import { type ChangeSet, prefixRange, type StoreWatch } from '#cluster/store/kv.ts'
import { bytes, everything, type Law, put, Recorder } from './place.ts'

export const testWatches = (law: Law): void => {
  law('by the time a write resolves, watches have heard of it', async (t, store) => {
    const recorder = new Recorder(store)
    for (let revision = 1; revision <= 20; revision++) {
      await put(store, `/${revision}`, 'x')
      t.is(recorder.revisions.at(-1), revision)
    }
  })

  law('by the time a read resolves, watches have heard of all that it shows', async (t, store) => {
    const recorder = new Recorder(store)
    for (let round = 0; round < 20; round++) {
      void put(store, '/a', String(round))
      const { revision } = await store.range(everything)
      t.true((recorder.revisions.at(-1) ?? 0) >= revision)
    }
  })

  law('a watch hears only of its range, the changes of a transaction together', async (t, store) => {
    await put(store, '/w/b', 'old')
    const recorder = new Recorder(store, prefixRange('/w/'))
    await put(store, '/v', 'x')
    await store.transact({
      compare: [],
      operations: [
        { type: 'put', key: '/w/a', value: bytes('new') },
        { type: 'delete', key: '/w/b' },
        { type: 'put', key: '/x', value: bytes('elsewhere') },
      ],
    })
    const created = { key: '/w/a', value: bytes('new'), createRevision: 3, modRevision: 3, version: 1, lease: 0 }
    const deleted = { key: '/w/b', value: bytes(''), createRevision: 0, modRevision: 3, version: 0, lease: 0 }
    const expected: ChangeSet[] = [
      {
        revision: 3,
        changes: [
          { type: 'put', keyValue: created },
          { type: 'delete', keyValue: deleted },
        ],
      },
    ]
    t.deepEqual(recorder.sets, expected)
    const late = new Recorder(store, prefixRange('/w/'), 2)
    await late.until(() => late.sets.length === 1)
    t.deepEqual(late.sets, expected, 'history tells the same')
  })

  law('a watch from a past revision under load has no gap, no repetition and no reordering', async (t, store) => {
    for (let index = 0; index < 2_500; index++) void put(store, `/${index % 100}`, String(index))
    await put(store, '/last', 'x')
    const writing = Array.from({ length: 500 }, (_, index) => put(store, `/${index % 100}`, String(index)))
    const recorders = [1, 2, 1_700, 2_501].map(from => ({ from, recorder: new Recorder(store, everything, from) }))
    await Promise.all(writing)
    for (const { from, recorder } of recorders) {
      await recorder.until(() => recorder.sets.length >= 3_001 - from + 1)
      t.deepEqual(
        recorder.revisions,
        Array.from({ length: 3_001 - from + 1 }, (_, index) => from + index),
      )
    }
  })

  law('a watch of a revision to come waits for it', async (t, store) => {
    const recorder = new Recorder(store, everything, 3)
    for (const key of ['/a', '/b', '/c', '/d']) await put(store, key, 'x')
    t.deepEqual(recorder.revisions, [3, 4])
  })

  law('a watch of compacted history ends with the revision that was compacted', async (t, store) => {
    for (const key of ['/a', '/b', '/c']) await put(store, key, 'x')
    await store.compact(2)
    const early = new Recorder(store, everything, 2)
    await early.until(() => early.problems.length > 0)
    t.deepEqual(early.problems, [{ problem: 'compacted', compacted: 2 }])
    t.deepEqual(early.sets, [])
    const justAfter = new Recorder(store, everything, 3)
    await justAfter.until(() => justAfter.sets.length > 0)
    t.deepEqual(justAfter.revisions, [3])
  })

  law('a live watch outlives compaction', async (t, store) => {
    const recorder = new Recorder(store)
    await put(store, '/a', 'x')
    await store.compact(1)
    await put(store, '/a', 'y')
    t.deepEqual(recorder.revisions, [1, 2])
    t.deepEqual(recorder.problems, [])
  })

  law('after close nothing is delivered; the end of the store ends the rest', async (t, store) => {
    const stopped = new Recorder(store)
    const running = new Recorder(store)
    await put(store, '/a', 'x')
    stopped.watch.close()
    stopped.watch.close()
    await put(store, '/b', 'x')
    await store.close()
    t.deepEqual([stopped.revisions, stopped.problems], [[1], []])
    t.deepEqual([running.revisions, running.problems], [[1, 2], [{ problem: 'closed' }]])
    const late = new Recorder(store)
    t.deepEqual(late.problems, [], 'never before watch returned')
    await late.until(() => late.problems.length > 0)
    t.deepEqual(late.problems, [{ problem: 'closed' }])
  })

  law('a delivery may close watches and add them, and one that throws harms no other', async (t, store) => {
    const inner: number[] = []
    const outer: StoreWatch = store.watch(everything, {
      deliver: set => {
        outer.close()
        store.watch(everything, { deliver: ({ revision }) => void inner.push(revision), ended: () => {} })
        throw new Error(`a watcher's bug at ${set.revision}`)
      },
      ended: () => {},
    })
    const other = new Recorder(store)
    await put(store, '/a', 'x')
    await put(store, '/a', 'y')
    t.deepEqual(inner, [2])
    t.deepEqual(other.revisions, [1, 2])
  })
}

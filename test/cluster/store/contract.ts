/**
 * The store's contract as tests: every backend runs them unchanged (`sqlite.test.ts`). A backend gives a way to open a
 * store on a place, and to open that same place again.
 */
import assert from 'node:assert'
import type { ExecutionContext, TestFn } from 'ava'
import {
  type ChangeSet,
  continueKey,
  type KeyRange,
  prefixRange,
  type Store,
  StoreLeaseError,
  type StoreProblem,
  StoreRevisionError,
  type StoreWatch,
} from '#cluster/store/kv.ts'
import type { Clock } from '#lib/clock.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

export interface Place {
  /** Opens the store that lies here; the last one was closed. */
  open(clock?: Clock): Promise<Store>
}

/** A new, empty place. */
export type MakePlace = (t: ExecutionContext) => Place

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value)

export const put = (store: Store, key: string, value: string, lease?: number) =>
  store.transact({
    compare: [],
    operations: [{ type: 'put', key, value: bytes(value), ...(lease === undefined ? {} : { lease }) }],
  })

export const remove = (store: Store, key: string) =>
  store.transact({ compare: [], operations: [{ type: 'delete', key }] })

const everything: KeyRange = { start: '/', end: '0' }

/** A watch whose sets can be waited for. */
class Recorder {
  readonly sets: ChangeSet[] = []
  readonly problems: StoreProblem[] = []
  readonly watch: StoreWatch
  #wake = Promise.withResolvers<void>()

  constructor(store: Store, range: KeyRange = everything, from?: number) {
    const record = <Entry>(list: Entry[], entry: Entry) => {
      list.push(entry)
      this.#wake.resolve()
      this.#wake = Promise.withResolvers()
    }
    this.watch = store.watch(range, {
      ...(from === undefined ? {} : { from }),
      deliver: set => record(this.sets, set),
      ended: problem => record(this.problems, problem),
    })
  }

  get revisions(): number[] {
    return this.sets.map(({ revision }) => revision)
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#wake.promise
  }
}

const problemOf = async (t: ExecutionContext, promise: Promise<unknown>) => {
  const error = await t.throwsAsync(promise, { instanceOf: StoreRevisionError })
  return error?.problem
}

const open = async (t: ExecutionContext, place: Place, clock?: Clock): Promise<Store> => {
  const store = await place.open(clock)
  t.teardown(() => store.close())
  return store
}

export const testContract = (test: TestFn, name: string, makePlace: MakePlace): void => {
  const law = (title: string, run: (t: ExecutionContext, store: Store, place: Place) => Promise<void>) =>
    test(`${name}: ${title}`, async t => {
      const place = makePlace(t)
      await run(t, await open(t, place), place)
    })
  testReadsAndWrites(law)
  testHistory(law)
  testWatches(law)
  testLeases(test, name, makePlace)
}

type Law = (title: string, run: (t: ExecutionContext, store: Store, place: Place) => Promise<void>) => void

const testReadsAndWrites = (law: Law): void => {
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

const testHistory = (law: Law): void => {
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

const testWatches = (law: Law): void => {
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

  law(
    'a watch hears only of its range, the changes of a transaction together, with what was before',
    async (t, store) => {
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
      const before = { key: '/w/b', value: bytes('old'), createRevision: 1, modRevision: 1, version: 1, lease: 0 }
      const deleted = { key: '/w/b', value: bytes(''), createRevision: 0, modRevision: 3, version: 0, lease: 0 }
      const expected: ChangeSet[] = [
        {
          revision: 3,
          changes: [
            { type: 'put', keyValue: created, previous: undefined },
            { type: 'delete', keyValue: deleted, previous: before },
          ],
        },
      ]
      t.deepEqual(recorder.sets, expected)
      const late = new Recorder(store, prefixRange('/w/'), 2)
      await late.until(() => late.sets.length === 1)
      t.deepEqual(late.sets, expected, 'history tells the same')
    },
  )

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

const testLeases = (test: TestFn, name: string, makePlace: MakePlace): void => {
  const law = (
    title: string,
    run: (t: ExecutionContext, store: Store, clock: VirtualClock, place: Place) => Promise<void>,
  ) =>
    test(`${name}: ${title}`, async t => {
      const place = makePlace(t)
      const clock = new VirtualClock()
      await run(t, await open(t, place, clock), clock, place)
    })

  law('a lease that nobody keeps ends with its keys in one transaction', async (t, store, clock) => {
    const { id, ttl } = await store.grantLease(10)
    t.is(ttl, 10)
    const other = await store.grantLease(10)
    await put(store, '/a', 'x', id)
    await put(store, '/b', 'x', id)
    await put(store, '/c', 'x', id)
    await put(store, '/c', 'no longer under it')
    await put(store, '/d', 'x', other.id)
    t.like(await store.get('/a'), { lease: id })
    await clock.advance(9_000)
    t.true(await store.keepLease(other.id))
    const recorder = new Recorder(store)
    await clock.advance(1_000)
    await recorder.until(() => recorder.sets.length > 0)
    t.deepEqual(
      recorder.sets[0]?.changes.map(({ type, keyValue }) => [type, keyValue.key]),
      [
        ['delete', '/a'],
        ['delete', '/b'],
      ],
    )
    t.deepEqual(recorder.revisions, [6])
    t.false(await store.keepLease(id))
    t.deepEqual(
      (await store.range(everything)).keyValues.map(({ key }) => key),
      ['/c', '/d'],
    )
    await t.throwsAsync(put(store, '/e', 'x', id), { instanceOf: StoreLeaseError })
  })

  law('revoking a lease deletes its keys; a lease without keys ends without a revision', async (t, store) => {
    const { id } = await store.grantLease(10)
    await put(store, '/a', 'x', id)
    await store.revokeLease(id)
    t.is(await store.get('/a'), undefined)
    t.false(await store.keepLease(id))
    const empty = await store.grantLease(10)
    t.not(empty.id, id, 'ids are not given twice')
    await store.revokeLease(empty.id)
    t.is(await store.revision(), 2)
  })

  law('a put under a lease that is not there writes nothing', async (t, store) => {
    const operations = [
      { type: 'put', key: '/a', value: bytes('') },
      { type: 'put', key: '/b', value: bytes(''), lease: 77 },
    ] as const
    await t.throwsAsync(store.transact({ compare: [], operations }), { instanceOf: StoreLeaseError })
    t.is(await store.get('/a'), undefined)
  })

  law('a lease survives a restart and has its whole time again', async (t, store, clock, place) => {
    const { id } = await store.grantLease(10)
    await put(store, '/a', 'x', id)
    await clock.advance(8_000)
    await store.close()
    await clock.advance(60_000)
    const again = await open(t, place, clock)
    t.not(await again.get('/a'), undefined)
    const recorder = new Recorder(again)
    await clock.advance(9_999)
    t.deepEqual(recorder.revisions, [])
    t.true(await again.keepLease(id))
    await clock.advance(10_000)
    await recorder.until(() => recorder.sets.length > 0)
    t.is(await again.get('/a'), undefined)
  })
}

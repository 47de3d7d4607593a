import type { ExecutionContext, TestFn } from 'ava'
import { type Store, StoreLeaseError } from '#cluster/store/kv.ts'
import { VirtualClock } from '../../../support/virtual-clock.ts'
import { bytes, everything, type MakePlace, open, type Place, put, Recorder } from './place.ts'

export const testLeases = (test: TestFn, name: string, makePlace: MakePlace): void => {
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

  law('a lease may hold more keys than one transaction', async (t, store, clock) => {
    const { id } = await store.grantLease(10)
    for (const half of ['a', 'b']) {
      const operations = Array.from(
        { length: 2_500 },
        (_, index) => ({ type: 'put', key: `/${half}/${index}`, value: bytes(''), lease: id }) as const,
      )
      t.true((await store.transact({ compare: [], operations })).committed)
    }
    const heard = () => recorder.sets.reduce((sum, { changes }) => sum + changes.length, 0)
    const recorder = new Recorder(store)
    await clock.advance(10_000)
    await recorder.until(() => heard() === 5_000)
    t.is((await store.range(everything)).count, 0)
    t.is(await store.revision(), recorder.revisions.at(-1) ?? 0)
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

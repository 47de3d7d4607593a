/** What the contract's tests have in common. */
import type { ExecutionContext, TestFn } from 'ava'
import {
  type ChangeSet,
  type KeyRange,
  type Store,
  type StoreProblem,
  StoreRevisionError,
  type StoreWatch,
} from '#cluster/store/kv.ts'
import type { Clock } from '#lib/clock.ts'

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

export const everything: KeyRange = { start: '/', end: '0' }

/** A watch whose sets can be waited for. */
export class Recorder {
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

export const problemOf = async (t: ExecutionContext, promise: Promise<unknown>) => {
  const error = await t.throwsAsync(promise, { instanceOf: StoreRevisionError })
  return error?.problem
}

export const open = async (t: ExecutionContext, place: Place, clock?: Clock): Promise<Store> => {
  const store = await place.open(clock)
  t.teardown(() => store.close())
  return store
}

/** Declares a test that gets a store of its own. */
export type Law = (title: string, run: (t: ExecutionContext, store: Store, place: Place) => Promise<void>) => void

export const lawsOf =
  (test: TestFn, name: string, makePlace: MakePlace): Law =>
  (title, run) =>
    test(`${name}: ${title}`, async t => {
      const place = makePlace(t)
      await run(t, await open(t, place), place)
    })

/** The store against a model of a few lines, for random histories (fast-check). */
import assert from 'node:assert'
import fc from 'fast-check'
import {
  type Change,
  type KeyValue,
  prefixRange,
  type Store,
  StoreRevisionError,
  type Transaction,
} from '#cluster/store/kv.ts'
import { bytes, type Law, Recorder, text } from './place.ts'

/** What happened at one revision, and everything that is there after it. */
interface Moment {
  readonly state: ReadonlyMap<string, KeyValue>
  readonly changes: readonly Change[]
}

/** All moments are kept: nothing is clever here. Index: revision − `base`. */
class Model {
  readonly base: number
  readonly moments: Moment[] = [{ state: new Map(), changes: [] }]
  compacted = 0

  constructor(base: number) {
    this.base = base
  }

  get revision(): number {
    return this.base + this.moments.length - 1
  }

  state(revision = this.revision): ReadonlyMap<string, KeyValue> {
    return this.moments[revision - this.base]?.state ?? new Map()
  }

  transact({ compare, operations }: Transaction): boolean {
    const before = this.state()
    if (compare.some(({ key, modRevision }) => (before.get(key)?.modRevision ?? 0) !== modRevision)) return false
    const revision = this.revision + 1
    const state = new Map(before)
    const changes: Change[] = []
    for (const operation of operations) {
      const { key, type } = operation
      const previous = before.get(key)
      if (type === 'delete') {
        if (!state.delete(key)) continue
        const keyValue = { key, value: bytes(''), createRevision: 0, modRevision: revision, version: 0, lease: 0 }
        changes.push({ type, keyValue })
        continue
      }
      const createRevision = previous?.createRevision ?? revision
      const version = (previous?.version ?? 0) + 1
      const keyValue = { key, value: operation.value, createRevision, modRevision: revision, version, lease: 0 }
      state.set(key, keyValue)
      changes.push({ type, keyValue })
    }
    if (changes.length > 0) this.moments.push({ state, changes })
    return true
  }
}

const keyArbitrary = fc.constantFrom('a', 'b', 'c', 'd', 'é', '\ufffd', '😀')

const transactionArbitrary = fc.record({
  // `stale`: the comparison is with a revision that is not the key's.
  compare: fc.uniqueArray(fc.record({ key: keyArbitrary, stale: fc.boolean() }), {
    maxLength: 2,
    selector: c => c.key,
  }),
  operations: fc.uniqueArray(fc.record({ key: keyArbitrary, value: fc.option(fc.string({ maxLength: 4 })) }), {
    maxLength: 3,
    selector: operation => operation.key,
  }),
})

const stepArbitrary = fc.oneof(
  // Sent together, so that they share a commit.
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      group: fc.array(transactionArbitrary, { maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('read' as const),
      back: fc.nat(8),
      limit: fc.option(fc.integer({ min: 1, max: 3 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('watch' as const), back: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('compact' as const), back: fc.nat(8) }) },
)

type Step = typeof stepArbitrary extends fc.Arbitrary<infer Value> ? Value : never
type GivenTransaction = typeof transactionArbitrary extends fc.Arbitrary<infer Value> ? Value : never

/** One random history: its keys lie under a prefix of their own, so that a store can take many. */
class History {
  readonly #store: Store
  readonly #model: Model
  readonly #prefix: string
  readonly #watches: { readonly recorder: Recorder; readonly from: number }[] = []

  constructor(store: Store, base: number, prefix: string) {
    this.#store = store
    this.#model = new Model(base)
    this.#prefix = prefix
  }

  async run(step: Step): Promise<void> {
    const model = this.#model
    switch (step.type) {
      case 'write':
        return this.#write(step.group)
      case 'read':
        return this.#read(model.revision - step.back, step.limit ?? undefined)
      case 'watch': {
        const from = Math.max(model.revision - step.back, model.compacted, model.base) + 1
        this.#watches.push({ recorder: new Recorder(this.#store, prefixRange(this.#prefix), from), from })
        return
      }
      case 'compact': {
        const revision = Math.max(model.revision - step.back, model.base, model.compacted)
        // A watch that still reads history may lose it to a compaction: they are asked first.
        await this.checkWatches()
        await this.#store.compact(revision)
        model.compacted = revision
      }
    }
  }

  /** Each watch heard every moment since its first one, once, in order, whole. */
  async checkWatches(): Promise<void> {
    const { moments, base } = this.#model
    for (const { recorder, from } of this.#watches) {
      const expected = moments
        .map(({ changes }, index) => ({ revision: base + index, changes }))
        .filter(({ revision, changes }) => revision >= from && changes.length > 0)
      await recorder.until(() => recorder.sets.length >= expected.length)
      assert.deepStrictEqual(recorder.sets, expected)
      assert.deepStrictEqual(recorder.problems, [])
    }
  }

  close(): void {
    for (const { recorder } of this.#watches) recorder.watch.close()
  }

  async #write(group: readonly GivenTransaction[]): Promise<void> {
    const sent = group.map(given => this.#transaction(given))
    const answers = await Promise.all(sent.map(transaction => this.#store.transact(transaction)))
    for (const [index, transaction] of sent.entries()) {
      const committed = this.#model.transact(transaction)
      const { revision } = this.#model
      const current = transaction.compare.map(({ key }) => this.#model.state().get(key))
      assert.deepStrictEqual(answers[index], committed ? { committed, revision } : { committed, revision, current })
    }
  }

  /** Comparisons are with the state before the group: later ones of a group may well fail, in both alike. */
  #transaction({ compare, operations }: GivenTransaction): Transaction {
    const state = this.#model.state()
    const name = (key: string) => this.#prefix + key
    return {
      compare: compare.map(({ key, stale }) => {
        const now = state.get(name(key))?.modRevision ?? 0
        return { key: name(key), modRevision: stale ? now + 1 : now }
      }),
      operations: operations.map(({ key, value }) =>
        value === null ? { type: 'delete', key: name(key) } : { type: 'put', key: name(key), value: bytes(value) },
      ),
    }
  }

  async #read(revision: number, limit: number | undefined): Promise<void> {
    const { compacted, base } = this.#model
    if (revision < base) return
    const read = this.#store.range(prefixRange(this.#prefix), { revision, ...(limit === undefined ? {} : { limit }) })
    if (revision < compacted) {
      const problem = await read.catch(error => error instanceof StoreRevisionError && error.problem)
      return assert.deepStrictEqual(problem, { problem: 'compacted', compacted })
    }
    const all = [...this.#model.state(revision).values()].sort((a, b) =>
      Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)),
    )
    const keyValues = all.slice(0, limit)
    assert.deepStrictEqual(await read, { keyValues, more: keyValues.length < all.length, count: all.length, revision })
    const [first] = all
    if (first) assert.deepStrictEqual(text((await this.#store.get(first.key, { revision }))?.value), text(first.value))
  }
}

export const testModel = (law: Law): void => {
  law('random histories read and watch as the model says', async (t, store) => {
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { minLength: 1, maxLength: 25 }), async steps => {
        const base = await store.revision()
        const history = new History(store, base, `/model/${runs++}/`)
        for (const step of steps) await history.run(step)
        await history.checkWatches()
        history.close()
      }),
      { numRuns: 150 },
    )
    t.true(runs >= 150)
  })
}

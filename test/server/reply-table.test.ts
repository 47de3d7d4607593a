/** The memo's memory against a Map: whatever is put, taken over and forgotten, a key's record is its own, or it has none. */
import test from 'ava'
import fc from 'fast-check'
import type { KeptReply } from '#server/kept-reply.ts'
import { QuestionKey } from '#server/question-key.hot.ts'
import { Field, ReplyTable } from '#server/reply-table.hot.ts'
import { queryPacket } from '../support/query-packet.ts'

const SIZE = 4096

const keyOf = (name: string): QuestionKey => {
  const packet = queryPacket(name)
  const key = new QuestionKey()
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  if (!key.read(0, packet, view, 0, packet.length)) throw new Error('no plain question')
  key.seal()
  return key
}

const kept = (reply: Uint8Array, facts: readonly number[], ttls: readonly number[], until: number): KeptReply => ({
  ...{ reply: Buffer.from(reply), facts, ttls, until, keptAt: until - 1, serialAt: 3, serialCell: 4, cookieAt: 5 },
  ...{ anyCase: true, turnsAt: 6, turnsSize: 7, turnsCount: 8, profile: 9 },
  below: { labels: 1, hash: 10, pointers: [11, 12], questionEnd: 13 },
})

/** What a record says. */
const read = (table: ReplyTable, record: number) => {
  const { words, bytes, times } = table
  const number = (field: keyof typeof Field): number => words[record + Field[field]]!
  const list = (from: number, count: number): number[] => [...words.subarray(from, from + count)]
  const reply = 4 * table.replyOf(record)
  return kept(
    bytes.slice(reply, reply + number('replyLength')),
    list(table.factsOf(record), number('factCount')),
    list(table.ttlsOf(record), number('ttlCount')),
    times[(record + Field.until) >> 1]!,
  )
}

const numbers = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { maxLength: 6 })
const NAMES = Array.from({ length: 40 }, (_, number) => `n${number}.${'x'.repeat(number + 1)}.`)
const names = fc.constantFrom(...NAMES)
const steps = fc.array(
  fc.oneof(
    {
      weight: 30,
      arbitrary: fc.record({
        step: fc.constant('put' as const),
        name: names,
        reply: fc.uint8Array({ minLength: 12, maxLength: 600 }),
        ...{ facts: numbers, ttls: numbers, until: fc.integer({ min: 1 }) },
      }),
    },
    { weight: 20, arbitrary: fc.record({ step: fc.constantFrom<'forget' | 'take'>('forget', 'take'), name: names }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('clear' as const) }) },
  ),
  { maxLength: 200, size: 'max' },
)

/** A table beside the Map that says what it should know. */
class Compared {
  readonly #table = new ReplyTable(SIZE)
  readonly #other = new ReplyTable(SIZE)
  readonly #model = new Map<string, KeptReply>()
  refused = 0

  clear(): void {
    this.#table.clear()
    this.#model.clear()
  }

  forget(name: string): void {
    this.#table.forget(keyOf(name))
    this.#model.delete(name)
  }

  put(name: string, reply: KeptReply): void {
    if (this.#table.put(keyOf(name), reply)) {
      this.#model.set(name, reply)
    } else {
      this.refused++
      this.#model.delete(name)
    }
  }

  /** What another table takes over from this one. */
  taken(name: string): unknown {
    const key = keyOf(name)
    this.#other.clear()
    const isTaken = this.#model.has(name) && this.#other.take(key, this.#table, this.#table.find(key))
    return isTaken ? read(this.#other, this.#other.find(key)) : undefined
  }

  told(name: string): unknown {
    const record = this.#table.find(keyOf(name))
    const isKept = record !== 0 && this.#table.times[(record + Field.until) >> 1]! > 0
    return isKept ? read(this.#table, record) : undefined
  }

  expected(name: string): KeptReply | undefined {
    return this.#model.get(name)
  }
}

test('law: a table that has room knows what a Map knows; one without says so, and knows nothing wrong', t => {
  let refused = 0
  const law = fc.property(steps, all => {
    const compared = new Compared()
    for (const each of all) {
      if (each.step === 'clear') compared.clear()
      else if (each.step === 'forget') compared.forget(each.name)
      else if (each.step === 'put') compared.put(each.name, kept(each.reply, each.facts, each.ttls, each.until))
      else t.deepEqual(compared.taken(each.name), compared.expected(each.name))
    }
    for (const name of NAMES) t.deepEqual(compared.told(name), compared.expected(name))
    refused += compared.refused
  })
  fc.assert(law, { numRuns: 100 })
  t.true(refused > 0, 'some table was full')
})

test('keys that fall on one slot find each its own; beyond so many the next is not kept', t => {
  const table = new ReplyTable(1 << 20)
  const keys = Array.from({ length: 70 }, (_, number) => keyOf(`a${number}.`))
  for (const key of keys) key.hash = 7
  const put = keys.map(key => table.put(key, kept(key.bytes.slice(0, key.length), [], [], 1)))
  t.is(put.filter(Boolean).length, 64)
  for (const [index, key] of keys.entries()) {
    const record = table.find(key)
    t.is(record !== 0, put[index]!)
    if (record !== 0) t.deepEqual(read(table, record).reply, Buffer.from(key.bytes.subarray(0, key.length)))
  }
})

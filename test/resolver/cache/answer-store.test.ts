import test from 'ava'
import fc from 'fast-check'
import { AnswerStore } from '#resolver/cache/answer-store.ts'
import { packAnswer, unpackAnswer } from '#resolver/cache/packed-answer.ts'
import { emptyAnswer } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'

const question = { name: 'Www.a.example.', canonicalName: 'www.a.example.', type: recordTypes.A, class: 1 }
const record = (name: string, data: Buffer, type: number = recordTypes.A) => ({ name, type, class: 1, ttl: 60, data })

const serveStale = {
  duration: 0,
  mode: 'verify',
  timeout: 0,
  ttl: 30,
  recheck: 0,
  policy: 'prefer_latest',
} as const

const storeOf = (capacity: number, memory: number) =>
  new AnswerStore({
    capacity: { success: capacity, denial: capacity },
    memory,
    failure: { initial: 5000, maximum: 30_000 },
    serveStale,
  })

/** As a message of so many bytes would be. */
const packedOf = (length: number) => 'x'.repeat(length)

const entryOf = (packed: string) => ({
  packed,
  type: 'success' as const,
  positive: true,
  stored: 0,
  lifetime: 1000,
  hits: 0,
  lastHit: 0,
  memoised: false,
})

test('an answer comes out of its message as it went in, but for AA, a character for each byte', t => {
  const answer = emptyAnswer(rcodes.NOERROR, {
    authoritative: true,
    recursionAvailable: true,
    authenticData: true,
    answers: [
      record('Www.a.example.', Buffer.from('\x01b\x07example\0'), recordTypes.CNAME),
      record('b.example.', Buffer.from([192, 0, 2, 1])),
    ],
    authority: [record('example.', Buffer.from('\x02ns\x07example\0'), recordTypes.NS)],
    additional: [record('ns.example.', Buffer.from([192, 0, 2, 3]))],
    extendedErrors: [{ code: 3, text: 'stale' }],
  })
  const packed = packAnswer(answer, question)!
  t.regex(packed, /^[\0-\xff]*$/)
  t.deepEqual(unpackAnswer(packed), { ...answer, authoritative: false, question })
})

test('law: any rcode and number of records; what no message can hold is not packed', t => {
  const records = fc.array(
    fc.record({ name: fc.constantFrom('www.a.example.', 'b.'), data: fc.uint8Array({ maxLength: 40_000 }) }),
    { maxLength: 3 },
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4095 }), records, records, (rcode, answers, additional) => {
      const made = (list: typeof answers) => list.map(({ name, data }) => record(name, Buffer.from(data), 65_280))
      const answer = emptyAnswer(rcode, { answers: made(answers), additional: made(additional) })
      const packed = packAnswer(answer, question)
      const length = [...answers, ...additional].reduce((sum, { data }) => sum + data.length, 0)
      if (!packed) return length > 60_000
      const { question: asked, ...unpacked } = unpackAnswer(packed)
      t.deepEqual(unpacked, answer)
      return asked.name === question.name && packed.length <= 0xffff
    }),
    { numRuns: 100 },
  )
})

test('law: whatever is stored, the bytes stay within the bound', t => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 65_535 })), { maxLength: 80 }),
      sets => {
        const memory = 300_000
        const store = storeOf(1024, memory)
        return sets.every(([name, length]) => {
          store.set(`1 0 n${name}.`, entryOf(packedOf(length)))
          store.failures.note(`1 0 f${name}.`, packedOf(length), 0)
          return store.bytes <= memory
        })
      },
    ),
    { numRuns: 100 },
  )
  t.pass()
})

test('a failure leaves what was known alone; an answer ends the failure', t => {
  const store = storeOf(1024, 10_000_000)
  store.set('key', entryOf(packedOf(12)))
  store.failures.note('key', packedOf(12), 0)
  t.is(store.find('key', 500)?.freshness, 'fresh')
  t.truthy(store.failures.current('key', 500))
  store.set('key', { ...entryOf(packedOf(12)), type: 'denial' })
  t.is(store.failures.current('key', 500), undefined)
  t.is(store.find('key', 500)?.entry.type, 'denial')
})

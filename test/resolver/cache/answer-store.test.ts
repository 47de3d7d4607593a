import test from 'ava'
import { AnswerStore } from '#resolver/cache/answer-store.ts'
import { emptyAnswer } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'

test('an entry keeps its own bytes in memory, and nothing beside them', t => {
  const store = new AnswerStore({ capacity: { success: 10, denial: 10 } })
  const record = (name: string, data: Buffer) => ({ name, type: recordTypes.A, class: 1, ttl: 60, data })
  // As the wire code gives them: slices of memory that others share.
  const answers = [record('a.', Buffer.from([192, 0, 2, 1])), record('a.', Buffer.from([192, 0, 2, 2]))]
  const additional = [record('b.', Buffer.from([192, 0, 2, 3]))]
  const answer = emptyAnswer(rcodes.NOERROR, { answers, additional })
  store.set('key', { answer, type: 'success', failure: false, stored: 0, lifetime: 1000, hits: 0, lastHit: 0 })
  const kept = store.get('success', 'key')!.answer
  t.deepEqual(kept, answer)
  for (const { data } of [...kept.answers, ...kept.additional]) t.is(data.buffer.byteLength, 12)
})

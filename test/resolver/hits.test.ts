import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { HitCounters } from '#resolver/hits.ts'
import type { Reply } from '#resolver/plugin.ts'
import type { Query } from '#resolver/query.ts'
import { emptyAnswer } from '#resolver/verdict.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import { queryPacket, requestContext } from '../support/query-packet.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** In memory that is far larger, as what was received with others is. */
const amongOthers = (bytes: Buffer): Buffer => {
  const memory = Buffer.from(new ArrayBuffer(65_536))
  bytes.copy(memory, 100)
  return memory.subarray(100, 100 + bytes.length)
}

const kind = (number: number): [Query, Reply] => {
  const edns = { udpSize: 1232, dnssecOk: false, options: [{ code: 65_001, data: Buffer.alloc(4) }] }
  const decoded = decodeQuery(amongOthers(queryPacket('a.', { type: number, edns })), requestContext(), 0)
  if (decoded.verdict !== 'query') throw new Error(decoded.verdict)
  const record = { name: 'a.', type: number, class: 1, ttl: 5, data: amongOthers(Buffer.alloc(4)) }
  const answer = emptyAnswer(0, { authoritative: true, answers: [record] })
  return [decoded.query, { answer, by: 'somebody', packet: amongOthers(Buffer.alloc(100)), duration: 0 }]
}

test('a kind of hits holds no more than it is made of, and is told as it was', async t => {
  const counters = new HitCounters()
  const told: [Query, Reply, number][] = []
  const reporter = { name: 'counts', reportHits: (...each: [Query, Reply, number]) => told.push(each) }
  const audience = { zones: ['.'], reporters: [reporter], observer: undefined, counted: [] }
  const held = Array.from({ length: 500 }, (_, number) => counters.of(...kind(number + 256), audience))
  // What lies outside of the heap is freed beside the program, and counted as gone by the next collection.
  for (let time = 0; time < 4; time++) {
    collectGarbage()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { arrayBuffers } = process.memoryUsage()
  t.true(arrayBuffers < 16 * 1024 * 1024, `${arrayBuffers} bytes`)
  held[7]!.add(3, 0.5)
  const [query, reply, hits] = told[0]!
  t.is(hits, 3)
  t.is(query.question.type, 263)
  t.is(query.edns?.options[0]?.data.length, 4)
  t.is(query.packet.length, queryPacket('a.', { edns: { udpSize: 1232, dnssecOk: false, options: [] } }).length + 8)
  t.is(reply.answer?.answers.length, 1)
  t.is(reply.packet?.length, 100)
  t.is(reply.duration, 0.5)
  t.is(counters.of(...kind(263), audience), held[7]!)
})

/** What the memo takes: of memory for what it keeps, and of new memory for each reply that it gives. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { ChangeBoard } from '#lib/change-board.ts'
import { Answers } from '#server/answers.hot.ts'
import type { KeptReply } from '#server/kept-reply.ts'
import { queryPacket } from '../support/query-packet.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const NOW = 1000

/** A reply of `size` bytes, as it comes from another thread: a view of far more. */
const keptReply = (question: Buffer, size = 100, more: Partial<KeptReply> = {}): KeptReply => {
  const memory = Buffer.from(new ArrayBuffer(65_536))
  question.copy(memory, 8)
  return {
    reply: memory.subarray(8, 8 + size),
    ...{ facts: [1, 0, 2, 0, 3, 0], until: Number.POSITIVE_INFINITY, ttls: [], keptAt: 0 },
    ...{ serialAt: 0, serialCell: 0, cookieAt: 0, anyCase: true, turnsAt: 0, turnsSize: 0, turnsCount: 0, profile: 1 },
    ...more,
  }
}

/** What lies outside of the heap is freed beside the program, and counted as gone by the next collection. */
const bytesHeld = async (): Promise<number> => {
  for (let time = 0; time < 4; time++) {
    collectGarbage()
    await new Promise(resolve => setImmediate(resolve))
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

test.serial('what is kept takes no more than its budget, whatever memory it came in', async t => {
  const budget = 4 * 1024 * 1024
  const before = await bytesHeld()
  const answers = new Answers(new ChangeBoard().shared, budget)
  for (let number = 0; number < 20_000; number++) {
    const question = queryPacket(`name-${number}.some-namespace.svc.cluster.local.`)
    answers.keep(0, question, keptReply(question))
  }
  const grown = (await bytesHeld()) - before
  t.true(grown < 1.25 * budget, `${grown} bytes`)
  const last = queryPacket('name-19999.some-namespace.svc.cluster.local.')
  t.is(answers.find(0, last, 0, last.length, Buffer.alloc(512), 0, NOW), 100)
})

/** Bytes of new heap that a call of `give` takes for each of its `replies`, usually. */
const heapPerReply = (replies: number, give: () => void): number => {
  // So few that nothing is collected meanwhile; the compiler may still be at work in some rounds.
  const all = Array.from({ length: 21 }, () => {
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    give()
    return (process.memoryUsage().heapUsed - before) / replies
  })
  return all.sort((one, other) => one - other)[10]!
}

/** Bytes: a number or two that did not fit in a register. */
const NEXT_TO_NOTHING = 64

/** Where all questions are read and all replies written, as everywhere. */
const input = Buffer.alloc(512)
const output = Buffer.alloc(512)

const hitsOf = (answers: Answers, questions: readonly Buffer[], times: number): number => {
  let hits = 0
  for (let time = 0; time < times; time++)
    for (const question of questions) {
      const length = question.copy(input)
      if (answers.find(0, input, 0, length, output, 0, NOW + time) > 0) hits++
    }
  return hits
}

test.serial('a reply that is given costs no new memory', t => {
  const answers = new Answers(new ChangeBoard().shared, 1024 * 1024)
  const questions = Array.from({ length: 100 }, (_, number) =>
    queryPacket(`name-${number}.ns.svc.cluster.local.`, { recursionDesired: true }),
  )
  for (const question of questions) {
    const aged = { ttls: [50], keptAt: 0, serialAt: 60, serialCell: 65_536 }
    answers.keep(0, question, keptReply(question, 100, { ...aged, turnsAt: 70, turnsSize: 10, turnsCount: 3 }))
  }
  t.is(hitsOf(answers, questions, 1000), 100_000)
  const usual = heapPerReply(2000, () => hitsOf(answers, questions, 20))
  t.true(usual < NEXT_TO_NOTHING, `${usual} bytes a hit`)
  t.log(`${usual.toFixed(0)} bytes a hit`)
})

test.serial('neither does one to a name that nobody has asked for', t => {
  const answers = new Answers(new ChangeBoard().shared, 1024 * 1024)
  const questions = Array.from({ length: 100 }, (_, number) => queryPacket(`never-${number}.ns.svc.cluster.local.`))
  const [first, ...others] = questions as [Buffer, ...Buffer[]]
  const below = { labels: 4, hash: 4711, pointers: [first.length], questionEnd: first.length }
  answers.keep(0, first, keptReply(first, 100, { below, serialAt: 60, serialCell: 65_536 }))
  t.is(hitsOf(answers, others, 1000), 99_000)
  const usual = heapPerReply(1980, () => hitsOf(answers, others, 20))
  t.true(usual < NEXT_TO_NOTHING, `${usual} bytes a reply`)
  t.log(`${usual.toFixed(0)} bytes a reply`)
})

test('terms for all names below one are no reason to forget what that one itself is told', t => {
  const answers = new Answers(new ChangeBoard().shared, 1024 * 1024)
  const question = queryPacket('com.cluster.local.')
  const below = { labels: 3, hash: undefined, pointers: [], questionEnd: question.length }
  answers.keep(0, question, keptReply(question, 100, { below }))
  t.is(answers.find(0, question, 0, question.length, Buffer.alloc(512), 0, NOW), 100)
})

test('a reply that fills its room to the last byte is whole', t => {
  const answers = new Answers(new ChangeBoard().shared, 1024 * 1024)
  const question = queryPacket('a.')
  for (const size of [65_532, 65_533, 65_534, 65_535]) {
    const reply = Buffer.alloc(size, 0xab)
    question.copy(reply)
    answers.keep(0, question, keptReply(question, size, { reply }))
    const output = Buffer.allocUnsafeSlow(size)
    t.is(answers.find(0, question, 0, question.length, output, 0, NOW), size)
    t.true(output.equals(reply), `${size} bytes`)
  }
})

test('what is too long to be kept ends what was kept before it', t => {
  const answers = new Answers(new ChangeBoard().shared, 4096)
  const question = queryPacket('a.')
  const find = () => answers.find(0, question, 0, question.length, Buffer.alloc(4096), 0, NOW)
  answers.keep(0, question, keptReply(question))
  t.is(find(), 100)
  for (let time = 0; time < 3; time++) answers.keep(0, question, keptReply(question, 3000))
  t.is(find(), 0)
})

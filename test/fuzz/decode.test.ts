/**
 * Fuzzing of what reads bytes from the network: the corpus, mutated, for a bounded time. `FUZZ_SECONDS` makes it longer,
 * `FUZZ_SEED` repeats a run. A packet that breaks a law belongs into corpus/ (one packet a file, hexadecimal).
 */
import { readdirSync, readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { emptyAnswer } from '#resolver/verdict.ts'
import { encodeAnswer, replyLimit } from '#resolver/wire/encode.ts'
import { decodeQuery, decodeResponse, type ResponseMessage } from '#resolver/wire/message.ts'
import { encodeName, parseName, readName } from '#resolver/wire/name.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { malformedPacket, SeededNumbers } from '../support/malformed-packets.ts'
import { queryPacket, requestContext } from '../support/query-packet.ts'

const SECONDS = Number(process.env.FUZZ_SECONDS ?? 2)
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 0x1_0000_0000)
/** No packet of 64 KiB may take longer, milliseconds; generous for a machine that is busy. */
const SLOWEST = 250

const folder = new URL('corpus/', import.meta.url)
const corpus = readdirSync(folder).map(name => ({
  name,
  packet: Buffer.from(readFileSync(new URL(name, folder), 'latin1').replaceAll(/\s/g, ''), 'hex'),
}))

const tcp = requestContext('tcp')

const checkResponse = (t: ExecutionContext, packet: Buffer, message: ResponseMessage): void => {
  const records = [...message.answers, ...message.authority, ...message.additional]
  const claimed = [6, 8, 10].reduce((sum, at) => sum + packet.readUInt16BE(at), 0)
  t.is(records.length + (message.edns ? 1 : 0), claimed)
  for (const record of records) {
    t.true(recordToText(record).length > 0)
    t.deepEqual(parseName(record.name), { ok: true, value: record.name })
  }
  // What was read can be said again, and means the same.
  const { id, opcode, question, edns, ...answer } = message
  const asked = decodeQuery(queryPacket(question?.name ?? '.', { authenticData: true }), tcp, 0)
  if (asked.verdict !== 'query') throw new Error('our own query is refused')
  const again = decodeResponse(encodeAnswer(asked.query, answer))
  if (!again.ok) throw new Error(again.problem)
  if (again.value.truncated && !message.truncated) return
  t.deepEqual(again.value.answers, message.answers)
  t.deepEqual(again.value.authority, message.authority)
  t.deepEqual(again.value.additional, message.additional)
}

const check = (t: ExecutionContext, packet: Buffer): void => {
  const decoded = decodeQuery(packet, requestContext(), 0)
  if (decoded.verdict === 'refused') t.true(decoded.reply.length >= 12)
  if (decoded.verdict === 'query') {
    const { query } = decoded
    const end = 12 + encodeName(query.question.name).length
    t.deepEqual(encodeName(query.question.name), packet.subarray(12, end))
    const reply = encodeAnswer(query, emptyAnswer(0))
    t.true(reply.length <= replyLimit(query))
    t.deepEqual(reply.subarray(12, end + 4), packet.subarray(12, end + 4))
  }
  const response = decodeResponse(packet)
  if (response.ok) checkResponse(t, packet, response.value)
  for (let at = 0; at < Math.min(packet.length, 64); at++) {
    const read = readName(packet, at)
    if (read) t.true(encodeName(read.name).length <= 255)
  }
}

const mutate = (numbers: SeededNumbers, packet: Buffer): Buffer => {
  const bytes = Buffer.from(packet)
  for (let changes = 1 + numbers.below(6); changes > 0 && bytes.length > 0; changes--) {
    const at = numbers.below(bytes.length)
    if (numbers.below(3) === 0) bytes[at] = numbers.pick([0, 1, 12, 63, 64, 0x7f, 0x80, 0xc0, 0xff])
    else bytes[at]! ^= 1 << numbers.below(8)
  }
  const cut = numbers.below(4) === 0 ? numbers.below(bytes.length + 1) : bytes.length
  return numbers.below(8) === 0 ? Buffer.concat([bytes, numbers.bytes(numbers.below(40))]) : bytes.subarray(0, cut)
}

for (const { name, packet } of corpus) {
  test(`corpus: ${name}`, t => {
    // Their names say what they are.
    t.is(decodeResponse(packet).ok, name.startsWith('answer-'))
    t.is(decodeQuery(packet, tcp, 0).verdict === 'query', name.startsWith('query-'))
    check(t, packet)
  })
}

test('mutations of the corpus break no law', t => {
  const numbers = new SeededNumbers(SEED)
  let runs = 0
  let understood = 0
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; runs++) {
    const packet =
      numbers.below(4) === 0 ? malformedPacket(numbers).packet : mutate(numbers, numbers.pick(corpus).packet)
    const start = performance.now()
    try {
      check(t, packet)
    } catch (error) {
      t.fail(`seed ${SEED}, run ${runs}, packet ${packet.toString('hex')}: ${String(error)}`)
      return
    }
    if (decodeResponse(packet).ok || decodeQuery(packet, tcp, 0).verdict === 'query') understood++
    const time = performance.now() - start
    t.true(time < SLOWEST, `${time} ms for ${packet.toString('hex')}`)
  }
  // Were all refused, or none, the fuzzer would prove nothing.
  t.true(understood > runs / 20 && understood < runs, `${understood} of ${runs}`)
  t.log(`${runs} packets, ${understood} understood, seed ${SEED}`)
})

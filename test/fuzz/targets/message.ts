/** What reads and writes messages: names, records, headers, in both directions. */
import assert from 'node:assert'
import { emptyAnswer } from '#resolver/verdict.ts'
import { encodeAnswer, replyLimit } from '#resolver/wire/encode.ts'
import { decodeQuery, decodeResponse, type ResponseMessage } from '#resolver/wire/message.ts'
import { encodeName, parseName, readName } from '#resolver/wire/name.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { malformedPacket } from '../../support/malformed-packets.ts'
import { queryPacket, requestContext } from '../../support/query-packet.ts'
import { mutated } from '../mutate.ts'
import type { FuzzTarget } from '../target.ts'
import { messageWords } from '../words.ts'

const udp = requestContext()
const tcp = requestContext('tcp')

const checkQuery = (packet: Buffer): void => {
  const decoded = decodeQuery(packet, udp, 0)
  if (decoded.verdict === 'refused') assert(decoded.reply.length >= 12)
  if (decoded.verdict !== 'query') return
  const { query } = decoded
  const end = 12 + encodeName(query.question.name).length
  assert.deepEqual(encodeName(query.question.name), packet.subarray(12, end))
  const reply = encodeAnswer(query, emptyAnswer(0))
  assert(reply.length <= replyLimit(query))
  assert.deepEqual(reply.subarray(12, end + 4), packet.subarray(12, end + 4))
}

const checkResponse = (packet: Buffer, message: ResponseMessage): void => {
  const records = [...message.answers, ...message.authority, ...message.additional]
  const claimed = [6, 8, 10].reduce((sum, at) => sum + packet.readUInt16BE(at), 0)
  assert.equal(records.length + (message.edns ? 1 : 0), claimed)
  for (const record of records) {
    assert(recordToText(record).length > 0)
    assert.deepEqual(parseName(record.name), { ok: true, value: record.name })
  }
  // What was read can be said again, and means the same.
  const { id, opcode, question, edns, ...answer } = message
  const asked = decodeQuery(queryPacket(question?.name ?? '.', { authenticData: true }), tcp, 0)
  assert(asked.verdict === 'query', 'our own query is refused')
  const again = decodeResponse(encodeAnswer(asked.query, answer))
  assert(again.ok, again.ok ? '' : again.problem)
  if (again.value.truncated && !message.truncated) return
  assert.deepEqual(again.value.answers, message.answers)
  assert.deepEqual(again.value.authority, message.authority)
  assert.deepEqual(again.value.additional, message.additional)
}

export const messageTarget: FuzzTarget = {
  name: 'message',
  seedForm: 'hex',
  words: messageWords,
  mutate: (numbers, input) =>
    numbers.below(4) === 0 ? malformedPacket(numbers).packet : mutated(numbers, input, messageWords),
  run(packet) {
    checkQuery(packet)
    const response = decodeResponse(packet)
    if (response.ok) checkResponse(packet, response.value)
    for (let at = 0; at < Math.min(packet.length, 64); at++) {
      const read = readName(packet, at)
      if (read) assert(encodeName(read.name).length <= 255)
    }
  },
}

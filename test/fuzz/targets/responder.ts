/** The whole resolver with its plugins: bytes of a query in, bytes of a reply out. */
import assert from 'node:assert'
import dnsPacket from 'dns-packet'
import type { RequestContext } from '#resolver/listener.ts'
import { rcodes } from '#resolver/wire/codes.ts'
import { replyLimit } from '#resolver/wire/encode.ts'
import { decodeQuery, decodeResponse } from '#resolver/wire/message.ts'
import { skipName } from '#resolver/wire/name.ts'
import { mutated } from '../mutate.ts'
import { type FuzzServer, startConfiguration } from '../server.ts'
import type { FuzzTarget } from '../target.ts'
import { messageWords, randomQuery } from '../words.ts'

let server: FuzzServer

const clients = ['10.77.9.5', '192.0.2.31', '198.51.100.9', 'fd5c:7a90:22::66', '::ffff:10.77.8.20', 'fe80::1%eth0']

/** Of the input itself, so that it can be tried again. */
const contextOf = (input: Buffer): RequestContext => {
  const sum = input.reduce((total, byte) => total + byte, 0)
  const transport = (['udp', 'udp', 'tcp', 'tls', 'https'] as const)[sum % 5]!
  return {
    transport,
    client: { address: clients[sum % clients.length]!, port: 40_000 },
    local: { address: '10.77.0.53', port: 53 },
    server: 'dns://:53',
    ...(transport !== 'udp' && { idleTimeout: 10_000 }),
  }
}

/** What every reply to a packet must be. */
const checkReply = (input: Buffer, reply: Buffer, context: RequestContext): void => {
  assert(input.length >= 12 && (input[2]! & 0x80) === 0, 'a reply to what must not be answered (RFC 1035 §7.3)')
  assert.equal(reply.readUInt16BE(0), input.readUInt16BE(0), 'id')
  assert.equal(reply[2]! & 0xf8, 0x80 | (input[2]! & 0x78), 'QR and opcode')
  const decoded = decodeResponse(reply)
  assert(decoded.ok, decoded.ok ? '' : decoded.problem)
  dnsPacket.decode(reply)
  if (reply.readUInt16BE(4) === 1) {
    const end = skipName(input, 12)! + 4
    assert.deepEqual(reply.subarray(12, end), input.subarray(12, end), 'the question as it was spelled')
  }
  const asked = decodeQuery(input, context, 0)
  if (asked.verdict !== 'query') return
  assert(reply.length <= replyLimit(asked.query), `${reply.length} bytes`)
  assert.equal(decoded.value.edns !== undefined, asked.query.edns !== undefined, 'OPT if and only if there was one')
}

export const responderTarget: FuzzTarget = {
  name: 'responder',
  seedForm: 'hex',
  words: messageWords,
  mutate(numbers, input) {
    const query = randomQuery(numbers)
    return numbers.below(2) === 0 ? query : mutated(numbers, numbers.below(2) === 0 ? query : input, messageWords)
  },
  async start() {
    server = await startConfiguration()
  },
  async run(input) {
    const context = contextOf(input)
    const follow = (messages: Iterable<Buffer>): void => {
      for (const message of messages) checkFollowing(input, message)
    }
    const answer = server.configuration.responder(input, { ...context, ...(context.transport === 'tcp' && { follow }) })
    const reply = answer instanceof Promise ? await answer : answer
    if (reply) checkReply(input, reply, context)
    // What a plugin throws becomes SERVFAIL and is counted.
    if (reply && (reply[3]! & 0xf) === rcodes.SERVFAIL) assert.equal(await server.panics(), 0, 'a plugin threw')
  },
  close: () => server.close(),
}

/** Of a transfer (RFC 5936 §2.2). */
const checkFollowing = (input: Buffer, message: Buffer): void => {
  assert.equal(message.readUInt16BE(0), input.readUInt16BE(0), 'id of a following message')
  assert(decodeResponse(message).ok)
}

/** TCP: the framing of messages (RFC 1035 §4.2.2) and what a connection does with anything else. */
import assert from 'node:assert'
import { decodeResponse } from '#resolver/wire/message.ts'
import { frame } from '../../support/dns-client.ts'
import type { SeededNumbers } from '../../support/malformed-packets.ts'
import { mutated } from '../mutate.ts'
import { type ListeningServer, startListening } from '../server.ts'
import { exchangeStream } from '../stream-exchange.ts'
import type { FuzzTarget } from '../target.ts'
import { messageWords, randomQuery } from '../words.ts'

let server: ListeningServer

/** Milliseconds: a connection that is open for longer stays so. A machine may stand still for a while. */
const DEADLINE = 60_000

const randomStream = (numbers: SeededNumbers): Buffer =>
  Buffer.concat(Array.from({ length: 1 + numbers.below(6) }, () => frame(randomQuery(numbers))))

export const streamTarget: FuzzTarget = {
  name: 'stream',
  seedForm: 'hex',
  words: [...messageWords, Buffer.from([0, 0]), Buffer.from([0xff, 0xff]), Buffer.from([0, 12])],
  mutate: (numbers, input) => {
    const stream = numbers.below(2) === 0 ? randomStream(numbers) : input
    return numbers.below(3) === 0 ? stream : mutated(numbers, stream, messageWords)
  },
  async start() {
    server = await startListening('dns')
  },
  async run(input) {
    const received = await exchangeStream(server.port, input, DEADLINE)
    for (let at = 0; at < received.length; ) {
      assert(at + 2 <= received.length, 'half a length')
      const end = at + 2 + received.readUInt16BE(at)
      assert(end <= received.length, 'half a message')
      const decoded = decodeResponse(received.subarray(at + 2, end))
      assert(decoded.ok, decoded.ok ? '' : decoded.problem)
      at = end
    }
  },
  close: () => server.close(),
}

/** What other servers send: their replies through forward, cache and the plugins that look at answers, to a client. */
import assert from 'node:assert'
import { createHash } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import dnsPacket from 'dns-packet'
import type { Configuration } from '#resolver/configuration.ts'
import { emptyAnswer } from '#resolver/verdict.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeAnswer } from '#resolver/wire/encode.ts'
import { decodeQuery, decodeResponse } from '#resolver/wire/message.ts'
import { skipName } from '#resolver/wire/name.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { bindPair } from '../../support/bind-pair.ts'
import { frame } from '../../support/dns-client.ts'
import { configure, type TestWorld, testWorld } from '../../support/dns-environment.ts'
import { queryPacket, requestContext } from '../../support/query-packet.ts'
import { recordFromText } from '../../support/record-from-text.ts'
import type { FuzzTarget } from '../target.ts'
import { messageWords } from '../words.ts'

const HEADER_LENGTH = 12

const corefile = (port: number): string => `
.:53 {
  loadbalance
  minimal
  dns64 {
    allow_ipv4
  }
  rewrite ttl suffix .example 5-300
  cache 30 {
    prefetch 1
    serve_stale 1h immediate
  }
  rebind
  filter HINFO
  bogus_nxdomain 192.0.2.66
  forward . 127.0.0.1:${port} {
    max_fails 0
  }
}
`

let world: TestWorld
let configuration: Configuration
let datagrams: Socket
let streams: Server
/** Of the reply that is sent next. */
let rest: Buffer = Buffer.alloc(0)

/** Digits that are the input's own, so that each has names of its own and all have the same length: pointers stay right. */
const nameOf = (input: Buffer): string => {
  const digits = createHash('sha256').update(input).digest('hex')
  return `x${digits.slice(0, 8)}.z${digits.slice(8, 16)}.example.`
}

const soa = 'example. 60 SOA ns.example. h.example. 1 2 3 4 60'

const record = (text: string): ResourceRecord => {
  const read = recordFromText(text)
  assert(read.ok)
  return read.value
}

/** What anybody would say: it ends the wait of a forward that has thrown away the other reply. */
const denial = (packet: Buffer): Buffer | undefined => {
  const decoded = decodeQuery(packet, requestContext('tcp'), 0)
  return decoded.verdict === 'query'
    ? encodeAnswer(decoded.query, emptyAnswer(3, { authority: [record(soa)] }))
    : undefined
}

/** An input is a reply without id and question: flags, three counts, records. */
const forgedReply = (packet: Buffer): Buffer => {
  const end = (skipName(packet, HEADER_LENGTH) ?? HEADER_LENGTH) + 4
  const question = packet.subarray(HEADER_LENGTH, end)
  const counts = Buffer.from([0, 1])
  return Buffer.concat([
    packet.subarray(0, 2),
    rest.subarray(0, 2),
    counts,
    rest.subarray(2, 8),
    question,
    rest.subarray(8),
  ])
}

const replyOf = (lines: readonly string[], authority: readonly string[] = [], rcode = 0): Buffer => {
  const name = nameOf(Buffer.alloc(0))
  const packet = queryPacket(name, {})
  const decoded = decodeQuery(packet, requestContext('tcp'), 0)
  assert(decoded.verdict === 'query')
  const records = (texts: readonly string[]) => texts.map(text => record(text.replaceAll('@', name)))
  const answer = { answers: records(lines), authority: records(authority), recursionAvailable: true }
  const reply = encodeAnswer(decoded.query, emptyAnswer(rcode, answer))
  const end = skipName(reply, HEADER_LENGTH)! + 4
  return Buffer.concat([reply.subarray(2, 4), reply.subarray(6, HEADER_LENGTH), reply.subarray(end)])
}

const seeds = (): readonly Buffer[] => [
  replyOf(['@ 60 A 192.0.2.1', '@ 60 A 192.0.2.2']),
  replyOf(['@ 60 CNAME a.@', 'a.@ 30 CNAME b.example.', 'b.example. 10 A 192.0.2.66']),
  replyOf([], [soa], 3),
  replyOf([], [soa]),
  replyOf([], [], 2),
  replyOf(['@ 60 AAAA 2001:db8::1', '@ 60 A 10.0.0.1', '@ 0 TXT "a" "b"']),
  replyOf(['@ 60 MX 10 mail.@', '@ 60 SRV 0 1 80 srv.@', '@ 60 NAPTR 1 1 "u" "x" "!.*!y!" .'], ['@ 60 NS ns.@']),
  replyOf(['@ 60 DNAME other.example.', 'x.@ 60 CNAME x.other.example.', '@ 60 SVCB 1 . alpn=h2 ipv4hint=192.0.2.1']),
]

const check = async (input: Buffer, type: number): Promise<void> => {
  const packet = queryPacket(nameOf(input), { id: 77, type, edns: { udpSize: 1232, dnssecOk: false, options: [] } })
  const reply = await configuration.responder(packet, requestContext('udp'))
  assert(reply, 'no reply')
  assert.equal(reply.readUInt16BE(0), 77, 'id')
  const decoded = decodeResponse(reply)
  assert(decoded.ok, decoded.ok ? '' : decoded.problem)
  assert(reply.length <= 1232, `${reply.length} bytes`)
  dnsPacket.decode(reply)
  const end = skipName(packet, HEADER_LENGTH)! + 4
  assert.deepEqual(reply.subarray(HEADER_LENGTH, end), packet.subarray(HEADER_LENGTH, end), 'the question')
}

export const upstreamTarget: FuzzTarget = {
  name: 'upstream',
  seedForm: 'hex',
  seeds,
  words: messageWords,
  async start() {
    datagrams = createSocket('udp4')
    streams = createServer(socket => {
      socket.on('error', () => socket.destroy())
      let received = Buffer.alloc(0)
      socket.on('data', chunk => {
        received = Buffer.concat([received, chunk])
        while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
          const end = 2 + received.readUInt16BE(0)
          const reply = denial(Buffer.from(received.subarray(2, end)))
          received = received.subarray(end)
          if (reply) socket.write(frame(reply))
        }
      })
    })
    datagrams.on('message', (packet, { address, port: client }) => {
      const reply = denial(packet)
      datagrams.send(forgedReply(packet), client, address)
      if (reply) datagrams.send(reply, client, address)
    })
    const port = await bindPair(streams, datagrams)
    world = testWorld()
    configuration = configure(corefile(port), world)
    await configuration.start(AbortSignal.timeout(60_000))
  },
  async run(input) {
    rest = input.length >= 8 ? input : Buffer.concat([input, Buffer.alloc(8 - input.length)])
    // From the server, from the cache, and when it has become stale.
    await check(input, recordTypes.A)
    await check(input, recordTypes.A)
    await check(input, recordTypes.AAAA)
    await world.clock.advance(40_000)
    await check(input, recordTypes.A)
  },
  async close() {
    await configuration.close()
    datagrams.close()
    streams.close()
  },
}

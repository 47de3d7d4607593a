/** What the wire code costs for one query of the readable path, in microseconds. */

import type { RequestContext } from '#resolver/listener.ts'
import { type Answer, emptyAnswer } from '#resolver/verdict.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeAnswer, encodeQuery } from '#resolver/wire/encode.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import { aData, soaData } from '#resolver/wire/rdata.ts'

const WARM_UP = 20_000
const ROUNDS = 200_000

const context: RequestContext = {
  transport: 'udp',
  client: { address: '127.0.0.1', port: 40_000 },
  local: { address: '127.0.0.1', port: 53 },
  server: 'dns://:53',
}

const name = 'my-svc.my-namespace.svc.cluster.local.'
const edns = { udpSize: 1232, dnssecOk: false, options: [] }
const packet = encodeQuery({ id: 1, name, type: recordTypes.A, recursionDesired: true, edns })

const addresses = (count: number): Answer =>
  emptyAnswer(0, {
    authoritative: true,
    answers: Array.from({ length: count }, (_, index) => ({
      name,
      type: recordTypes.A,
      class: 1,
      ttl: 30,
      data: aData.encode(`10.96.${index >> 8}.${index & 0xff}`),
    })),
  })

const negative: Answer = emptyAnswer(3, {
  authoritative: true,
  authority: [
    {
      name: 'cluster.local.',
      type: recordTypes.SOA,
      class: 1,
      ttl: 30,
      data: soaData.encode({
        mname: 'ns.dns.cluster.local.',
        rname: 'hostmaster.cluster.local.',
        serial: 1,
        refresh: 7200,
        retry: 1800,
        expire: 86_400,
        minimum: 30,
      }),
    },
  ],
})

/** Microseconds a call. */
const measure = (task: () => void, rounds = ROUNDS): number => {
  for (let round = 0; round < WARM_UP; round++) task()
  const start = performance.now()
  for (let round = 0; round < rounds; round++) task()
  return ((performance.now() - start) / rounds) * 1000
}

const answerWith = (answer: Answer) => () => {
  const decoded = decodeQuery(packet, context, 0)
  if (decoded.verdict === 'query') encodeAnswer(decoded.query, answer)
}

export default {
  name: 'wire',
  async run(): Promise<Record<string, number>> {
    const flood = Buffer.concat([packet.subarray(0, 4), Buffer.alloc(8, 0xff)])
    return {
      'decode query, µs': measure(() => decodeQuery(packet, context, 0)),
      'decode and answer 1 A, µs': measure(answerWith(addresses(1))),
      'decode and answer 20 A, µs': measure(answerWith(addresses(20))),
      'decode and answer NXDOMAIN with SOA, µs': measure(answerWith(negative)),
      'decode and answer 5000 A, cut to 1232 bytes, µs': measure(answerWith(addresses(5000)), 20_000),
      'refuse counts of 0xFFFF, µs': measure(() => decodeQuery(flood, context, 0)),
    }
  },
}

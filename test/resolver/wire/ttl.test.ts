import test from 'ava'
import { emptyAnswer } from '#resolver/verdict.ts'
import { encodeAnswer } from '#resolver/wire/encode.ts'
import { decodeQuery, decodeResponse } from '#resolver/wire/message.ts'
import { ageTtls, mapTtls, minimumTtl, ttlOffsets } from '#resolver/wire/ttl.ts'
import { record } from '../../support/dns-server.ts'
import { queryPacket, requestContext } from '../../support/query-packet.ts'

const message = (): Buffer => {
  const edns = { udpSize: 1232, dnssecOk: true, options: [] }
  const decoded = decodeQuery(queryPacket('a.example.', { edns }), requestContext(), 0)
  if (decoded.verdict !== 'query') throw new Error('not a query')
  const answer = emptyAnswer(0, {
    answers: [record('a.example. 300 CNAME b.example.'), record('b.example. 20 A 192.0.2.1')],
    authority: [record('example. 3600 NS ns.example.')],
    additional: [record('ns.example. 7200 A 192.0.2.53')],
  })
  return encodeAnswer(decoded.query, answer)
}

const ttls = (packet: Buffer): number[] => {
  const decoded = decodeResponse(packet)
  if (!decoded.ok) throw new Error(decoded.problem)
  const { answers, authority, additional } = decoded.value
  return [...answers, ...authority, ...additional].map(({ ttl }) => ttl)
}

test('TTLs are found, aged and replaced where they stand; OPT stays as it is', t => {
  const packet = message()
  const offsets = ttlOffsets(packet)!
  t.is(offsets.length, 4)
  t.is(minimumTtl(packet, offsets), 20)
  ageTtls(packet, offsets, 30)
  t.deepEqual(ttls(packet), [270, 0, 3570, 7170])
  mapTtls(packet, offsets, ttl => Math.min(ttl, 100))
  t.deepEqual(ttls(packet), [100, 0, 100, 100])
  const decoded = decodeResponse(packet)
  t.is(decoded.ok && decoded.value.edns?.dnssecOk, true)
})

test('a message without records has no least TTL', t => {
  const packet = queryPacket('a.')
  t.deepEqual(ttlOffsets(packet), [])
  t.is(minimumTtl(packet, []), undefined)
})

test('every beginning of a message is refused', t => {
  const packet = message()
  for (let length = 0; length < packet.length; length++) t.is(ttlOffsets(packet.subarray(0, length)), undefined)
})

import test from 'ava'
import dnsPacket from 'dns-packet'
import fc from 'fast-check'
import type { Query, Transport } from '#resolver/query.ts'
import { type Answer, emptyAnswer } from '#resolver/verdict.ts'
import { parseType, rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { encodeAnswer, encodeQuery, encodeTransfer, replyLimit } from '#resolver/wire/encode.ts'
import { decodeQuery, decodeResponse, type ResponseMessage } from '#resolver/wire/message.ts'
import { escapeLabel, joinName } from '#resolver/wire/name.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { record } from '../../support/dns-server.ts'
import { queryPacket, requestContext } from '../../support/query-packet.ts'

type Asked = Parameters<typeof queryPacket>[1] & { readonly transport?: Transport }

const query = (name: string, { transport, ...fields }: Asked = {}): Query => {
  const decoded = decodeQuery(queryPacket(name, fields), requestContext(transport), 0)
  if (decoded.verdict !== 'query') throw new Error('not a query')
  return decoded.query
}

const edns = (udpSize: number, dnssecOk = false) => ({ udpSize, dnssecOk, options: [] })

const read = (bytes: Buffer): ResponseMessage => {
  const decoded = decodeResponse(bytes)
  if (!decoded.ok) throw new Error(decoded.problem)
  return decoded.value
}

const addresses = (count: number, name = 'a.example.'): ResourceRecord[] =>
  Array.from({ length: count }, (_, index) => record(`${name} 5 A 10.0.${index >> 8}.${index & 0xff}`))

const soa = record('cluster.local. 5 SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5')
const texts = (records: readonly ResourceRecord[]) => records.map(recordToText)

test('the question comes back byte for byte, RD and CD copied, the answer’s own bits set', t => {
  const asked = query('My-SVC.Default.svc.cluster.local.', { checkingDisabled: true })
  const answers = [record('My-SVC.Default.svc.cluster.local. 30 A 10.96.0.1')]
  const bytes = encodeAnswer(asked, emptyAnswer(rcodes.NOERROR, { authoritative: true, answers }))
  t.is(bytes.readUInt16BE(0), asked.id)
  t.is(bytes.readUInt16BE(2), 0x8510)
  t.deepEqual(bytes.subarray(12, asked.packet.length), asked.packet.subarray(12))
  // Owner as a pointer to the question: 2 + 10 + 4 bytes.
  t.is(bytes.length, asked.packet.length + 16)
  t.deepEqual(texts(read(bytes).answers), ['My-SVC.Default.svc.cluster.local. 30 IN A 10.96.0.1'])
})

test('RA, TC and rcode are the answer’s; AD only for who asked (RFC 6840 §5.8)', t => {
  const answer = emptyAnswer(rcodes.NXDOMAIN, { recursionAvailable: true, truncated: true, authenticData: true })
  t.is(encodeAnswer(query('a.'), answer).readUInt16BE(2), 0x8383)
  t.is(encodeAnswer(query('a.', { authenticData: true }), answer).readUInt16BE(2), 0x83a3)
  t.is(encodeAnswer(query('a.', { edns: edns(1232, true) }), answer).readUInt16BE(2), 0x83a3)
})

test('names are shared by spelling only: case stays as it was given (RFC 4343 §4)', t => {
  const records = [
    'a.EXAMPLE. 5 NS ns.example.',
    'b.EXAMPLE. 5 NS ns.EXAMPLE.',
    'a.example. 5 MX 10 Mail.a.EXAMPLE.',
    'x.ns.example. 5 CNAME a.EXAMPLE.',
    '. 5 NS .',
  ].map(record)
  const bytes = encodeAnswer(query('a.EXAMPLE.'), emptyAnswer(0, { answers: records }))
  t.deepEqual(texts(read(bytes).answers), texts(records))
  t.is(bytes.toString('latin1').split('EXAMPLE').length - 1, 1)
  t.is(bytes.toString('latin1').split('example').length - 1, 1)
})

test('RFC 3597 §4, RFC 2782: names in the data of later types are not compressed', t => {
  for (const text of ['a.example. 5 SRV 0 100 443 a.example.', 'a.example. 5 DNAME a.example.']) {
    const srv = record(text)
    const bytes = encodeAnswer(query('a.example.'), emptyAnswer(0, { answers: [srv] }))
    t.deepEqual(bytes.subarray(-srv.data.length), srv.data)
    t.deepEqual(texts(read(bytes).answers), texts([srv]))
  }
})

test('dns-packet reads what we write', t => {
  const answer = emptyAnswer(0, {
    answers: addresses(20),
    authority: [soa],
    additional: [record('t.example. 1 TXT "x" "y"')],
  })
  const decoded = dnsPacket.decode(encodeAnswer(query('a.example.'), answer))
  t.is(decoded.answers?.length, 20)
  t.true(decoded.answers?.every(({ name }) => name === 'a.example'))
  const [authority] = decoded.authorities ?? []
  t.deepEqual(authority?.type === 'SOA' && authority.data.rname, 'hostmaster.cluster.local')
})

for (const [transport, size, limit] of [
  ['udp', undefined, 512],
  ['udp', 0, 512],
  ['udp', 511, 512],
  ['udp', 700, 700],
  ['udp', 1232, 1232],
  ['udp', 4096, 1232],
  ['tcp', undefined, 65_535],
  ['tcp', 512, 65_535],
] as const) {
  test(`over ${transport} a client that takes ${size ?? 'no EDNS'} gets at most ${limit} bytes`, t => {
    const asked = query('a.example.', { transport, edns: size === undefined ? undefined : edns(size) })
    t.is(replyLimit(asked), limit)
    const bytes = encodeAnswer(asked, emptyAnswer(0, { answers: addresses(5000) }))
    const message = read(bytes)
    t.true(message.truncated)
    t.true(bytes.length <= limit && bytes.length > limit - 16, String(bytes.length))
    t.deepEqual(texts(message.answers), texts(addresses(5000).slice(0, message.answers.length)))
    t.is(message.edns?.udpSize, size === undefined ? undefined : 1232)
  })
}

test('another size of our own', t => {
  const bytes = encodeAnswer(query('a.example.', { edns: edns(4096) }), emptyAnswer(0, { answers: addresses(200) }), {
    udpSize: 2048,
  })
  t.true(bytes.length > 1232 && bytes.length <= 2048)
  t.is(read(bytes).edns?.udpSize, 2048)
})

test('RFC 2181 §9: additional records go first, by whole sets, without TC', t => {
  const glue = ['x.example.', 'y.example.', 'z.example.'].flatMap(name => addresses(10, name))
  const answer = emptyAnswer(0, { answers: addresses(5), authority: [], additional: glue })
  const message = read(encodeAnswer(query('a.example.'), answer))
  t.false(message.truncated)
  t.is(message.answers.length, 5)
  t.true(message.additional.length > 0 && message.additional.length < 30)
  t.is(message.additional.length % 10, 0)
})

test('RFC 2308 §2: a negative answer that loses its SOA is truncated; one that fits keeps it', t => {
  const alias = record(`a.example. 5 CNAME ${'b'.repeat(60)}.${'c'.repeat(60)}.example.`)
  const kept = read(encodeAnswer(query('a.example.'), emptyAnswer(3, { answers: [alias], authority: [soa] })))
  t.false(kept.truncated)
  t.deepEqual(texts(kept.authority), texts([soa]))
  const long = { ...alias, data: alias.data }
  const lost = read(
    encodeAnswer(query('a.example.'), emptyAnswer(3, { answers: [...addresses(23), long], authority: [soa] })),
  )
  t.true(lost.truncated)
  t.is(lost.authority.length, 0)
})

test('authority that a positive answer does not need is left out without TC; a referral’s is needed', t => {
  const ns = Array.from({ length: 40 }, (_, index) =>
    record(`example. 5 NS ns${index}.${'n'.repeat(20)}${index}.example.`),
  )
  const positive = read(encodeAnswer(query('a.example.'), emptyAnswer(0, { answers: addresses(2), authority: ns })))
  t.false(positive.truncated)
  t.deepEqual([positive.answers.length, positive.authority.length], [2, 0])
  t.true(read(encodeAnswer(query('a.example.'), emptyAnswer(0, { authority: ns }))).truncated)
})

test('RFC 6891 §7: OPT only to those who sent one; DO comes back', t => {
  const answer = emptyAnswer(0, { answers: addresses(1) })
  t.is(read(encodeAnswer(query('a.'), answer)).edns, undefined)
  t.deepEqual(read(encodeAnswer(query('a.', { edns: edns(4096, true) }), answer)).edns, {
    version: 0,
    udpSize: 1232,
    dnssecOk: true,
    options: [],
  })
})

test('RFC 8914: extended errors; their words give way to records', t => {
  const extendedErrors = [{ code: 22, text: 'no upstream answered: 192.0.2.53' }]
  const asked = query('a.example.', { edns: edns(512) })
  const short = read(encodeAnswer(asked, emptyAnswer(2, { extendedErrors })))
  t.deepEqual(short.extendedErrors, extendedErrors)
  const full = read(encodeAnswer(asked, emptyAnswer(0, { extendedErrors, answers: addresses(28) })))
  t.false(full.truncated)
  t.is(full.answers.length, 28)
  t.deepEqual(full.extendedErrors, [{ code: 22, text: '' }])
  t.is(read(encodeAnswer(query('a.'), emptyAnswer(2, { extendedErrors }))).extendedErrors, undefined)
  const long = [{ code: 0, text: 'x'.repeat(600) }]
  t.true(encodeAnswer(asked, emptyAnswer(2, { extendedErrors: long })).length <= 512)
})

test('an RCODE of twelve bits needs OPT (RFC 6891 §6.1.3)', t => {
  const answer = emptyAnswer(rcodes.BADCOOKIE)
  t.is(read(encodeAnswer(query('a.', { edns: edns(1232) }), answer)).rcode, rcodes.BADCOOKIE)
  t.is(read(encodeAnswer(query('a.'), answer)).rcode, rcodes.SERVFAIL)
})

test('a question to another server is what its decoder reads', t => {
  const options = [{ code: 12, data: Buffer.alloc(3) }]
  const bytes = encodeQuery({
    id: 7,
    name: 'A\\.b.example.',
    type: parseType('HTTPS')!,
    recursionDesired: true,
    authenticData: true,
    edns: { udpSize: 1400, dnssecOk: true, options },
  })
  const decoded = decodeQuery(bytes, requestContext(), 0)
  t.like(decoded.verdict === 'query' && decoded.query, {
    id: 7,
    question: { name: 'A\\.b.example.', canonicalName: 'a\\.b.example.', type: 65, class: 1 },
    recursionDesired: true,
    checkingDisabled: false,
    authenticData: true,
    edns: { version: 0, udpSize: 1400, dnssecOk: true, options },
  })
})

/** RFC 7830 and RFC 8467: to whom, over what, how much. */
const paddings: Record<string, readonly [transport: Transport, padded: boolean, count: number, length: number]> = {
  'over TLS, to the next block': ['tls', true, 1, 468],
  'over HTTPS too': ['https', true, 1, 468],
  'a long reply to the block that it needs': ['tls', true, 100, 4 * 468],
  'not to a client that did not pad': ['tls', false, 1, 54],
  'not where everybody can read': ['tcp', true, 1, 54],
  'not over UDP': ['udp', true, 1, 54],
  'no further than a message goes': ['tls', true, 4093, 65_535],
}

for (const [about, [transport, padded, count, length]] of Object.entries(paddings))
  test(`padding: ${about}`, t => {
    const options = padded ? [{ code: 12, data: Buffer.alloc(100) }] : []
    const asked = query('a.example.', { transport, edns: { ...edns(4096), options } })
    const bytes = encodeAnswer(asked, emptyAnswer(rcodes.NOERROR, { answers: addresses(count) }))
    t.is(bytes.length, length)
    const message = read(bytes)
    t.is(message.answers.length, count)
    const [padding, ...more] = message.edns?.options ?? []
    t.deepEqual([padding?.code, more.length], [length === 54 ? undefined : 12, 0])
    t.true(padding?.data.every(byte => byte === 0) ?? true)
  })

test('padding: a message that is full stays as it is', t => {
  const options = [{ code: 12, data: Buffer.alloc(0) }]
  const asked = query('a.example.', { transport: 'tls', edns: { ...edns(4096), options } })
  // Header, question, OPT, and the fields before the data of a record whose owner is a pointer.
  const overhead = 12 + 15 + 11 + 12
  for (const left of [0, 3, 4, 5]) {
    const data = Buffer.alloc(65_535 - overhead - left)
    const answers = [{ name: 'a.example.', type: 65_280, class: 1, ttl: 5, data }]
    const bytes = encodeAnswer(asked, emptyAnswer(rcodes.NOERROR, { answers }))
    t.is(bytes.length, left < 4 ? 65_535 - left : 65_535)
    t.false(read(bytes).truncated)
  }
})

test('padding: each message of a transfer over TLS, if the client padded its query (RFC 9103)', t => {
  const options = [{ code: 12, data: Buffer.alloc(0) }]
  const records = addresses(3000)
  for (const [transport, isPadded] of [
    ['tls', true],
    ['tcp', false],
  ] as const) {
    const asked = query('a.example.', { transport, type: 252, edns: { ...edns(4096), options } })
    const messages = [...encodeTransfer(asked, records)]
    t.true(messages.length > 2)
    for (const [index, message] of messages.entries()) {
      t.is(message.length % 468 === 0, isPadded, String(message.length))
      t.is(read(message).edns !== undefined, isPadded || index === 0)
    }
    t.is(messages.flatMap(message => read(message).answers).length, 3000)
  }
})

const anyName = fc
  .array(fc.oneof(fc.constantFrom('a', 'B', 'svc', 'Svc', 'example'), fc.uint8Array({ minLength: 1, maxLength: 9 })), {
    maxLength: 6,
  })
  .map(labels => joinName(labels.map(label => escapeLabel(Buffer.from(label as string)))))

const quoted = (name: string): string => name.replaceAll('"', '\\"')

const anyRecord = fc
  .record({
    name: anyName,
    type: fc.constantFrom(recordTypes.A, recordTypes.CNAME, recordTypes.SRV, recordTypes.MX, recordTypes.SOA, 65_280),
    ttl: fc.nat(0x7fffffff),
    target: anyName,
    bytes: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ name, type, ttl, target, bytes }): ResourceRecord => {
    if (type === 65_280) return { name, type, class: 1, ttl, data: Buffer.from(bytes) }
    const data: Record<number, string> = {
      [recordTypes.A]: '192.0.2.1',
      [recordTypes.CNAME]: quoted(target),
      [recordTypes.SRV]: `1 2 3 ${quoted(target)}`,
      [recordTypes.MX]: `1 ${quoted(target)}`,
      [recordTypes.SOA]: `${quoted(target)} ${quoted(name)} 1 2 3 4 5`,
    }
    return {
      ...record(`. 0 ${['A', 'CNAME', 'SRV', 'MX', 'SOA'][[1, 5, 33, 15, 6].indexOf(type)]} ${data[type]}`),
      name,
      ttl,
    }
  })

test('law: what is encoded decodes to the same, or to its beginning with TC', t => {
  const sections = fc.record({
    answers: fc.array(anyRecord, { maxLength: 30 }),
    authority: fc.array(anyRecord, { maxLength: 5 }),
    additional: fc.array(anyRecord, { maxLength: 5 }),
  })
  fc.assert(
    fc.property(anyName, sections, fc.option(fc.nat(2000)), fc.boolean(), (name, given, size, tcp) => {
      const asked = query(name, {
        transport: tcp ? 'tcp' : 'udp',
        edns: size === null ? undefined : edns(size),
      })
      const answer: Answer = emptyAnswer(0, given)
      const bytes = encodeAnswer(asked, answer)
      t.true(bytes.length <= replyLimit(asked))
      const message = read(bytes)
      t.is(message.question?.name, name)
      for (const section of ['answers', 'authority', 'additional'] as const) {
        t.deepEqual(message[section], given[section].slice(0, message[section].length))
      }
      if (!message.truncated) t.is(message.answers.length, given.answers.length)
    }),
    { numRuns: 300 },
  )
})

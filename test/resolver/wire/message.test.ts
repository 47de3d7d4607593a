import test from 'ava'
import dnsPacket from 'dns-packet'
import fc from 'fast-check'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { decodeQuery, decodeResponse } from '#resolver/wire/message.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { queryPacket, requestContext } from '../../support/query-packet.ts'

const context = requestContext()
const decode = (packet: Buffer) => decodeQuery(packet, context, 7)
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

/** A packet of a header with these counts and whatever follows. */
const packet = (flags: number, counts: readonly number[], ...rest: Buffer[]): Buffer => {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(0xbeef, 0)
  header.writeUInt16BE(flags, 2)
  for (const [index, count] of counts.entries()) header.writeUInt16BE(count, 4 + 2 * index)
  return Buffer.concat([header, ...rest])
}

/** `a.` IN A as a question. */
const question = hex('01 61 00 0001 0001')
const opt = hex('00 0029 04d0 00 00 0000 0000')
const soa = hex('01 61 00 0006 0001 00000000 0018 01 61 00 00 00000001 00000001 00000001 00000001 00000001')

test('a plain query comes out whole', t => {
  const bytes = queryPacket('My-Svc.Default.svc.cluster.local.', { checkingDisabled: true, type: recordTypes.AAAA })
  const decoded = decode(bytes)
  t.deepEqual(decoded, {
    verdict: 'query',
    query: {
      id: 0x2a2a,
      question: {
        name: 'My-Svc.Default.svc.cluster.local.',
        canonicalName: 'my-svc.default.svc.cluster.local.',
        type: 28,
        class: 1,
      },
      recursionDesired: true,
      checkingDisabled: true,
      authenticData: false,
      edns: undefined,
      ...context,
      idleTimeout: undefined,
      packet: bytes,
      received: 7,
      trace: undefined,
    },
  })
})

test('RFC 6891: size, DO and options of OPT', t => {
  const options = [
    { code: 3, data: Buffer.alloc(0) },
    { code: 65_123, data: hex('c0ffee') },
  ]
  const decoded = decode(queryPacket('a.', { edns: { udpSize: 4096, dnssecOk: true, options } }))
  t.is(decoded.verdict, 'query')
  t.deepEqual(decoded.verdict === 'query' && decoded.query.edns, {
    version: 0,
    udpSize: 4096,
    dnssecOk: true,
    options,
  })
})

for (const [what, bytes] of [
  ['an empty packet', Buffer.alloc(0)],
  ['eleven bytes', packet(0, [1, 0, 0, 0]).subarray(0, 11)],
  ['a response', packet(0x8000, [1, 0, 0, 0], question)],
  ['a response of an opcode that is not implemented', packet(0xa800, [1, 0, 0, 0], question)],
] as const) {
  test(`silence for ${what}`, t => {
    t.deepEqual(decode(bytes), { verdict: 'ignored' })
  })
}

for (const [what, bytes, rcode] of [
  ['STATUS', packet(0x1100, [1, 0, 0, 0], question), rcodes.NOTIMP],
  ['NOTIFY with its SOA', packet(0x2500, [1, 1, 0, 0], question, soa), rcodes.NOTIMP],
  ['UPDATE', packet(0x2800, [1, 0, 3, 0], question), rcodes.NOTIMP],
  ['an opcode that is not assigned', packet(0x7800, [0xffff, 0xffff, 0xffff, 0xffff]), rcodes.NOTIMP],
  ['no question (RFC 9619 §4)', packet(0x0100, [0, 0, 0, 0]), rcodes.FORMERR],
  ['two questions (RFC 9619 §4)', packet(0x0100, [2, 0, 0, 0], question, question), rcodes.FORMERR],
  ['counts of 0xFFFF', packet(0x0110, [0xffff, 0xffff, 0xffff, 0xffff]), rcodes.FORMERR],
  ['two answers', packet(0, [1, 2, 0, 0], question, soa, soa), rcodes.FORMERR],
  ['two authority records', packet(0, [1, 0, 2, 0], question, soa, soa), rcodes.FORMERR],
  ['three additional records', packet(0, [1, 0, 0, 3], question, soa, soa, soa), rcodes.FORMERR],
  ['a question that is cut off', packet(0, [1, 0, 0, 0], question.subarray(0, 5)), rcodes.FORMERR],
  ['a header alone', packet(0, [1, 0, 0, 0]), rcodes.FORMERR],
  ['a looping pointer', packet(0, [1, 0, 0, 0], hex('c00c 0001 0001')), rcodes.FORMERR],
  ['a pointer into the header', packet(0, [1, 0, 0, 0], hex('c004 0001 0001')), rcodes.FORMERR],
  [
    'a label of 64 bytes',
    packet(0, [1, 0, 0, 0], Buffer.from([64]), Buffer.alloc(64, 97), hex('00 0001 0001')),
    rcodes.FORMERR,
  ],
  ['a record that is missing', packet(0, [1, 0, 0, 1], question), rcodes.FORMERR],
  [
    'RDLENGTH over the end',
    packet(0, [1, 0, 0, 1], question, hex('00 0001 0001 00000000 0005 7f000001')),
    rcodes.FORMERR,
  ],
  ['bytes after the last record', packet(0, [1, 0, 0, 1], question, opt, hex('00')), rcodes.FORMERR],
  ['two OPT (RFC 6891 §6.1.1)', packet(0, [1, 0, 0, 2], question, opt, opt), rcodes.FORMERR],
  [
    'an OPT that is not the root’s (RFC 6891 §6.1.2)',
    packet(0, [1, 0, 0, 1], question, hex('01 61'), opt),
    rcodes.FORMERR,
  ],
  ['an OPT whose owner is a pointer', packet(0, [1, 0, 0, 1], question, hex('c00e'), opt.subarray(1)), rcodes.FORMERR],
  ['OPT in the answer section', packet(0, [1, 1, 0, 0], question, opt), rcodes.FORMERR],
  [
    'an EDNS option over the end',
    packet(0, [1, 0, 0, 1], question, hex('00 0029 04d0 00 00 0000 0005 000a 0002 00')),
    rcodes.FORMERR,
  ],
  [
    'half an EDNS option',
    packet(0, [1, 0, 0, 1], question, hex('00 0029 04d0 00 00 0000 0003 000a 00')),
    rcodes.FORMERR,
  ],
] as const) {
  test(`${what}: rcode ${rcode}, all sections empty`, t => {
    const decoded = decode(bytes)
    t.is(decoded.verdict, 'refused')
    if (decoded.verdict !== 'refused') return
    t.is(decoded.rcode, rcode)
    // QR, and of the request id, opcode, RD, CD.
    const flags = 0x8000 | (bytes.readUInt16BE(2) & 0x7910) | rcode
    t.deepEqual(decoded.reply, packet(flags, [0, 0, 0, 0]))
  })
}

test('RFC 6891 §6.1.3: another EDNS version gets BADVERS, the question and an OPT of version 0', t => {
  const bytes = packet(0x0100, [1, 0, 0, 1], question, hex('00 0029 04d0 00 01 8000 0004 ffff ffff'))
  const decoded = decode(bytes)
  t.is(decoded.verdict, 'refused')
  if (decoded.verdict !== 'refused') return
  t.is(decoded.rcode, rcodes.BADVERS)
  t.deepEqual(decoded.reply, packet(0x8100, [1, 0, 0, 1], question, hex('00 0029 04d0 01 00 8000 0000')))
})

test('a query with one record in each section and TSIG beside OPT is read', t => {
  const tsig = hex('00 00fa 00ff 00000000 0000')
  t.is(decode(packet(0, [1, 1, 1, 2], question, soa, soa, opt, tsig)).verdict, 'query')
})

test('a response of dns-packet comes out record by record, names spelled as they were', t => {
  const bytes = dnsPacket.encode({
    type: 'response',
    id: 9,
    flags: dnsPacket.AUTHORITATIVE_ANSWER | dnsPacket.RECURSION_AVAILABLE,
    questions: [{ type: 'A', name: 'Www.Example' }],
    answers: [
      { type: 'CNAME', name: 'Www.Example', ttl: 300, data: 'host.example' },
      { type: 'A', name: 'host.example', ttl: 60, data: '192.0.2.1' },
      { type: 'AAAA', name: 'host.example', ttl: 60, data: '2001:db8::1' },
      { type: 'TXT', name: 'host.example', ttl: 60, data: ['say "hi"', 'two'] },
      {
        type: 'SRV',
        name: '_x._tcp.example',
        ttl: 60,
        data: { priority: 1, weight: 2, port: 3, target: 'host.example' },
      },
      { type: 'MX', name: 'example', ttl: 60, data: { preference: 10, exchange: 'mail.example' } },
      { type: 'HINFO', name: 'example', ttl: 60, data: { cpu: 'RFC8482', os: '' } },
    ],
    authorities: [
      {
        type: 'SOA',
        name: 'example',
        ttl: 30,
        data: {
          mname: 'ns.example',
          rname: 'root.example',
          serial: 4294967295,
          refresh: 2,
          retry: 3,
          expire: 4,
          minimum: 5,
        },
      },
    ],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        flags: 0,
        extendedRcode: 0,
        ednsVersion: 0,
        flag_do: false,
        options: [],
      },
      { type: 'CAA', name: 'example', ttl: 1, data: { flags: 0, tag: 'issue', value: 'ca.example' } },
    ],
  })
  const decoded = decodeResponse(bytes)
  t.true(decoded.ok)
  if (!decoded.ok) return
  const { answers, authority, additional, ...rest } = decoded.value
  t.deepEqual(answers.map(recordToText), [
    'Www.Example. 300 IN CNAME host.example.',
    'host.example. 60 IN A 192.0.2.1',
    'host.example. 60 IN AAAA 2001:db8::1',
    'host.example. 60 IN TXT "say \\"hi\\"" "two"',
    '_x._tcp.example. 60 IN SRV 1 2 3 host.example.',
    'example. 60 IN MX 10 mail.example.',
    'example. 60 IN HINFO "RFC8482" ""',
  ])
  t.deepEqual(authority.map(recordToText), ['example. 30 IN SOA ns.example. root.example. 4294967295 2 3 4 5'])
  t.deepEqual(additional.map(recordToText), ['example. 1 IN CAA 0 issue "ca.example"'])
  t.deepEqual(rest, {
    id: 9,
    opcode: 0,
    question: { name: 'Www.Example.', canonicalName: 'www.example.', type: 1, class: 1 },
    rcode: 0,
    authoritative: true,
    truncated: false,
    recursionAvailable: true,
    authenticData: false,
    edns: { version: 0, udpSize: 1232, dnssecOk: false, options: [] },
  })
})

test('names in the data of RFC 1035 and RFC 3597 §4 types are written out', t => {
  // `a.` NS `b.a.` compressed, `a.` SRV 1 2 3 `b.a.` compressed.
  const ns = hex('c00c 0002 0001 00000001 0004 01 62 c00c')
  const srv = hex('c00c 0021 0001 00000001 0008 0001 0002 0003 c01f')
  const decoded = decodeResponse(packet(0x8000, [1, 2, 0, 0], question, ns, srv))
  t.true(decoded.ok)
  t.deepEqual(decoded.ok && decoded.value.answers.map(record => record.data), [
    hex('01 62 01 61 00'),
    hex('0001 0002 0003 01 62 01 61 00'),
  ])
})

test('RFC 8914: extended errors are read; RFC 6891: twelve bits of RCODE', t => {
  const decoded = decodeResponse(
    packet(0x8007, [1, 0, 0, 1], question, hex('00 0029 04d0 01 00 0000 0008 000f 0004 0017 6e6f')),
  )
  t.true(decoded.ok)
  t.deepEqual(decoded.ok && decoded.value.extendedErrors, [{ code: 23, text: 'no' }])
  t.is(decoded.ok && decoded.value.rcode, rcodes.BADCOOKIE)
})

test('RFC 2181 §8: a TTL with its high bit set counts as zero', t => {
  const decoded = decodeResponse(packet(0x8000, [1, 1, 0, 0], question, hex('c00c 0001 0001 80000000 0004 7f000001')))
  t.is(decoded.ok && decoded.value.answers[0]?.ttl, 0)
})

for (const [what, bytes] of [
  ['a query', packet(0, [1, 0, 0, 0], question)],
  ['less than a header', hex('0000 8000')],
  ['two questions', packet(0x8000, [2, 0, 0, 0], question, question)],
  ['counts of 0xFFFF', packet(0x8000, [1, 0xffff, 0xffff, 0xffff], question)],
  ['an A record of three bytes', packet(0x8000, [1, 1, 0, 0], question, hex('c00c 0001 0001 00000001 0003 7f0000'))],
  ['a name that ends after its data', packet(0x8000, [1, 1, 0, 0], question, hex('c00c 0005 0001 00000001 0001 c00c'))],
  ['a TXT without a string', packet(0x8000, [1, 1, 0, 0], question, hex('c00c 0010 0001 00000001 0000'))],
  [
    'a TXT whose string ends after it',
    packet(0x8000, [1, 1, 0, 0], question, hex('c00c 0010 0001 00000001 0002 0261')),
  ],
  ['bytes after the last record', packet(0x8000, [1, 0, 0, 0], question, hex('00'))],
  ['two OPT', packet(0x8000, [1, 0, 0, 2], question, opt, opt)],
  ['OPT among the answers', packet(0x8000, [1, 1, 0, 0], question, opt)],
] as const) {
  test(`decodeResponse refuses ${what}`, t => {
    t.false(decodeResponse(bytes).ok)
  })
}

test('no bytes make decoding throw, and what is accepted is answered from its own bytes', t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(2), (bytes, additional) => {
      for (const flags of [0x0100, 0x8000]) {
        const garbage = packet(flags, [1, 0, 0, additional], Buffer.from(bytes))
        t.notThrows(() => decode(garbage))
        t.notThrows(() => decodeResponse(garbage))
      }
    }),
    { numRuns: 2000 },
  )
})

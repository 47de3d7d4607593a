import test from 'ava'
import fc from 'fast-check'
import { className, parseClass, parseRcode, parseType, rcodeName, typeName } from '#resolver/wire/codes.ts'
import { rdataFromWords, rdataToText, recordToText } from '#resolver/wire/presentation.ts'
import { splitWords } from '#resolver/wire/presentation-fields.ts'
import { recordFromText } from '../../support/record-from-text.ts'

for (const text of [
  'a.example. 5 IN A 10.96.0.10',
  'a.example. 5 IN AAAA fd00::10',
  'a.example. 5 IN AAAA ::',
  'a.example. 5 IN AAAA 2001:db8:0:1::1',
  'example. 0 IN NS ns.example.',
  'a.example. 2147483647 IN CNAME a\\.b.example.',
  '10.0.96.10.in-addr.arpa. 5 IN PTR kube-dns.kube-system.svc.cluster.local.',
  'example. 5 IN SOA ns.example. root.example. 4294967295 7200 1800 86400 5',
  'example. 5 IN MX 10 mail.example.',
  '_https._tcp.example. 5 IN SRV 0 100 443 host.example.',
  'a.example. 5 IN TXT "1.1.0"',
  'a.example. 5 IN TXT "with \\"quotes\\" and \\\\" "" "\\000\\255;"',
  'a.example. 8482 IN HINFO "ANY obsoleted" "See RFC 8482"',
  'version.bind. 0 CH TXT "seamark"',
  'a.example. 5 IN TYPE65280 \\# 3 C0FFEE',
  'a.example. 5 CLASS7 TYPE65280 \\# 0',
  'a.example. 5 IN DNAME b.example.',
  'example. 5 IN CAA 0 issue "ca.example.net; policy=ev"',
  'example. 5 IN CAA 128 tbs "\\"quoted\\""',
  `example. 5 IN CAA 0 iodef "${'x'.repeat(300)}"`,
  'example. 5 IN DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118',
  'example. 5 IN DNSKEY 256 3 5 AQPSKmynfzW4kyBv015MUG2DeIQ3Cbl+BBZH4b/0PY1kxkmvHjcZc8no',
  'example. 5 IN NAPTR 100 10 "S" "SIP+D2U" "!^.*$!sip:a@b!" _sip._udp.example.',
  'host.example. 5 IN SSHFP 2 1 123456789ABCDEF67890123456789ABCDEF67890',
  '_443._tcp.example. 5 IN TLSA 3 1 1 0D6FCE3B4E0F9A3E',
  'example. 5 IN RP admin.example. text.example.',
  '_ftp._tcp.example. 5 IN URI 10 1 "ftp://ftp.example/public"',
  'example. 5 IN HTTPS 0 pool.example.net.',
  'example. 5 IN HTTPS 1 .',
  'example. 5 IN SVCB 16 foo.example.org. mandatory=alpn,ipv4hint alpn=h2,h3-19 ipv4hint=192.0.2.1',
  'example. 5 IN SVCB 1 foo.example. no-default-alpn port=53 ech=aGVsbG8= ipv6hint=2001:db8::1,2001:db8::53:1',
  'example. 5 IN SVCB 1 foo.example. dohpath=/dns-query{?dns} ohttp key667=hello key668',
  'example. 5 IN SVCB 1 foo.example. key667="hello\\210qoo"',
  '\\"a.example. 5 IN CNAME \\"b\\".example.',
  'host.example. 5 IN RRSIG A 5 3 86400 20030322173103 20030220173103 2642 example. oJB1W6WNGv+ldvQ3WDG0MQkg5IEhjRip8WTr',
  'example. 5 IN RRSIG TYPE65280 13 1 86400 21060207062815 19700101000000 1 . AAAA',
  // RFC 4034 §4.3
  'alfa.example. 5 IN NSEC host.example. A MX RRSIG NSEC TYPE1234',
  'example. 5 IN NSEC3 1 1 12 AABBCCDD 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR NS SOA MX RRSIG DNSKEY NSEC3PARAM',
  'example. 5 IN NSEC3 1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR',
  'example. 5 IN NSEC3PARAM 1 0 0 -',
  'example. 5 IN CDS 0 0 0 00',
  'example. 5 IN CDNSKEY 0 3 0 AA==',
  'example. 5 IN CSYNC 66 3 A NS AAAA',
  'example. 5 IN ZONEMD 2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE',
  'a.example. 5 IN CERT 1 12345 8 AAAA',
  'a.example. 5 IN EUI48 00-00-5e-00-53-2a',
  'a.example. 5 IN EUI64 00-00-5e-ef-10-00-00-2a',
  // RFC 1876 §4
  'cambridge-net.example. 5 IN LOC 42 21 54.000 N 71 6 18.000 W -24m 30m 10000m 10m',
  'a.example. 5 IN LOC 90 0 0.000 S 180 0 0.000 E 1.50m 0m 10000m 0.02m',
]) {
  test(`to bytes and back: ${text}`, t => {
    const read = recordFromText(text)
    t.true(read.ok, !read.ok ? read.problem : '')
    t.is(read.ok ? recordToText(read.value) : '', text)
  })
}

for (const [text, normal] of [
  ['A.example 5 a 192.0.2.1', 'A.example. 5 IN A 192.0.2.1'],
  ['a 5 in txt bare words', 'a. 5 IN TXT "bare" "words"'],
  ['a 5 TXT "\\#" "3"', 'a. 5 IN TXT "#" "3"'],
  ['a 5 A \\# 4 c0 00 02 01', 'a. 5 IN A 192.0.2.1'],
  ['a 5 AAAA FD00:0:0:0:0:0:0:1', 'a. 5 IN AAAA fd00::1'],
  ['a 5 SOA m r 1 1h30m 15M 2w 1d', 'a. 5 IN SOA m. r. 1 5400 900 1209600 86400'],
  ['a 5 DNSKEY 257 3 ecdsap256sha256 AAAA', 'a. 5 IN DNSKEY 257 3 13 AAAA'],
  ['a 5 RRSIG A 13 1 1h 4294967295 0 1 b AAAA', 'a. 5 IN RRSIG A 13 1 3600 21060207062815 19700101000000 1 b. AAAA'],
  ['a 5 NSEC b NSEC A A', 'a. 5 IN NSEC b. A NSEC'],
  [
    'a 5 NSEC3 1 0 1 cafe 2t7b4g4vsa5smi47k61mv5bv1a22bojr A',
    'a. 5 IN NSEC3 1 0 1 CAFE 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A',
  ],
  ['a 5 LOC 42 n 71 6 w 10', 'a. 5 IN LOC 42 0 0.000 N 71 6 0.000 W 10m 1m 10000m 10m'],
  ['a 5 LOC 1 2 3.5 S 4 5 6 E 10m 12m', 'a. 5 IN LOC 1 2 3.500 S 4 5 6.000 E 10m 10m 10000m 10m'],
  ['a 5 DS 1 8 2 abcd ef01', 'a. 5 IN DS 1 8 2 ABCDEF01'],
  ['a 5 DNSKEY 256 3 5 aGVs bG8=', 'a. 5 IN DNSKEY 256 3 5 aGVsbG8='],
  ['a 5 SVCB 1 b port="53" alpn="h2,h3" key5=aGVsbG8=', 'a. 5 IN SVCB 1 b. alpn=h2,h3 port=53 ech=aGVsbG8='],
  // RFC 9460 appendix D.2, figure 10: an ALPN id that has a comma and a backslash.
  [String.raw`a 5 SVCB 16 b. alpn=f\\\092oo\092,bar,h2`, String.raw`a. 5 IN SVCB 16 b. alpn="f\\\\oo\\,bar,h2"`],
  [String.raw`a 5 SVCB 16 b. alpn="f\\\\oo\\,bar,h2"`, String.raw`a. 5 IN SVCB 16 b. alpn="f\\\\oo\\,bar,h2"`],
] as const) {
  test(`${text} is ${normal}`, t => {
    const read = recordFromText(text)
    t.is(read.ok ? recordToText(read.value) : read.problem, normal)
  })
}

for (const text of [
  '',
  'a. 5 IN',
  'a. 5 IN A',
  'a. 5 IN A 192.0.2.256',
  'a. 5 IN A 192.0.2.1 192.0.2.2',
  'a. 5 IN AAAA 192.0.2.1',
  'a. 5 IN NOSUCH x',
  'a. 2147483648 IN A 192.0.2.1',
  'a..b 5 IN A 192.0.2.1',
  'a. 5 IN MX 65536 b.',
  'a. 5 IN MX 10',
  'a. 5 IN SRV 1 2 3 b. c.',
  'a. 5 IN SOA a. b. 1 2 3 4',
  'a. 5 IN TXT',
  `a. 5 IN TXT ${'x'.repeat(256)}`,
  'a. 5 IN TYPE65280 word',
  'a. 5 IN TYPE65280 \\# 2 C0FFEE',
  'a. 5 IN TYPE65280 \\# 1 XX',
  'a. 5 IN CNAME a..b',
  'a. 5 IN CAA 0 not-a-tag "x"',
  'a. 5 IN DS 1 8 2 ABC',
  'a. 5 IN DS 1 8 2',
  'a. 5 IN DNSKEY 256 3 5 !!!!',
  'a. 5 IN NAPTR 1 1 "" "" ""',
  'a. 5 IN HINFO one',
  'a. 5 IN A \\# 3 C00002',
  'a. 5 IN CNAME \\# 2 05AA',
  'a. 5 IN SVCB 1 b. port=53 port=54',
  'a. 5 IN SVCB 1 b. mandatory=alpn',
  'a. 5 IN SVCB 1 b. mandatory=mandatory',
  'a. 5 IN SVCB 1 b. no-default-alpn=x',
  'a. 5 IN SVCB 1 b. port',
  'a. 5 IN SVCB 1 b. key65535=x',
  'a. 5 IN SVCB 1 b. alpn=h2,,h3',
  'a. 5 IN SVCB 1 b. ipv4hint=2001:db8::1',
  'a. 5 IN SVCB 1 b. colour=blue',
  'a. 5 IN RRSIG A 13 1 1 20310231000000 20300101000000 1 b. AAAA',
  'a. 5 IN RRSIG NOSUCH 13 1 1 20310201000000 20300101000000 1 b. AAAA',
  'a. 5 IN RRSIG A NOSUCH 1 1 20310201000000 20300101000000 1 b. AAAA',
  'a. 5 IN NSEC b. A NOSUCH',
  'a. 5 IN NSEC3 1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJW A',
  'a. 5 IN NSEC3 1 0 0 abc 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A',
  'a. 5 IN NSEC \\# 5 0000010000',
  'a. 5 IN LOC 91 N 0 E 0m',
  'a. 5 IN LOC 42 60 N 0 E 0m',
  'a. 5 IN LOC 42 71 W 0m',
  'a. 5 IN LOC 42 N 71 W',
  'a. 5 IN LOC 42 N 71 W 0m 1m 1m 1m 1m',
  'a. 5 IN EUI48 00-00-5e-00-53',
]) {
  test(`refused: ${text.slice(0, 40)}`, t => {
    t.false(recordFromText(text).ok)
  })
}

test('every text record comes back to the same bytes', t => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 255 }), { minLength: 1, maxLength: 4 }), strings => {
      const data = Buffer.concat(strings.flatMap(bytes => [Buffer.from([bytes.length]), Buffer.from(bytes)]))
      const text = recordToText({ name: 'a.', type: 16, class: 1, ttl: 0, data })
      const read = recordFromText(text)
      t.deepEqual(read.ok && read.value.data, data)
    }),
  )
})

test('bytes that are not what their type has are written in the generic form', t => {
  const text = (type: number, hex: string) => rdataToText(type, Buffer.from(hex, 'hex'))
  t.is(text(1, 'C00002'), '\\# 3 C00002')
  t.is(text(43, '0001'), '\\# 2 0001')
  t.is(text(64, '000100000300020035AA'), '\\# 10 000100000300020035AA')
  t.is(text(64, '0001C000'), '\\# 4 0001C000')
  t.is(text(2, '016100FF'), '\\# 4 016100FF')
})

test('data of any type and bytes has a text that gives the same bytes back', t => {
  const types = [1, 2, 6, 13, 15, 16, 28, 33, 35, 39, 43, 44, 48, 52, 64, 65, 256, 257, 65_280]
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 60 }), (type, bytes) => {
      const data = Buffer.from(bytes)
      const text = rdataToText(type, data)
      const read = rdataFromWords(type, splitWords(text))
      if (text.startsWith('\\# ') && type !== 65_280) return
      t.true(read.ok && read.value.equals(data), text)
    }),
    { numRuns: 2000 },
  )
})

test('RFC 3597 §5: numbers without a name, in both directions', t => {
  t.is(typeName(28), 'AAAA')
  t.is(typeName(65_280), 'TYPE65280')
  t.is(parseType('type28'), 28)
  t.is(parseType('aaaa'), 28)
  t.is(parseType('TYPE65536'), undefined)
  t.is(parseType('TYPE'), undefined)
  t.is(parseType('NOSUCH'), undefined)
  t.is(className(3), 'CH')
  t.is(className(7), 'CLASS7')
  t.is(parseClass('class3'), 3)
  t.is(rcodeName(3), 'NXDOMAIN')
  t.is(rcodeName(3841), 'RCODE3841')
  t.is(parseRcode('servfail'), 2)
})

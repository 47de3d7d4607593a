import test from 'ava'
import fc from 'fast-check'
import { className, parseClass, parseRcode, parseType, rcodeName, typeName } from '#resolver/wire/codes.ts'
import { recordFromText, recordToText } from '#resolver/wire/presentation.ts'

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
  '\\"a.example. 5 IN CNAME \\"b\\".example.',
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

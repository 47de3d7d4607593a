import test from 'ava'
import { parseZoneAddress } from '#resolver/corefile/zone-address.ts'

const keys: Record<string, unknown> = {
  '.': ['dns', ['.'], undefined],
  '.:53': ['dns', ['.'], 53],
  ':1053': ['dns', ['.'], 1053],
  'Example.ORG': ['dns', ['example.org.'], undefined],
  'dns://example.org.:5300': ['dns', ['example.org.'], 5300],
  'tls://.': ['tls', ['.'], undefined],
  'in-addr.arpa': ['dns', ['in-addr.arpa.'], undefined],
  '10.0.0.0/8': ['dns', ['10.in-addr.arpa.'], undefined],
  '10.0.0.0/8:53': ['dns', ['10.in-addr.arpa.'], 53],
  '192.0.2.0/24': ['dns', ['2.0.192.in-addr.arpa.'], undefined],
  '0.0.0.0/0': ['dns', ['in-addr.arpa.'], undefined],
  '10.96.0.0/14': [
    'dns',
    ['96.10.in-addr.arpa.', '97.10.in-addr.arpa.', '98.10.in-addr.arpa.', '99.10.in-addr.arpa.'],
    undefined,
  ],
  '192.0.2.128/30': [
    'dns',
    [
      '128.2.0.192.in-addr.arpa.',
      '129.2.0.192.in-addr.arpa.',
      '130.2.0.192.in-addr.arpa.',
      '131.2.0.192.in-addr.arpa.',
    ],
    undefined,
  ],
  '192.0.2.7/32': ['dns', ['7.2.0.192.in-addr.arpa.'], undefined],
  'fd00::/8': ['dns', ['d.f.ip6.arpa.'], undefined],
  'fd00::/8:53': ['dns', ['d.f.ip6.arpa.'], 53],
  '2001:db8::/31': ['dns', ['8.b.d.0.1.0.0.2.ip6.arpa.', '9.b.d.0.1.0.0.2.ip6.arpa.'], undefined],
  '2001:db8::/32': ['dns', ['8.b.d.0.1.0.0.2.ip6.arpa.'], undefined],
}

for (const [text, expected] of Object.entries(keys))
  test(`the key ${text}`, t => {
    const key = parseZoneAddress(text)
    t.deepEqual(key.ok ? [key.value.scheme, key.value.zones, key.value.port] : key.problem, expected)
  })

const wrong: Record<string, RegExp> = {
  'tsl://.': /"tsl:\/\/" is not a scheme of a server block; did you mean "tls"\?/,
  'example.org:70000': /port 70000 is above 65535/,
  'a..b': /empty label/,
  '10.0.0.0/33': /not a network/,
  'dns://': /a zone is missing/,
}

for (const [text, expected] of Object.entries(wrong))
  test(`the key ${text} is refused`, t => {
    const key = parseZoneAddress(text)
    t.regex(key.ok ? '' : key.problem, expected)
  })

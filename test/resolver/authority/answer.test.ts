import test from 'ava'
import { answerFromZone } from '#resolver/authority/answer.ts'
import { rcodeName, recordTypes } from '#resolver/wire/codes.ts'
import { isSubdomain } from '#resolver/wire/name.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import { makeZone, tryZone, variedZone } from '../../support/authority-zone.ts'
import { makeQuery } from '../../support/dns-environment.ts'

interface Expected {
  readonly rcode?: string
  /** Not authoritative: a referral. */
  readonly referral?: true
  readonly missing?: true
  readonly outside?: string
  readonly answer?: readonly string[]
  /** Default: the apex's NS after an answer. */
  readonly authority?: readonly string[]
  readonly additional?: readonly string[]
}

const negative = ['example. 60 IN SOA ns1.example. root.example. 2031010100 7200 1800 86400 60']
const servers = ['example. 300 IN NS ns1.example.', 'example. 300 IN NS ns.other.test.']
const ns1 = ['ns1.example. 300 IN A 192.0.2.53', 'ns1.example. 300 IN AAAA 2001:db8::53']
const www = (name: string) => [`${name} 300 IN A 192.0.2.1`, `${name} 300 IN A 192.0.2.2`]
const toSub = {
  authority: ['sub.example. 300 IN NS ns.sub.example.', 'sub.example. 300 IN NS ns.other.test.'],
  additional: ['ns.sub.example. 300 IN A 192.0.2.61', 'ns.sub.example. 300 IN AAAA 2001:db8::61'],
}
const noData: Expected = { authority: negative }
const noName: Expected = { rcode: 'NXDOMAIN', missing: true, authority: negative }
const wildTxt = (name: string) => ({ answer: [`${name} 300 IN TXT "this is a wildcard"`] })

const cases: Record<string, readonly [question: string, expected: Expected]> = {
  'RFC 1034 §4.3.2 3a: the name itself': ['www.example. A', { answer: www('www.example.') }],
  'RFC 4343 §4.1: in any case, spelled as it was asked': ['wWw.EXAMPLE. A', { answer: www('wWw.EXAMPLE.') }],
  'the apex: SOA': [
    'example. SOA',
    { answer: ['example. 3600 IN SOA ns1.example. root.example. 2031010100 7200 1800 86400 60'] },
  ],
  'the apex: NS, with addresses': ['example. NS', { answer: servers, authority: [], additional: ns1 }],
  'additional: the mail host, spelled as the data has it': [
    'example. MX',
    { answer: ['example. 300 IN MX 10 Mail.example.'], additional: ['Mail.example. 300 IN A 192.0.2.25'] },
  ],
  'RFC 2782: additional: what the zone knows of the targets': [
    '_http._tcp.example. SRV',
    {
      answer: [
        '_http._tcp.example. 300 IN SRV 0 5 80 www.example.',
        '_http._tcp.example. 300 IN SRV 0 5 80 out.other.test.',
      ],
      additional: www('www.example.'),
    },
  ],
  'RFC 9460 §4.2: additional: the owner for "."': [
    'www.example. HTTPS',
    { answer: ['www.example. 300 IN HTTPS 1 . alpn=h2'], additional: www('www.example.') },
  ],
  'additional: an address by wildcard': [
    'mx.example. MX',
    { answer: ['mx.example. 300 IN MX 5 any.addr.example.'], additional: ['any.addr.example. 300 IN A 192.0.2.7'] },
  ],
  'RFC 2308 §2.2: no data; the SOA’s TTL is its MINIMUM': ['www.example. MX', noData],
  'RFC 2308 §2.1: no such name': ['nothing.example. A', noName],
  'RFC 8020: nothing below what is not there': ['a.nothing.example. A', noName],
  'nothing below a name without a wildcard': ['a.www.example. A', noName],
  'RFC 8482 §4.1: ANY gets a part': ['www.example. ANY', { answer: www('www.example.') }],
  'RFC 1034 §3.6.2: an alias and its end': [
    'alias.example. A',
    { answer: ['alias.example. 300 IN CNAME www.example.', ...www('www.example.')] },
  ],
  'a chain of aliases': [
    'alias2.example. TXT',
    {
      answer: [
        'alias2.example. 300 IN CNAME alias.example.',
        'alias.example. 300 IN CNAME www.example.',
        'www.example. 300 IN TXT "hello"',
      ],
    },
  ],
  'the alias itself, when asked for': [
    'alias.example. CNAME',
    { answer: ['alias.example. 300 IN CNAME www.example.'] },
  ],
  'a chain that ends without data': [
    'alias.example. MX',
    { answer: ['alias.example. 300 IN CNAME www.example.'], authority: negative },
  ],
  'RFC 6604 §3: a chain that ends at no name': [
    'dangling.example. A',
    { rcode: 'NXDOMAIN', answer: ['dangling.example. 300 IN CNAME nothing.example.'], authority: negative },
  ],
  'a chain that leaves the zone': [
    'leaving.example. A',
    { answer: ['leaving.example. 300 IN CNAME target.other.test.'], outside: 'target.other.test.', authority: [] },
  ],
  'a chain that goes round': [
    'loop1.example. A',
    {
      answer: ['loop1.example. 300 IN CNAME loop2.example.', 'loop2.example. 300 IN CNAME loop1.example.'],
      authority: [],
    },
  ],
  'a chain that comes to a cut': [
    'todelegated.example. A',
    { answer: ['todelegated.example. 300 IN CNAME host.sub.example.'], ...toSub },
  ],
  'RFC 4592 §2.2.2: an empty non-terminal': ['ent.example. A', noData],
  'an empty non-terminal, deeper': ['b.ent.example. A', noData],
  'beside an empty non-terminal': ['c.ent.example. A', noName],
  'RFC 4592 §2.2.1: host3 TXT by wildcard': ['host3.wild.example. TXT', wildTxt('host3.wild.example.')],
  'RFC 4592 §2.2.1: host3 A: no data': ['host3.wild.example. A', noData],
  'RFC 4592 §2.2.1: at any depth': ['foo.bar.wild.example. TXT', wildTxt('foo.bar.wild.example.')],
  'RFC 4592 §2.2.1: not where the name exists': ['host1.wild.example. MX', noData],
  'RFC 4592 §2.2.1: not where an asterisk’s child exists': ['sub.*.wild.example. MX', noData],
  'RFC 4592 §2.2.1: not below an existing name': ['_telnet._tcp.host1.wild.example. SRV', noName],
  'RFC 4592 §2.2.1: not below a cut': [
    'host.cut.wild.example. A',
    {
      referral: true,
      authority: ['cut.wild.example. 300 IN NS ns.cut.wild.example.'],
      additional: ['ns.cut.wild.example. 300 IN A 192.0.2.42'],
    },
  ],
  'RFC 4592 §2.3: the asterisk itself is a name': ['*.wild.example. TXT', wildTxt('*.wild.example.')],
  'RFC 4592 §2.3: an asterisk below an asterisk’s name is no wildcard for it': ['ghost.*.wild.example. MX', noName],
  'RFC 4592 §4.4: a wildcard’s data takes the name as asked': [
    'Host3.wild.example. MX',
    {
      answer: ['Host3.wild.example. 300 IN MX 10 host1.wild.example.'],
      additional: ['host1.wild.example. 300 IN A 192.0.2.41'],
    },
  ],
  'RFC 4592 §4.3: a wildcard alias is followed': [
    'any.cw.example. A',
    { answer: ['any.cw.example. 300 IN CNAME www.example.', ...www('www.example.')] },
  ],
  'RFC 1034 §4.3.2 3b: a referral below a cut': ['host.sub.example. A', { referral: true, ...toSub }],
  'a referral at the cut': ['sub.example. NS', { referral: true, ...toSub }],
  'a referral for what is not there': ['no.host.sub.example. A', { referral: true, ...toSub }],
  'glue is not an answer': ['ns.sub.example. A', { referral: true, ...toSub }],
  'RFC 4035 §3.1.4.1: DS at the cut is the parent’s': [
    'sub.example. DS',
    { answer: ['sub.example. 300 IN DS 1 8 2 AABBCC'], authority: [] },
  ],
  'no DS at the cut: no data': ['unsigned.example. DS', noData],
  'a DS below the cut is not': ['x.sub.example. DS', { referral: true, ...toSub }],
  'glue of another cut': [
    'x.unsigned.example. A',
    {
      referral: true,
      authority: ['unsigned.example. 300 IN NS ns.sub.example.'],
      additional: toSub.additional,
    },
  ],
  'RFC 6672 §2.3: a DNAME is not for its owner': ['dn.example. A', noData],
  'other data of a DNAME’s owner': ['dn.example. TXT', { answer: ['dn.example. 300 IN TXT "at the owner"'] }],
  'RFC 6672 §3.2: below it, and out of what is there': [
    'x.dn.example. A',
    {
      rcode: 'NXDOMAIN',
      answer: ['dn.example. 300 IN DNAME www.example.', 'x.dn.example. 300 IN CNAME x.www.example.'],
      authority: negative,
    },
  ],
  'RFC 6672 §3.2: below it, to data; the CNAME has its TTL': [
    'x.Deep.example. A',
    {
      answer: [
        'deep.example. 300 IN DNAME zone.example.',
        'x.Deep.example. 300 IN CNAME x.zone.example.',
        'x.zone.example. 300 IN A 192.0.2.77',
      ],
    },
  ],
  'RFC 6672: an alias to below a DNAME': [
    'todname.example. A',
    {
      answer: [
        'todname.example. 300 IN CNAME x.deep.example.',
        'deep.example. 300 IN DNAME zone.example.',
        'x.deep.example. 300 IN CNAME x.zone.example.',
        'x.zone.example. 300 IN A 192.0.2.77',
      ],
    },
  ],
  'RFC 6672: to another zone': [
    'a.b.dn2.example. A',
    {
      answer: ['dn2.example. 300 IN DNAME elsewhere.test.', 'a.b.dn2.example. 300 IN CNAME a.b.elsewhere.test.'],
      outside: 'a.b.elsewhere.test.',
      authority: [],
    },
  ],
  'RFC 6672 §2.2: a name that gets too long': [
    `${'d'.repeat(60)}.${'e'.repeat(60)}.long.example. A`,
    {
      rcode: 'YXDOMAIN',
      answer: [`long.example. 300 IN DNAME ${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.test.`],
      authority: [],
    },
  ],
}

const texts = (records: readonly ResourceRecord[]) => records.map(recordToText)

for (const [about, [question, expected]] of Object.entries(cases))
  test(about, async t => {
    const zone = await makeZone(variedZone)
    const [name = '', type = ''] = question.split(' ')
    const query = makeQuery(name, { type: recordTypes[type as keyof typeof recordTypes] })
    const { answer, missing, outside } = answerFromZone(zone, query.question, {
      holds: each => isSubdomain(each, 'example.'),
      dnssecOk: false,
    })
    t.deepEqual(
      {
        rcode: rcodeName(answer.rcode),
        authoritative: answer.authoritative,
        missing,
        outside,
        answer: texts(answer.answers),
        authority: texts(answer.authority),
        additional: texts(answer.additional),
      },
      {
        rcode: expected.rcode ?? 'NOERROR',
        authoritative: !expected.referral,
        missing: expected.missing ?? false,
        outside: expected.outside,
        answer: [...(expected.answer ?? [])],
        authority: [...(expected.authority ?? servers)],
        additional: [...(expected.additional ?? [])],
      },
    )
  })

const soa = '@ 5 SOA ns root 1 2 3 4 5\n'

const bad: Record<string, readonly [text: string, problem: string]> = {
  'no SOA': ['a 5 A 192.0.2.1', 'there is no SOA of example.'],
  'a SOA elsewhere': ['a 5 SOA ns root 1 2 3 4 5', 'db:1: SOA of a.example.: the zone is example.'],
  'two SOAs': [`${soa}@ 5 SOA ns root 2 2 3 4 5`, 'db:2: example. has a second SOA'],
  'RFC 1034 §3.6.2: a CNAME beside other data': [
    `${soa}a 5 A 192.0.2.1\na 5 CNAME b`,
    'db:3: a.example. has a CNAME and other records',
  ],
  'other data beside a CNAME': [`${soa}a 5 CNAME b\nA 5 A 192.0.2.1`, 'db:3: A.example. has a CNAME and other records'],
  'two CNAMEs': [`${soa}a 5 CNAME b\na 5 CNAME c`, 'db:3: a.example. has a second CNAME'],
  'two DNAMEs': [`${soa}a 5 DNAME b\na 5 DNAME c`, 'db:3: a.example. has a second DNAME'],
}

for (const [about, [text, problem]] of Object.entries(bad))
  test(`refused: ${about}`, async t => t.is(await tryZone(text), problem))

test('records: each once, outsiders not; the TTLs of a set are its lowest', async t => {
  const zone = await makeZone(
    `a 7 A 192.0.2.1\n${soa}a 9 A 192.0.2.2\nA 5 A 192.0.2.3\na 7 A 192.0.2.1\nx.test. 5 A 192.0.2.9\nb 5 CNAME a`,
  )
  t.deepEqual(texts([...zone.recordsBesideSoa()]), [
    'a.example. 5 IN A 192.0.2.1',
    'a.example. 5 IN A 192.0.2.2',
    'A.example. 5 IN A 192.0.2.3',
    'b.example. 5 IN CNAME a.example.',
  ])
  t.is(zone.serial, 1)
})

import test from 'ava'
import fc from 'fast-check'
import { accepted } from '#lib/result.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { formatZoneFileProblem, readZoneFile } from '#resolver/zonefile/zone-file.ts'

type Files = Readonly<Record<string, string>>

/** The records of `/zones/db` as text, or the problem. */
const read = async (files: string | Files, origin = 'example.'): Promise<string[] | string> => {
  const texts: Files = typeof files === 'string' ? { '/zones/db': files } : files
  const records: string[] = []
  const result = await readZoneFile({
    file: '/zones/db',
    origin,
    readFile: async path => {
      if (texts[path] === undefined) throw new Error('ENOENT')
      return texts[path]
    },
    add: record => accepted(records.push(recordToText(record))),
  })
  return result.ok ? records : formatZoneFileProblem(result.problem)
}

const good: Record<string, readonly [text: string | Files, ...records: string[]]> = {
  'names below the origin, @, absolute names': [
    '$TTL 5\nwww A 192.0.2.1\n@ NS ns\nother.test. CNAME www',
    'www.example. 5 IN A 192.0.2.1',
    'example. 5 IN NS ns.example.',
    'other.test. 5 IN CNAME www.example.',
  ],
  'owner, TTL and class left out or in any order': [
    'a 7 IN A 192.0.2.1\n IN 8 A 192.0.2.2\n\t9 A 192.0.2.3\n A 192.0.2.4\nb IN A 192.0.2.5',
    'a.example. 7 IN A 192.0.2.1',
    'a.example. 8 IN A 192.0.2.2',
    'a.example. 9 IN A 192.0.2.3',
    // RFC 1035 §5.1: the last one that was stated.
    'a.example. 9 IN A 192.0.2.4',
    'b.example. 9 IN A 192.0.2.5',
  ],
  'RFC 2308 §4: $TTL is for what follows it, and beats what was stated before': [
    'a 7 A 192.0.2.1\n$TTL 1h30m\nb A 192.0.2.2\n$TTL 2D\nc A 192.0.2.3',
    'a.example. 7 IN A 192.0.2.1',
    'b.example. 5400 IN A 192.0.2.2',
    'c.example. 172800 IN A 192.0.2.3',
  ],
  'no TTL anywhere: the SOA’s MINIMUM': [
    '@ SOA ns root 1 2 3 4 60\n NS ns',
    'example. 60 IN SOA ns.example. root.example. 1 2 3 4 60',
    'example. 60 IN NS ns.example.',
  ],
  'parentheses join lines; comments end at the line': [
    '@ 5 SOA ns root ( 1 ; serial (\n 2 3\n\n 4 ) 5 ; end\nb 5 A (\n192.0.2.1 )',
    'example. 5 IN SOA ns.example. root.example. 1 2 3 4 5',
    'b.example. 5 IN A 192.0.2.1',
  ],
  'quotes keep blanks, semicolons and parentheses': [
    'a 5 TXT "a b;(c" plain \\"q\\" "d\\"e"',
    'a.example. 5 IN TXT "a b;(c" "plain" "\\"q\\"" "d\\"e"',
  ],
  'escapes in names': ['a\\.b 5 CNAME c\\100\\;.', 'a\\.b.example. 5 IN CNAME cd\\;.'],
  'CRLF, a byte order mark, no newline at the end': [
    '\uFEFFa 5 A 192.0.2.1\r\nb 5 A 192.0.2.2\r\n; end',
    'a.example. 5 IN A 192.0.2.1',
    'b.example. 5 IN A 192.0.2.2',
  ],
  'RFC 3597 §5: types and classes by number': [
    'a 5 CLASS1 TYPE65280 \\# 2 ( CA\n FE )\nb 5 TYPE1 \\# 4 C0000201',
    'a.example. 5 IN TYPE65280 \\# 2 CAFE',
    'b.example. 5 IN A 192.0.2.1',
  ],
  '$ORIGIN, relative to the one before': [
    '$TTL 5\n$ORIGIN sub\na A 192.0.2.1\n$ORIGIN other.test.\na A 192.0.2.2\n$origin .\na.test A 192.0.2.3',
    'a.sub.example. 5 IN A 192.0.2.1',
    'a.other.test. 5 IN A 192.0.2.2',
    'a.test. 5 IN A 192.0.2.3',
  ],
  '$INCLUDE, relative to the file; origin and owner come back after it': [
    {
      '/zones/db': '$TTL 5\na A 192.0.2.1\n$INCLUDE sub/one sub\n A 192.0.2.4\nb CNAME a',
      '/zones/sub/one': '@ A 192.0.2.2\n$ORIGIN deep\n$INCLUDE two',
      '/zones/sub/two': 'x A 192.0.2.3',
    },
    'a.example. 5 IN A 192.0.2.1',
    'sub.example. 5 IN A 192.0.2.2',
    'x.deep.sub.example. 5 IN A 192.0.2.3',
    'a.example. 5 IN A 192.0.2.4',
    'b.example. 5 IN CNAME a.example.',
  ],
  'one file may be included twice': [
    { '/zones/db': '$INCLUDE one a\n$INCLUDE one b', '/zones/one': '@ 5 A 192.0.2.1' },
    'a.example. 5 IN A 192.0.2.1',
    'b.example. 5 IN A 192.0.2.1',
  ],
  $GENERATE: [
    `$TTL 5\n$GENERATE 1-5/2 host-$ A 192.0.2.$\n$GENERATE 9-10 \${0,3,d}.$$ 7 IN CNAME host-\${-8,2,x}\n$GENERATE 1-1 m MX "10 mail-$"`,
    'host-1.example. 5 IN A 192.0.2.1',
    'host-3.example. 5 IN A 192.0.2.3',
    'host-5.example. 5 IN A 192.0.2.5',
    '009.$.example. 7 IN CNAME host-01.example.',
    '010.$.example. 7 IN CNAME host-02.example.',
    'm.example. 5 IN MX 10 mail-1.example.',
  ],
  '$GENERATE in nibbles and octal': [
    `$GENERATE 26-26 \${0,7,n}.ip6 5 CNAME \${0,4,o}-\${0,0,X}`,
    'a.1.0.0.ip6.example. 5 IN CNAME 0032-1A.example.',
  ],
}

for (const [about, [files, ...records]] of Object.entries(good))
  test(about, async t => t.deepEqual(await read(files), records))

const bad: Record<string, readonly [text: string | Files, problem: string]> = {
  'a record before any owner': [' 5 A 192.0.2.1', '/zones/db:1: the first record has no owner name'],
  'no TTL': ['a A 192.0.2.1', '/zones/db:1: no TTL: neither here, nor by $TTL, nor in a record before'],
  'a misspelt type': ['\n\na 5 CNMAE b', '/zones/db:3: "CNMAE" is not a record type; did you mean "CNAME"?'],
  'no type': ['a 5 IN', '/zones/db:1: a record type is missing'],
  'a type of questions': ['a 5 AXFR x', '/zones/db:1: AXFR is not a type that a zone can hold'],
  'another class': ['a 5 CH TXT x', '/zones/db:1: class CH: only IN is served'],
  'bad data': ['a 5 A 192.0.2.1\na 5 A 192.0.2.256', '/zones/db:2: A: "192.0.2.256" is not an IPv4 address'],
  'the line where a group begins': ['a 5 MX (\n10\n)\nb 5 A 1', '/zones/db:1: MX: a domain name is missing'],
  'an open parenthesis': ['a 5 A 192.0.2.1\nb 5 A (\n192.0.2.1\n', '/zones/db:2: "(" that is never closed'],
  'a closing parenthesis': ['a 5 A 192.0.2.1 )', '/zones/db:1: ")" without "("'],
  'an open quote': ['a 5 TXT "x\ny"', '/zones/db:1: a quote that the line does not end'],
  'a TTL of 32 bits': ['a 2147483648 A 192.0.2.1', '/zones/db:1: a TTL of 2147483648 is above 2147483647 seconds'],
  'a misspelt directive': ['$ORIGN x.', '/zones/db:1: "$ORIGN" is not a directive; did you mean "$ORIGIN"?'],
  'a directive without its word': ['$TTL', '/zones/db:1: $TTL is written $TTL TTL'],
  'a bad TTL': ['$TTL x', '/zones/db:1: "x" is not a TTL (seconds, or like 1h30m)'],
  'a name that the origin makes too long': [
    `${'a.'.repeat(124)}a 5 A 192.0.2.1`,
    `/zones/db:1: "${'a.'.repeat(124)}a" with "example." is longer than 255 bytes`,
  ],
  'an included file that is not there': ['$INCLUDE no', '/zones/db:1: "/zones/no" cannot be read: ENOENT'],
  'a problem in an included file': [
    { '/zones/db': '$TTL 5\n$INCLUDE one', '/zones/one': 'a A 192.0.2.1\n\nb A x' },
    '/zones/one:3: A: "x" is not an IPv4 address',
  ],
  'a file that includes itself by another': [
    { '/zones/db': '$INCLUDE one', '/zones/one': '\n$INCLUDE ../zones/db' },
    '/zones/one:2: "../zones/db" includes itself',
  ],
  'a range backwards': ['$GENERATE 5-1 a$ 5 A 192.0.2.$', '/zones/db:1: the range "5-1" is empty'],
  'a range without end': [
    '$GENERATE 0-99999999 a$ 5 A 192.0.2.$',
    '/zones/db:1: the range "0-99999999" makes more than 65536 records',
  ],
  'a step of nothing': [
    '$GENERATE 1-5/0 a$ 5 A 192.0.2.$',
    '/zones/db:1: "1-5/0" is not a range (START-STOP or START-STOP/STEP)',
  ],
  'a bad place in a template': [
    `$GENERATE 1-5 a\${x} 5 A 192.0.2.$`,
    `/zones/db:1: "\${x}" is not \${OFFSET,WIDTH,BASE}`,
  ],
  'a number below zero': [`$GENERATE 1-5 a\${-2} 5 A 192.0.2.$`, `/zones/db:1: "\${-2}" of 1 is below zero`],
}

for (const [about, [files, problem]] of Object.entries(bad))
  test(`refused: ${about}`, async t => t.is(await read(files), problem))

test('ends with records or a problem, whatever the text', async t => {
  const piece = fc.constantFrom(
    '$TTL 5',
    '$ORIGIN',
    'a',
    '5',
    'IN',
    'A',
    'TXT',
    '192.0.2.1',
    '(',
    ')',
    '"',
    '\\',
    ';',
    '\n',
    ' ',
    '@',
    '$',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 40 }).map(parts => parts.join(' ')),
  )
  await fc.assert(
    fc.asyncProperty(text, async each => {
      const result = await read(each)
      t.true(Array.isArray(result) || /^\/zones\/db:\d+: ./.test(result))
    }),
    { numRuns: 500 },
  )
})

test('others have their turn while a long file is read', async t => {
  const text = Array.from({ length: 5000 }, (_, index) => `n${index} 5 A 192.0.2.1`).join('\n')
  let turns = 0
  const count = () => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  const records = await read(text)
  clearImmediate(timer)
  t.is(records.length, 5000)
  t.true(turns >= 4, `${turns} turns`)
})

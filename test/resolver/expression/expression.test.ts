import test from 'ava'
import fc from 'fast-check'
import { MAXIMUM_LENGTH, readCondition, readExpression } from '#resolver/expression/expression.ts'
import { expressionFunctions } from '#resolver/expression/functions.ts'
import { predicateFunctions } from '#resolver/expression/predicates.ts'
import type { Query } from '#resolver/query.ts'
import { classes, recordTypes } from '#resolver/wire/codes.ts'
import { type Ask, makeQuery } from '../../support/dns-environment.ts'

const metadata = () => new Map([['kubernetes/client-namespace', 'shop']])

const holds = (text: string, query: Query): boolean => {
  const read = readCondition(text)
  if (!read.ok) throw new Error(read.problem)
  return read.value.holds({ query, metadata })
}
const problemOf = (text: string): string => {
  const read = readCondition(text)
  return read.ok ? 'no problem' : read.problem
}

const edns = { udpSize: 1232, dnssecOk: true, options: [] }
const v6 = { client: '2001:db8::7' }

const cases: readonly (readonly [text: string, holds: boolean, question?: Ask])[] = [
  ['true', true],
  ['false', false],
  ["name() == 'www.example.org.'", true],
  ["name() == 'WWW.example.org.'", false],
  ["'www.example.org.' == name()", true],
  ['name() == "www.example.org."', true],
  ['name() == `www.example.org.`', true],
  ["name() != 'www.example.org.'", false],
  ["name() matches '^www\\\\.'", true],
  ['name() matches `^www\\.`', true],
  ["name() matches '(?i)EXAMPLE'", true],
  ["name() matches '^example'", false],
  ["name() startsWith 'www.'", true],
  ["name() startsWith 'example'", false],
  ["name() endsWith '.org.'", true],
  ["name() endsWith '.net.'", false],
  ['len(name()) == 16', true],
  ['len(name()) > 16', false],
  ["lower('WWW.Example.org.') == name()", true],
  ["upper(type()) == 'A' && trim(' a ') == 'a'", true],
  ["hasPrefix(name(), 'www.') && hasSuffix(name(), '.org.')", true],
  ["hasPrefix(name(), 'ww.') || hasSuffix(name(), '.net.')", false],
  ["name() contains 'example'", true],
  ["name() contains 'examples'", false],
  ["type() in ['A', 'AAAA']", true],
  ["type() in ['A', 'AAAA']", false, { type: recordTypes.MX }],
  ["type() not in ['A', 'AAAA']", true, { type: recordTypes.MX }],
  ['type() in []', false],
  ["type() == 'TYPE65280'", true, { type: 65_280 }],
  ["class() == 'IN'", true],
  ["class() == 'CH'", true, { class: classes.CH }],
  ["client_ip() == '192.0.2.7'", true],
  ["client_ip() == '2001:db8::7'", true, v6],
  ["port() == '40000' && server_port() == '53'", true],
  ["server_ip() == '192.0.2.53'", true],
  ["proto() == 'udp'", true],
  ["proto() == 'tcp'", true, { transport: 'tls' }],
  ['do()', false],
  ['do()', true, { edns }],
  ['bufsize() == 512', true],
  ['bufsize() == 1232', true, { edns }],
  ['bufsize() == 512', true, { edns: { ...edns, udpSize: 100 } }],
  ['bufsize() == 65535', true, { edns, transport: 'tcp' }],
  ['id() == 4711', true],
  ['id() in [1, 4711]', true],
  ['opcode() == 0', true],
  // 12 of the header, 17 of the name, 4 of type and class.
  ['size() == 33', true],
  ['size() > 32 && size() >= 33 && size() < 34 && size() <= 33', true],
  ['size() > 33 || size() < 33', false],
  ["'a' < 'b' && !('b' <= 'a')", true],
  ["incidr(client_ip(), '192.0.2.0/24')", true],
  ["incidr(client_ip(), '192.0.2.8/29')", false],
  ["incidr(client_ip(), '192.0.2.7/32')", true],
  ["incidr(client_ip(), '0.0.0.0/0')", true],
  ["incidr(client_ip(), '::/0')", false],
  ["incidr(client_ip(), '2001:db8::/32')", true, v6],
  ["incidr(client_ip(), '0.0.0.0/0')", false, v6],
  ["incidr(client_ip(), 'fe80::/10')", true, { client: 'fe80::1%eth0' }],
  ["incidr(name(), '0.0.0.0/0')", false],
  ["metadata('kubernetes/client-namespace') == 'shop'", true],
  ["metadata('kubernetes/nothing') == ''", true],
  // Precedence: && before ||, comparisons before both, ! before all; from the left.
  ['true || false && false', true],
  ['(true || false) && false', false],
  ['true or false and false', true],
  ['!false && !do()', true],
  ['not do()', true],
  ['!!true', true],
  ['!true == false', true],
  ["!(type() == 'A')", false],
  ['1 < 2 == true', true],
  ["  type( ) == 'A'\t", true],
  // Sums and products before comparisons, powers before products and from the right; a sign before products.
  ['1 + 2 * 3 == 7 && (1 + 2) * 3 == 9', true],
  ['2 ** 3 ** 2 == 512 && 2 ^ 3 == 8 && -2 ** 2 == -4', true],
  ['7 / 2 == 3.5 && 7 % 4 == 3 && -7 % 4 == -3 && 7 - 2 - 1 == 4', true],
  ['0x2a == 42 && 0b101 == 5 && 0o17 == 15 && 1_000 == 1000', true],
  ['size() - 12 - 4 == len(name()) + 1', true],
  ["'www' + '.' + 'example' == 'www.example'", true],
  ["type() not in ['AAAA'] && name() not matches '^x' && name() not contains 'y' && not (1 == 2)", true],
  ['not do() == true', true],
  ["(do() ? 'a' : type() == 'A' ? 'b' : 'c') == 'b'", true],
  ["split(name(), '.')[1] == 'example' && split(name(), '.')[-1] == ''", true],
  ["name()[:3] == 'www' && name()[4:11] == 'example' && name()[-5:] == '.org.' && 'ab'[5:] == ''", true],
  ["join(split('a.b.c', '.')[1:], '-') == 'b-c' && join(['a', 'b']) == 'ab'", true],
  ["name() | split('.') | len() == 4", true],
  ["any(['192.0.2.0/24', '2001:db8::/32'], incidr(client_ip(), #))", true],
  ["any(['192.0.2.0/24', '2001:db8::/32'], { incidr(client_ip(), #) })", true, v6],
  ["any(['203.0.113.0/24', '2001:db8::/32'], incidr(client_ip(), #))", false],
  ["any(['^a', '^www'], name() matches #) && none(['^a'], name() matches #)", true],
  ["all(split(name(), '.'), len(#) < 8) && one(split(name(), '.'), # == 'org')", true],
  ["count(split(name(), '.'), # == '') == 1 && all([], # == 'x') && !any([], true)", true],
  ["join(map(filter(split(name(), '.'), # != ''), upper(#)), ' ') == 'WWW EXAMPLE ORG'", true],
  // The element of the inner list is meant inside.
  ["any(['a', 'b'], any(['b', 'c'], # == 'c'))", true],
  ["replace('10-1-2-3', '-', '.') == '10.1.2.3' && replace('$a', 'a', '$&') == '$$&'", true],
  ["replace('ab', '', '-') == '-a-b-' && replace('', '', '-') == '-'", true],
  ["repeat('ab', 2) == 'abab' && trim('xxaxx', 'x') == 'a' && trimPrefix('abc', 'ab') == 'c'", true],
  ["trimSuffix('abc', 'bc') == 'a' && trimSuffix('abc', '') == 'abc' && indexOf('abc', 'c') == 2", true],
  ["lastIndexOf('abab', 'b') == 3 && indexOf('abc', 'x') == -1", true],
  ["len(split('a,b,c', ',', 2)) == 2 && split('a,b,c', ',', 2)[1] == 'b,c' && len(split('a', ',', 0)) == 0", true],
  [
    "int('42') == 42 && int('-7') == -7 && int(2.9) == 2 && float('2.5') == 2.5 && string(7) + string(true) == '7true'",
    true,
  ],
  ['abs(-2) == 2 && ceil(1.2) == 2 && floor(-1.2) == -2 && round(2.5) == 3 && round(-2.5) == -3', true],
  [
    'bitand(12, 10) == 8 && bitor(12, 10) == 14 && bitxor(12, 10) == 6 && bitshl(1, 8) == 256 && bitshr(256, 8) == 1',
    true,
  ],
  [
    'max([1, 3, 2]) == 3 && min([1, 3, 2]) == 1 && sum([1, 3, 2]) == 6 && first([1, 2]) == 1 && last([1, 2]) == 2',
    true,
  ],
  ["join(sort(uniq(reverse(['b', 'a', 'b']))), '') == 'ab' && 2 in map(['a', 'bb'], len(#))", true],
  // What has no value for the question does not hold.
  ["int('x') == 1", false],
  ["!(int('x') == 1)", false],
  ['1 / (id() - id()) == 1', false],
  ['1 % (id() - id()) == 1', false],
  ["split(name(), '.')[9] == 'a'", false],
  ["split(name(), '.')[0.5] == 'a'", false],
  ['len(repeat(name(), 100000)) > 0', false],
  ["len(repeat('a', -1)) == 0", false],
  ["len(replace(repeat('a', 60000), 'a', 'bb')) > 0", false],
  ["len(join(split(repeat('a,', 30000), ','), 'bbbb')) > 0", false],
  ["len(repeat('a', 60000) + repeat('a', 60000)) > 0", false],
  ['2 ** 53 > 0', false],
  ['bitshl(1, 62) > 0', false],
  ['bitshl(1, 64) > 0', false],
  ['bitand(1.5, 1) == 1', false],
  ["max(map(filter(['a'], # == 'b'), len(#))) == 1", false],
  ["all(split(repeat('a,', 400), ','), all(split(repeat('a,', 400), ','), true))", false],
]

for (const [text, expected, question] of cases)
  test(`${text} ${JSON.stringify(question ?? {})}`, t =>
    t.is(holds(text, makeQuery('www.Example.org.', question)), expected))

const mistakes: Record<string, string> = {
  '': 'column 1: a value is missing at the end',
  "name() == 'a' &&": 'column 17: a value is missing at the end',
  "clientip() == 'a'": 'column 1, "clientip": unknown function; did you mean "client_ip"?',
  "do() && nmae() == 'a'": 'column 9, "nmae": unknown function; did you mean "name"?',
  'toString()': 'column 1, "toString": unknown function; did you mean "string"?',
  'name() == example.org.':
    'column 11, "example.org.": is neither a call (like "name()") nor a string (they stand in single quotes)',
  'client_ip() == 192.0.2.7': 'column 16, "192.0.2.7": is no number (up to 2⁵³); strings stand in single quotes',
  'id() == 99999999999999999':
    'column 9, "99999999999999999": is no number (up to 2⁵³); strings stand in single quotes',
  name: 'column 1, "name": is neither a call (like "name()") nor a string (they stand in single quotes)',
  'name()': 'column 1, "name": the expression wants a boolean, and this is a string',
  'id() && do()': 'column 1, "id": "and" wants a boolean, and this is a number',
  '!name()': 'column 2, "name": "!" wants a boolean, and this is a string',
  'port() == 53': 'column 11, "53": "==" after port wants a string, and this is a number',
  "size() < '5'": 'column 10, "\'5\'": "<" after size wants a number, and this is a string',
  'do() < true': 'column 1, "do": "<" wants numbers or strings',
  "id() contains '1'": 'column 1, "id": "contains" wants a string, and this is a number',
  "type() in 'A'": "column 11, \"'A'\": \"in\" wants a list (like ['A', 'AAAA'])",
  "type() in ['A', 1]": 'column 17, "1": is a number in a list of strings',
  'type() in [1]': 'column 11, "[": "in" after type wants a list of strings',
  "['A'] == 'A'": 'column 1, "[": "==" wants no list',
  "[['A']] == 'A'": 'column 2, "[": is a list, and lists have none in them',
  "name() matches '('": `column 16, "'('": "(" is no regular expression of RE2: error parsing regexp: missing closing ): \`(\``,
  "name() matches '\\.'": `column 16, "'\\.'": "\\." is no escape; a backslash is written "\\\\"`,
  'name() matches name()': 'column 16, "name": "matches" wants its pattern in quotes',
  "name('a')": 'column 1, "name": is written name()',
  "incidr('192.0.2.1')": 'column 1, "incidr": is written incidr(IP, CIDR)',
  "incidr(client_ip(), '192.0.2.0')": `column 21, "'192.0.2.0'": "192.0.2.0" is not a network (like 192.0.2.0/24 or 2001:db8::/32)`,
  "incidr(client_ip(), '192.0.2.0/33')": `column 21, "'192.0.2.0/33'": "192.0.2.0/33" is not a network (like 192.0.2.0/24 or 2001:db8::/32)`,
  'incidr(client_ip(), name())': 'column 21, "name": incidr wants its network in quotes',
  'metadata(1)': 'column 10, "1": metadata wants a string, and this is a number',
  "name() == 'a": 'column 11, "\'": the quote is never closed',
  "id() + '1' == 2": 'column 8, "\'1\'": "+" wants a number, and this is a string',
  "name() + 1 == 'a'": 'column 10, "1": "+" after a string wants a string, and this is a number',
  'id() ~ 1': 'column 6, "~": is not understood here',
  "any(['192.0.2.0'], incidr(client_ip(), #))":
    'column 40, "#": "192.0.2.0" is not a network (like 192.0.2.0/24 or 2001:db8::/32)',
  'any([name()], incidr(client_ip(), #))': 'column 35, "#": incidr wants its network in quotes',
  "any(['a'])": 'column 1, "any": is written any(LIST, PREDICATE)',
  "any('a', true)": 'column 5, "\'a\'": any wants a list, and this is a string',
  "any(['a'], #)": 'column 12, "#": the second argument of any wants a boolean, and this is a string',
  "# == 'a'": 'column 1, "#": stands only where a list\'s elements are asked (like "any")',
  "any(['a'], {# == 'a')": 'column 12, "{": is never closed',
  "len(map(['a'], ['b'])) == 1": 'column 16, "[": is a list, and lists have none in them',
  "do() ? 1 : 'a'": 'column 6, "?": has a number on one side and a string on the other',
  'do() ? 1': 'column 6, "?": has no ":"',
  'id() ? true : false': 'column 1, "id": "?" wants a boolean, and this is a number',
  "split('a', ',')[0": 'column 16, "[": "]" is missing',
  '[][0] == 1': 'column 3, "[": an empty list has no element',
  "name()[0] == 'w'": 'column 1, "name": "[…]" wants a list, and this is a string',
  "name() | 'a'": 'column 10, "\'a\'": is no call, which "|" wants',
  "replace('a', 'b')": 'column 1, "replace": is written replace(TEXT, OLD, NEW)',
  'trim()': 'column 1, "trim": is written trim(TEXT[, PART])',
  "join([1]) == 'a'": 'column 6, "[": join wants a list of strings',
  "max(['a']) == 1": 'column 5, "[": max wants a list of numbers',
  'len(1) == 1': 'column 5, "1": len wants a string, and this is a number',
  'al([])': 'column 1, "al": unknown function; did you mean "all"?',
  '(do()': 'column 1, "(": is never closed',
  'do())': 'column 5, ")": an operator is missing before it',
  'do() do()': 'column 6, "do": an operator is missing before it',
  "type() in ['A' 'B']": `column 16, "'B'": a comma is missing before it`,
  "type() in ['A'": 'column 11, "[": "]" is missing',
  'do(': 'column 1, "do": ")" is missing',
  '== 1': 'column 1, "==": stands where a value is missing',
}

for (const [text, problem] of Object.entries(mistakes)) test(`wrong: ${text}`, t => t.is(problemOf(text), problem))

test('length and depth are bounded, and what is within the bounds is no trouble', t => {
  t.regex(problemOf(`${'('.repeat(100)}do()${')'.repeat(100)}`), /^column 65, "\(": nested more than 64 deep$/)
  t.regex(problemOf(`${'!'.repeat(4000)}do()`), /nested more than 64 deep$/)
  t.is(problemOf(' '.repeat(MAXIMUM_LENGTH + 1)), 'the expression is longer than 4096 characters')
  const long = `${'do()||'.repeat(670)}true`
  t.true(holds(long, makeQuery('a.')))
  t.true(holds(`${'('.repeat(60)}true${')'.repeat(60)}`, makeQuery('a.')))
})

test('no pattern stalls', t => {
  // One that tries all ways takes longer than the universe.
  t.false(holds("name() matches '^(a+)+$'", makeQuery(`${'a'.repeat(63)}.${'a'.repeat(63)}.`)))
})

const pieces = [
  ...[...expressionFunctions.keys(), ...predicateFunctions.keys()].map(name => `${name}()`),
  ...[
    "'a'",
    "'192.0.2.0/24'",
    '1',
    'true',
    '(',
    ')',
    '[',
    ':',
    '?',
    '{',
    '}',
    '|',
    '+',
    '-',
    '/',
    '**',
    "any(['a'], ",
    "split('a,b', ',')",
    ']',
    ',',
    '!',
    '&&',
    '||',
    '==',
    '<',
    'in',
    'not',
    'matches',
  ],
  ...['contains', "incidr(client_ip(), '::/0')", "metadata('a')", "'", '\\', '"', ' ', 'x', '#'],
]

test('law: whatever is written is an expression or a problem with its column', t => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fc.constantFrom(...pieces)).map(words => words.join(' ')),
      ),
      text => {
        const read = readCondition(text)
        if (!read.ok) return /^column \d+/.test(read.problem)
        return typeof read.value.holds({ query: makeQuery('a.'), metadata }) === 'boolean'
      },
    ),
    { numRuns: 2000 },
  )
  t.pass()
})

test('law: what has been read never throws, whoever asks what over what', t => {
  const expressions = cases.map(([text]) => {
    const read = readCondition(text)
    if (!read.ok) throw new Error(read.problem)
    return read.value
  })
  const query = fc
    .record({
      name: fc.constantFrom('.', 'a.', '\\000\\255.example.', `${'a'.repeat(63)}.`),
      type: fc.nat(65_535),
      class: fc.nat(65_535),
      id: fc.nat(65_535),
      transport: fc.constantFrom('udp', 'tcp', 'tls', 'https'),
      edns: fc.option(fc.record({ udpSize: fc.nat(65_535), dnssecOk: fc.boolean(), options: fc.constant([]) }), {
        nil: undefined,
      }),
      client: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
    })
    .map(({ client, name, ...question }): Query => {
      const made = makeQuery(name, question)
      return { ...made, client: { ...made.client, address: client } }
    })
  fc.assert(
    fc.property(query, asked =>
      expressions.every(({ holds: ask }) => typeof ask({ query: asked, metadata }) === 'boolean'),
    ),
  )
  t.pass()
})

test('a value of any type, and why there is none', t => {
  const worth = (text: string) => {
    const read = readExpression(text)
    return read.ok ? read.value.evaluate({ query: makeQuery('www.example.org.'), metadata }) : read
  }
  t.deepEqual(worth("split(name(), '.')"), { ok: true, value: ['www', 'example', 'org', ''] })
  t.deepEqual(worth('1 + 1'), { ok: true, value: 2 })
  t.deepEqual(worth("int('ten')"), { ok: false, problem: 'int: "ten" is no whole number' })
  t.deepEqual(worth('[1, 2][2]'), { ok: false, problem: 'a list of 2 has no element 2' })
})

import test from 'ava'
import { CALL_LIMIT, compile } from '#cluster/api/cel/compile.ts'
import { fromJson } from '#cluster/api/cel/json.ts'
import { BOOL, type CelType, DYN, INT, listOf, mapOf, STRING, TIMESTAMP } from '#cluster/api/cel/type.ts'
import type { CelValue } from '#cluster/api/cel/value.ts'

const POINT: CelType = {
  form: 'object',
  name: 'point',
  field: name => (name === 'x' || name === 'y' ? { property: name, type: INT } : undefined),
}

const VARIABLES = { self: DYN, point: POINT, names: listOf(STRING), counts: mapOf(STRING, INT), born: TIMESTAMP }
const OBJECT = {
  a: 1,
  half: 0.5,
  list: [3, 1, 2],
  words: ['b', 'a'],
  map: { k: 'v' },
  nothing: null,
  deep: [{ name: 'x', tags: ['t'] }],
}
const VALUES: Record<string, CelValue> = {
  self: fromJson(OBJECT, DYN),
  point: fromJson({ x: 1, z: 9 }, POINT),
  names: fromJson(['n1', 'n2'], listOf(STRING)),
  counts: fromJson({ one: 1 }, mapOf(STRING, INT)),
  born: fromJson('2024-02-29T12:30:15.5Z', TIMESTAMP),
}

const run = (expression: string) => {
  const program = compile(expression, VARIABLES)
  if (!program.ok) return `REFUSED ${program.problem.split('\n')[0]}`
  const { outcome } = program.value.evaluate(VALUES)
  return outcome.ok ? outcome.value : `FAILED ${outcome.problem}`
}

const TRUE = [
  'self.a == 1 && self.half == 0.5 && self.nothing == null',
  'has(self.a) && !has(self.b) && has(self.deep[0].name) && !has(self.deep[0].other)',
  'self.list.all(x, x > 0) && self.list.exists(x, x == 3) && self.list.exists_one(x, x == 1)',
  'self.list.map(x, x * 2) == [6, 2, 4] && self.list.map(x, x > 1, x) == [3, 2]',
  'self.list.filter(x, x > 1) == [3, 2]',
  'self.map.all(k, k == "k") && self.map.exists(k, v, v == "v")',
  'self.list.all(i, v, v + i >= 2) && self.list.existsOne(i, v, i + v == 4)',
  'self.list.transformList(i, v, i + v) == [3, 2, 4]',
  'self.map.transformMap(k, v, v + k) == {"k": "vk"}',
  'self.map.transformMapEntry(k, v, {v: k}) == {"v": "k"}',
  // A side that decides makes the other's failure of no matter.
  '(1 / 0 == 1 || true) && !(1 / 0 == 1 && false) && [0, 1].exists(x, 1 / x == 1)',
  'point.x == 1 && !has(point.y) && point.?y.orValue(7) == 7',
  'self.?b.optMap(v, v + 1).orValue(0) == 0 && optional.of(2).optMap(v, v + 1).value() == 3',
  'optional.ofNonZeroValue("").hasValue() == false && self.list[?9].hasValue() == false',
  'names.join("-") == "n1-n2" && "n1-n2".split("-") == names && "a,b,c".split(",", 2) == ["a", "b,c"]',
  '"hello".substring(1, 3) == "el" && "hello".indexOf("l") == 2 && "hello".lastIndexOf("l") == 3',
  '"hello".charAt(1) == "e" && " x ".trim() == "x" && "aXa".replace("a", "b", 1) == "bXa"',
  '"Ab".lowerAscii() == "ab" && "Ab".upperAscii() == "AB" && size("\\U0001F600") == 1',
  '"%s is %d, %.2f, %x".format(["x", 3, 1.5, 255]) == "x is 3, 1.50, ff"',
  '"abc".matches("b") && "abc123".find("[0-9]+") == "123" && "a1b2".findAll("[0-9]") == ["1", "2"]',
  'self.list.min() == 1 && self.list.max() == 3 && self.list.sum() == 6 && !self.list.isSorted()',
  '"\\uffff" < "\\U0001F600" && "a" < "ab" && "a\\uffff" < "a\\U0001F600b" && ["\\U0001F600", "\\uffff"].max() == "\\U0001F600"',
  'self.list.sort() == [1, 2, 3] && [1, 1].distinct() == [1] && [[1], [2]].flatten() == [1, 2]',
  'self.list.indexOf(1) == 1 && [1, 2, 3].slice(1, 2) == [2] && lists.range(2) == [0, 1] && [1, 2].reverse() == [2, 1]',
  'sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects([1], [1, 2])',
  'url("https://u@h.example:8443/p%20q?k=1&k=2").getHost() == "h.example:8443"',
  'url("https://h/p%20q?k=1").getEscapedPath() == "/p%20q" && url("https://h/?k=1").getQuery() == {"k": ["1"]}',
  'isURL("/path") && !isURL("no url") && url("/path").getHost() == ""',
  'ip("::1").isLoopback() && ip("10.0.0.1").family() == 4 && !isIP("10.0.0") && ip.isCanonical("::1")',
  'cidr("10.0.0.0/8").containsIP("10.1.2.3") && !cidr("10.0.0.0/8").containsIP(ip("11.0.0.1"))',
  'cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16") && cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8")',
  'quantity("1Gi").isGreaterThan(quantity("1G")) && quantity("1500m").sub(1).asApproximateFloat() == 0.5',
  'isQuantity("1k") && !isQuantity("1x") && quantity("2k").asInteger() == 2000',
  'format.dns1123Label().validate("ok") == optional.none() && format.named("uuid").value().validate("x").hasValue()',
  'semver("1.2.3").isLessThan(semver("1.10.0")) && semver("v1.2", true).minor() == 2 && !isSemver("v1.2")',
  'semver("1.0.0-alpha.1").isLessThan(semver("1.0.0"))',
  'born.getFullYear() == 2024 && born.getMonth() == 1 && born.getHours("Asia/Tokyo") == 21 && born.getHours("-02:00") == 10',
  'born + duration("30m") == timestamp("2024-02-29T13:00:15.5Z") && born - born == duration("0")',
  'duration("1h30m").getMinutes() == 90 && string(duration("90m")) == "5400s" && born.getMilliseconds() == 500',
  'type(1) == int && type("") != int && 1 < 1.5 && dyn(1) == 1.0 && 1u + 1u == 2u',
  '-7 / 2 == -3 && -7 % 2 == -1 && int("7") == 7 && string(1.5) == "1.5" && double("2") == 2.0',
  '"k" in self.map && 3 in self.list && !("z" in counts) && counts["one"] == 1 && counts.one == 1',
  'b"abc" == bytes("abc") && bool("true") && size(b"abc") == 3',
  '{} == {} && [] == [] && !sets.intersects([], []) && sets.contains([[]], [[]])',
  'self.list.sortBy(x, -x) == [3, 2, 1] && self.deep.sortBy(d, d.name)[0].name == "x"',
  'self.list.first().value() == 3 && self.list.last().value() == 2 && ![].first().hasValue()',
  'type(born) == google.protobuf.Timestamp && type(duration("1s")) == google.protobuf.Duration',
  'type(ip("::1")) == net.IP && type(cidr("::1/8")) == net.CIDR',
  'string(1e6) == "1e+06" && string(123456.0) == "123456" && string(0.00001) == "1e-05" && string(-0.0) == "-0"',
  '"hello".indexOf("l", 30) == -1 && "hello".lastIndexOf("", 3) == 3 && "\ufeffx".trim() == "\ufeffx"',
  'born.getHours("") == 12 && duration("1h").getMilliseconds() == 3600000 && sign(quantity("-1")) == -1',
  'url("https://a:443/b/../c").getPort() == "443" && url("https://a:443/b/../c").getEscapedPath() == "/b/../c"',
  'url("HTTPS://A.b").getHost() == "A.b" && url("https://a").getEscapedPath() == "" && url("https://a/ä").getEscapedPath() == "/%C3%A4"',
  'url("http://[fe80::1%25eth0]:80/").getHostname() == "fe80::1%eth0" && !isURL("http://a/%zz") && !isURL("http://a:b/")',
  'url("https://a/?x=1&x=2&y=a%20b+c").getQuery() == {"x": ["1", "2"], "y": ["a b c"]} && isURL("http://")',
  'format.date().validate("2024-02-30").hasValue() && !format.date().validate("2024-02-29").hasValue()',
  // Numbers for readers of English, a half to the even digit.
  '"%f".format([1234.5]) == "1,234.500000"',
  '"%.2f".format([-1234567.125]) == "-1,234,567.12"',
  '"%.1f".format([0.25]) == "0.2"',
  '"%.0f".format([1e21]) == "1,000,000,000,000,000,000,000"',
  '"%.2f".format([-0.001]) == "-0.00"',
  '"%e".format([1234.5]) == "1.234500×10⁰³"',
  '"%.15e".format([1.25]) == "  1.250000×10⁰⁰"',
  '"%.2e".format([9.9999999e-5]) == "1.000000×10⁻⁰⁴"',
  '"%.0e".format([-5e30]) == "-5.000000×10³⁰"',
  '"%.3e".format([0.0]) == "0.000000×10⁰⁰"',
  '"%f".format(["NaN"]) == "NaN"',
  '"%f %e".format(["Infinity", dyn("-Infinity")]) == "∞     -∞"',
  '"%d".format([1234567]) == "1234567"',
  '"%s".format([1234567.5]) == "1.2345675e+06"',
  // Optional elements and numbers that begin with a point, which the package's parser does not read.
  '[?self.?b, ?self.?a, 2] == [1, 2] && {?"x": self.?b, ?"y": self.?a} == {"y": 1}',
  '[ ? (self.?a) ] == [1] && [[?point.?x]][0][0] == 1 && [?self.a == 1 ? optional.of(2) : optional.none()] == [2]',
  '["[?x", r"[?\\d", \'?\', ?self.?b].size() == 3 && [1, // [?\n 2].size() == 2',
  '.5 == 0.5 && [.5, 1.5][0] + .25e1 == 3.0 && self.half == .5 && 1.0 - .5 == .5 && {.5: 1}[.5] == 1',
  '{"a": 1, "a": self.a + 1} == {"a": 2}',
  String.raw`r"\" == "\\" && r'\d\' + "?" == "\\d\\?" && r"a\b\".size() == 4 && "a\"b".size() == 3`,
  // What a constant is worked out of at once.
  'int("12") == 12 && string(b"ab") == "ab" && uint("7") == 7u && type(int("1")) == int',
]

test('an expression gives what CEL and Kubernetes say it gives', t => {
  for (const expression of TRUE) t.is(run(expression), true, expression)
})

const FAILURES: readonly (readonly [string, string])[] = [
  ['int("x")', "REFUSED program instantiation failed: type conversion error from 'string' to 'int'"],
  [
    'self.a == 1 || [int(dyn("x"))] == []',
    "REFUSED program instantiation failed: type conversion error from 'string' to 'int'",
  ],
  ['uint(-1)', 'REFUSED program instantiation failed: unsigned integer overflow'],
  ['duration(1)', 'REFUSED ERROR: <input>:1:10: invalid duration argument'],
  ['duration(self.a)', "FAILED type conversion error from 'int' to 'google.protobuf.Duration'"],
  ['-9223372036854775809', 'REFUSED ERROR: <input>:1:1: invalid int literal'],
  ['18446744073709551616u', 'REFUSED ERROR: <input>:1:1: invalid uint literal'],
  ['[?1]', "REFUSED ERROR: <input>:1:3: expected type 'optional_type(int)' but found 'int'"],
  ['{?"a": 1}', "REFUSED ERROR: <input>:1:8: expected type 'optional_type(int)' but found 'int'"],
  ['[?dyn(1)]', 'FAILED cannot initialize optional list element from non-optional value 1'],
  ['.5 + .5 == 1.0 && point.z', "REFUSED ERROR: <input>:1:24: undefined field 'z'"],
  [
    '"%d".format(["a"])',
    'REFUSED ERROR: <input>:1:14: error during formatting: decimal clause can only be used on integers, was given string',
  ],
  ['"%s".format([[point]])', 'REFUSED ERROR: <input>:1:15: error during formatting: string clause can only be used on'],
  ['"%d %d".format([1])', 'REFUSED ERROR: <input>:1:15: index 1 out of range'],
  ['"%%".format([1])', 'REFUSED ERROR: <input>:1:12: too many arguments supplied to string.format (expected 0, got 1)'],
  [
    '"%z".format([1])',
    'REFUSED ERROR: <input>:1:12: could not parse formatting clause: unrecognized formatting clause "z"',
  ],
  [
    '"%.".format([1])',
    'REFUSED ERROR: <input>:1:12: could not parse formatting clause: error while parsing precision: could not find end',
  ],
  [
    '"%b".format([self.half])',
    'FAILED error during formatting: only integers and bools can be formatted as binary, was given double',
  ],
  ['self.b', 'FAILED no such key: b'],
  ['self.list[7]', 'FAILED index out of bounds: 7'],
  ['1 / 0', 'FAILED division by zero'],
  ['1 % 0', 'FAILED modulus by zero'],
  ['9223372036854775807 + 1', 'FAILED integer overflow'],
  ['self.a + "x"', 'FAILED no such overload'],
  ['optional.none().value()', 'FAILED optional.none() dereference'],
  ['[].min()', 'FAILED min called on empty list'],
  ['"x".find("(")', 'FAILED Illegal regex'],
  ['ip("10.0.0.256")', 'FAILED IP Address "10.0.0.256" parse error during conversion from string'],
  ['quantity("x")', 'FAILED quantities must match the regular expression'],
  ['point.z', "REFUSED ERROR: <input>:1:6: undefined field 'z'"],
  ['other', "REFUSED ERROR: <input>:1:1: undeclared reference to 'other' (in container '')"],
  ['other(1)', "REFUSED ERROR: <input>:1:6: undeclared reference to 'other' (in container '')"],
  [
    'names.size() == "2"',
    "REFUSED ERROR: <input>:1:14: found no matching overload for '_==_' applied to '(int, string)'",
  ],
  ['1 + "a"', "REFUSED ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'"],
  ['point.x.y', "REFUSED ERROR: <input>:1:8: type 'int' does not support field selection"],
  ['names.all(n, n)', "REFUSED ERROR: <input>:1:14: expected type 'bool' but found 'string'"],
  ['[1, "a"]', "REFUSED ERROR: <input>:1:5: expected type 'int' but found 'string'"],
  ['point.x.all(p, true)', "REFUSED ERROR: <input>:1:6: expression of type 'int' cannot be range of a comprehension"],
  ['timestamp("2024-01-01") < born', 'REFUSED ERROR: <input>:1:11: invalid timestamp argument'],
  ['duration("1d") < duration("1s")', 'REFUSED ERROR: <input>:1:10: invalid duration argument'],
  ['"a".matches("(?=a)")', 'REFUSED ERROR: <input>:1:13: invalid matches argument'],
  ['int(names[0]) == 1', "FAILED type conversion error from 'string' to 'int'"],
  ['timestamp(names[0]) < born', "FAILED type conversion error from 'string' to 'google.protobuf.Timestamp'"],
  ['1 +', 'REFUSED ERROR: <input>:1:4: Syntax error'],
]

test('what is wrong is told in the words of cel-go', t => {
  for (const [expression, told] of FAILURES) {
    const found = run(expression)
    t.true(typeof found === 'string' && found.startsWith(told), `${expression}: ${String(found)}`)
  }
})

test('all that is wrong is told at once, each with its place', t => {
  const compiled = compile('point.z == 1 &&\nnames.foo()', VARIABLES)
  t.deepEqual(compiled, {
    ok: false,
    problem:
      "ERROR: <input>:1:6: undefined field 'z'\n | point.z == 1 &&\n | .....^\nERROR: <input>:2:10: undeclared reference to 'foo' (in container '')\n | names.foo()\n | .........^",
  })
})

test('the result is of the type that is asked for', t => {
  t.false(compile('1', {}, { result: [BOOL] }).ok)
  t.true(compile('1 == 1', {}, { result: [BOOL] }).ok)
  t.true(compile('self', VARIABLES, { result: [BOOL] }).ok)
})

test('lists that are sets or maps compare in any order, and join by what tells items apart', t => {
  const set: CelType = { form: 'list', item: STRING, meaning: { type: 'set', keys: [] } }
  const map: CelType = { form: 'list', item: DYN, meaning: { type: 'map', keys: ['k'] } }
  const variables = { s: set, m: map }
  const values = { s: fromJson(['a', 'b'], set), m: fromJson([{ k: 'x', v: 1 }], map) }
  const evaluate = (expression: string) => {
    const program = compile(expression, variables)
    return program.ok && program.value.evaluate(values).outcome
  }
  t.deepEqual(evaluate('s == ["b", "a"] && s + ["a", "c"] == ["c", "b", "a"]'), { ok: true, value: true })
  t.deepEqual(evaluate('m + [{"k": "x", "v": dyn(2)}] == [{"k": "x", "v": dyn(2)}]'), {
    ok: true,
    value: true,
  })
})

const LONG = Array.from({ length: 5_000 }, (_, index) => index)

test('no expression outruns its limit', t => {
  const large = () => fromJson({ list: LONG, text: 'a'.repeat(100_000) }, DYN)
  const values = { self: large(), other: large() }
  const endless = [
    'self.list.all(a, self.list.all(b, self.list.all(c, a + b + c >= 0)))',
    'self.list.map(a, self.list.map(b, self.list)).size() > 0',
    'self.list.all(a, self.text.matches("(a*)*b") || true)',
    'self.list.map(a, self.text).join("").size() > 0',
    'self.list.all(a, self.text.replace("a", self.text).size() > 0)',
    'self.list.all(a, self == other)',
    'lists.range(10000000).size() > 0',
    'self.list.all(a, self.text.size() > 0)',
    'self.list.sortBy(a, self.text).size() > 0',
    ...['isSorted() || true', 'min() != ""', 'max() != ""', 'sort().size() > 0'].map(
      call => `self.list.map(a, a % 2 == 0 ? self.text : other.text).${call}`,
    ),
  ]
  for (const expression of endless) {
    const program = compile(expression, { self: DYN, other: DYN })
    t.true(program.ok, expression)
    if (!program.ok) continue
    const { outcome, exceeded } = program.value.evaluate(values)
    t.deepEqual(outcome, { ok: false, problem: 'operation cancelled: actual cost limit exceeded' }, expression)
    t.true(exceeded)
  }
})

test('a limit that is shared may be lower than that of a call, and never higher', t => {
  const program = compile('self.list.all(x, x >= 0)', { self: DYN })
  if (!program.ok) return t.fail()
  const values = { self: fromJson({ list: LONG }, DYN) }
  t.true(program.value.evaluate(values).outcome.ok)
  t.true(program.value.evaluate(values, 100).exceeded)
  t.true(program.value.evaluate(values, CALL_LIMIT * 100).cost < CALL_LIMIT)
})

test('a variable that is not asked for is not worked out', t => {
  const program = compile('a || b', { a: BOOL, b: BOOL })
  if (!program.ok) return t.fail()
  const { outcome } = program.value.evaluate({ a: true, b: () => t.fail('asked') as never })
  t.deepEqual(outcome, { ok: true, value: true })
})

test('keys of JavaScript objects are no fields', t => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    t.is(run(`has(self.${key})`), false, key)
    t.is(run(`self.${key}`), `FAILED no such key: ${key}`, key)
  }
})

test('texts of any length cost no more than their length', t => {
  // A way that tries each place again takes hours for these.
  const spaces = ' '.repeat(2_000_000)
  const evaluate = (expression: string) => {
    const program = compile(expression, { text: STRING })
    if (!program.ok) throw new Error(program.problem)
    return (text: string) => program.value.evaluate({ text }).outcome
  }
  t.deepEqual(evaluate('text.trim() == text')(`x${spaces}x`), { ok: true, value: true })
  t.deepEqual(evaluate('text.trim()')(`\u0085 \t${spaces}x y${spaces}\n`), { ok: true, value: 'x y' })
  t.false(evaluate('double(text) > 0.0')(`${'1'.repeat(2_000_000)}x`).ok)
  t.false(evaluate('int(text) > 0')('1'.repeat(2_000_000)).ok)
  t.false(evaluate('duration(text) > duration("0")')(`1.${'1'.repeat(2_000_000)}s`).ok)
  t.deepEqual(evaluate('lists.range(50000).all(i, text < "x" && "0" < text)')(`1${spaces}`), { ok: true, value: true })
  t.true(evaluate('url(text).getQuery().size() == 1')(`/?${'k=1&'.repeat(500_000)}`).ok)
})

test('what is long is shown as far as it helps', t => {
  const told = (expression: string) => {
    const compiled = compile(expression, VARIABLES)
    return compiled.ok ? [] : compiled.problem.split('\n')
  }
  t.deepEqual(told('"ä"\t!= "x" || point.z'), [
    "ERROR: <input>:1:20: undefined field 'z'",
    ' | "ä" != "x" || point.z',
    ' | .．.................^',
  ])
  t.deepEqual(told(`"${'a'.repeat(16_384)}" != "x" || point.z`), ["ERROR: <input>:1:16403: undefined field 'z'"])
  const many = told(Array(103).fill('point.z == 1').join(' && '))
  t.is(many.length, 301)
  t.is(many.at(-1), '3 more errors were truncated')
  const limit = 'expression code point size exceeds limit: size: 100002, limit 100000'
  t.deepEqual(told(`"${'a'.repeat(100_000)}"`), [`ERROR: <input>:-1:0: ${limit}`])
  t.deepEqual(told(`"${'\u{1F600}'.repeat(99_998)}"`), [])
})

test('texts that nothing ends are looked for once', t => {
  for (const part of ["'\\", '"\\', '\\"""x"', 'r\'\\\'"""x"', '"""\n\\']) {
    const program = compile(`?${part.repeat(100_000 / part.length - 1)}`, {})
    t.true(!program.ok && program.problem.includes('Syntax error'), part)
  }
})

test('an estimate nests as far as can be looked at as well', t => {
  for (let length = 500; length <= 8_000; length *= 2) {
    const expression = Array(length).fill('a').join('+')
    const program = compile(expression, { a: INT }, { declared: { most: 0 } })
    // Each of them costs one, and so does each sum.
    if (program.ok) t.is(program.value.worst, 2 * length - 1)
    else t.true(program.problem.includes('recursion limit exceeded'), program.problem.slice(0, 200))
  }
})

test('what nests deeper than can be looked at is refused', t => {
  for (const expression of [`${'!'.repeat(60_000)}true`, Array(9_000).fill('a').join('||')]) {
    const program = compile(expression, { a: BOOL })
    t.true(
      !program.ok && program.problem.includes('recursion limit exceeded'),
      program.ok ? 'compiled' : program.problem.slice(0, 200),
    )
  }
})

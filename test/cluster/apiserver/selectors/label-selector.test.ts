import test from 'ava'
import fc from 'fast-check'
import { matchesLabels, parseLabelSelector } from '#cluster/apiserver/selectors/label-selector.ts'

const LABELS = { app: 'shop', tier: 'front', size: '10', empty: '' }

const MATCHES: [selector: string, expected: boolean][] = [
  ['', true],
  ['app', true],
  ['!app', false],
  ['!nope', true],
  ['app=shop', true],
  ['app==shop', true],
  ['app!=shop', false],
  ['nope!=shop', true],
  ['app in (shop,other)', true],
  ['app in (other)', false],
  ['app notin (other)', true],
  ['nope notin (other)', true],
  ['nope in (other)', false],
  ['size>9', true],
  ['size>10', false],
  ['size<11', true],
  ['app>1', false],
  ['nope<1', false],
  ['empty=', true],
  ['empty in ()', true],
  ['app=shop,tier=front', true],
  ['app=shop,tier=back', false],
  ['app = shop , tier in ( front , back )', true],
  ['example.com/x', false],
]

test('what matches', t => {
  for (const [text, expected] of MATCHES) {
    const parsed = parseLabelSelector(text)
    t.true(parsed.ok, text)
    if (parsed.ok) t.is(matchesLabels(parsed.value, LABELS), expected, text)
  }
})

// Asked of Kubernetes 1.35's own API machinery.
const PROBLEMS: [selector: string, problem: string][] = [
  ['a in b', "unable to parse requirement: found 'b' expected: '('"],
  ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
  ['a in (', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
  ['a in (b,', "unable to parse requirement: found '', expected: ',', or identifier"],
  ['!!', "unable to parse requirement: found '!', expected: identifier"],
  ['a=b=c', "found '=', expected: ',' or 'end of string'"],
  ['a foo b', "unable to parse requirement: found 'foo', expected: in, notin, =, ==, !=, gt, lt"],
  [
    '-a',
    `unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  ],
  [
    'a=_b',
    `unable to parse requirement: values[0][a]: Invalid value: "_b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
  ],
  [
    'a>b',
    `unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`,
  ],
]

test('what is refused, in the words of Kubernetes', t => {
  for (const [text, problem] of PROBLEMS) t.deepEqual(parseLabelSelector(text), { ok: false, problem })
})

test('labels named as members of every object are not there', t => {
  const parsed = parseLabelSelector('constructor')
  t.true(parsed.ok && !matchesLabels(parsed.value, LABELS))
})

test('law: any text is parsed or refused, and an equality selects exactly its label', t => {
  t.notThrows(() => {
    fc.assert(
      fc.property(fc.string(), text => {
        parseLabelSelector(text)
      }),
    )
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
    fc.assert(
      fc.property(word, word, word, (key, value, other) => {
        fc.pre(!['in', 'notin'].includes(key) && !['in', 'notin'].includes(value))
        const parsed = parseLabelSelector(`${key}=${value}`)
        return parsed.ok && matchesLabels(parsed.value, { [key]: other }) === (value === other)
      }),
    )
  })
})

import test from 'ava'
import fc from 'fast-check'
import {
  canonicalName,
  encodeName,
  escapeLabel,
  isSubdomain,
  joinName,
  nameLength,
  parentName,
  parseName,
  readName,
  skipName,
  splitLabels,
} from '#resolver/wire/name.ts'

/** Names stand behind a header in a packet. */
const atTwelve = (...parts: (Buffer | string | number[])[]): Buffer =>
  Buffer.concat([Buffer.alloc(12), ...parts.map(part => Buffer.from(part as string))])

const label = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])

/** Labels of any bytes, together no longer than a name may be. */
const anyLabels = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 12 })
  .map(labels => labels.map(bytes => Buffer.from(bytes)))
  .filter(labels => labels.reduce((sum, bytes) => sum + bytes.length + 1, 1) <= 255)

const wireOf = (labels: readonly Buffer[]): Buffer =>
  Buffer.concat([...labels.flatMap(bytes => [Buffer.from([bytes.length]), bytes]), Buffer.from([0])])

for (const [text, name] of [
  ['.', '.'],
  ['example', 'example.'],
  ['My-Svc.Default.svc.cluster.local.', 'My-Svc.Default.svc.cluster.local.'],
  ['_http._tcp.my-svc', '_http._tcp.my-svc.'],
  ['a\\.b.c', 'a\\.b.c.'],
  ['a\\046b.c', 'a\\.b.c.'],
  ['\\097', 'a.'],
  ['a\\ b', 'a\\032b.'],
  ['tab\\009', 'tab\\009.'],
  ['back\\\\slash', 'back\\\\slash.'],
  ['ends-in-dot\\.', 'ends-in-dot\\..'],
  ['\\*.x', '*.x.'],
  ['ü', '\\195\\188.'],
  ['a'.repeat(63), `${'a'.repeat(63)}.`],
] as const) {
  test(`parseName: ${text} is ${name}`, t => {
    t.deepEqual(parseName(text), { ok: true, value: name })
  })
}

for (const text of [
  '',
  '..',
  '.a',
  'a..b',
  'a\\',
  'a\\1',
  'a\\12x',
  'a\\256',
  'a'.repeat(64),
  'a.'.repeat(128),
  `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(62)}`,
]) {
  test(`parseName refuses ${JSON.stringify(text.slice(0, 20))} (${text.length})`, t => {
    t.false(parseName(text).ok)
  })
}

test('RFC 1035 §2.3.4: 255 bytes are a name, 256 are none', t => {
  const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}.`
  t.deepEqual(parseName(longest), { ok: true, value: longest })
  t.is(encodeName(longest).length, 255)
  t.is(readName(atTwelve(encodeName(longest)), 12)?.name, longest)
  const tooLong = atTwelve(label('x'), encodeName(longest))
  t.is(readName(tooLong, 12), undefined)
})

test('RFC 1035 §4.1.4: pointers lead to earlier names, also in a row', t => {
  const packet = atTwelve(label('local'), [0], label('cluster'), [0xc0, 12], label('svc'), [0xc0, 19], [0xc0, 29])
  t.deepEqual(readName(packet, 29), { name: 'svc.cluster.local.', end: 35 })
  t.deepEqual(readName(packet, 35), { name: 'svc.cluster.local.', end: 37 })
})

for (const [what, bytes, offset] of [
  ['to itself', [0xc0, 12], 12],
  ['forward', [0xc0, 14, 0], 12],
  ['to each other', [0xc0, 14, 0xc0, 12], 14],
  ['back into its own labels', [1, 97, 0xc0, 12], 12],
  ['into the header', [0xc0, 4], 12],
  ['cut off', [0xc0], 12],
] as const) {
  test(`readName refuses a pointer ${what}`, t => {
    t.is(readName(atTwelve([...bytes]), offset), undefined)
  })
}

for (const [what, bytes] of [
  ['a label type of RFC 2673', [0x41, 97, 0]],
  ['the unused label type', [0x80, 97, 0]],
  ['a label that is cut off', [5, 97, 98]],
  ['a name without its root', [1, 97]],
  ['nothing', []],
] as const) {
  test(`readName and skipName refuse ${what}`, t => {
    t.is(readName(atTwelve([...bytes]), 12), undefined)
    t.is(skipName(atTwelve([...bytes]), 12), undefined)
  })
}

test('every name on the wire has one text that gives the same bytes back', t => {
  fc.assert(
    fc.property(anyLabels, labels => {
      const wire = wireOf(labels)
      const read = readName(atTwelve(wire), 12)
      const text = joinName(labels.map(escapeLabel))
      t.deepEqual(read, { name: text, end: 12 + wire.length })
      t.deepEqual(encodeName(text), wire)
      t.deepEqual(encodeName(text, 6).subarray(6), wire)
      t.deepEqual(parseName(text), { ok: true, value: text })
      t.is(nameLength(text), wire.length)
      t.deepEqual(splitLabels(text), labels.map(escapeLabel))
      t.is(skipName(atTwelve(wire), 12), 12 + wire.length)
    }),
  )
})

test('labels that look alike stay apart: a dot inside of one, and bytes that are not UTF-8', t => {
  const inside = readName(atTwelve(label('a.b'), [0]), 12)?.name
  const between = readName(atTwelve(label('a'), label('b'), [0]), 12)?.name
  t.is(inside, 'a\\.b.')
  t.is(between, 'a.b.')
  t.is(readName(atTwelve([2, 0xff, 0xfe, 0]), 12)?.name, '\\255\\254.')
})

test('RFC 4343 §3: only ASCII letters are folded', t => {
  t.is(canonicalName('My-Svc.\\195\\156.CLUSTER.local.'), 'my-svc.\\195\\156.cluster.local.')
})

for (const [name, zone, expected] of [
  ['.', '.', true],
  ['a.', '.', true],
  ['cluster.local.', 'cluster.local.', true],
  ['svc.cluster.local.', 'cluster.local.', true],
  ['mycluster.local.', 'cluster.local.', false],
  ['local.', 'cluster.local.', false],
  ['a\\.cluster.local.', 'cluster.local.', false],
  ['a\\\\.cluster.local.', 'cluster.local.', true],
  ['a\\\\\\.cluster.local.', 'cluster.local.', false],
  ['.', 'cluster.local.', false],
] as const) {
  test(`isSubdomain(${name}, ${zone}) is ${expected}`, t => {
    t.is(isSubdomain(name, zone), expected)
  })
}

test('parentName takes one label off, up to the root', t => {
  t.is(parentName('a\\.b.c.'), 'c.')
  t.is(parentName('c.'), '.')
  t.is(parentName('.'), undefined)
})

test('joinName puts labels before a zone', t => {
  t.is(joinName(['_http', '_tcp'], 'svc.local.'), '_http._tcp.svc.local.')
  t.is(joinName([], 'svc.local.'), 'svc.local.')
  t.is(joinName(['a']), 'a.')
})

for (const text of ['no-final-dot', 'a..b.', '', `${'a'.repeat(64)}.`, 'a.'.repeat(128)]) {
  test(`encodeName asserts on what is no DnsName: ${text.slice(0, 20)}`, t => {
    t.throws(() => encodeName(text), { name: 'AssertionError' })
  })
}

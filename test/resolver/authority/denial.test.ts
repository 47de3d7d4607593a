import test from 'ava'
import fc from 'fast-check'
import { answerFromZone } from '#resolver/authority/answer.ts'
import { canonicalOrderKey, hashName } from '#resolver/authority/denial-names.ts'
import type { AuthorityZone } from '#resolver/authority/zone.ts'
import { decodeBase32Hex, encodeBase32Hex } from '#resolver/wire/base32hex.ts'
import { parseType, rcodeName, rcodes, typeName } from '#resolver/wire/codes.ts'
import { canonicalName, isSubdomain, parseName } from '#resolver/wire/name.ts'
import { makeZone, tryZone } from '../../support/authority-zone.ts'
import { makeQuery } from '../../support/dns-environment.ts'

test('names in the order of RFC 4034 §6.1', t => {
  const names = [
    'example.',
    'a.example.',
    'yljkjljk.a.example.',
    'z.a.example.',
    'zabc.a.example.',
    'z.example.',
    '\\001.z.example.',
    '*.z.example.',
    '\\200.z.example.',
  ]
  t.deepEqual(
    names.toReversed().sort((left, right) => (canonicalOrderKey(left) < canonicalOrderKey(right) ? -1 : 1)),
    names,
  )
})

test('law: the key orders as labels do, byte by byte', t => {
  const label = fc.uint8Array({ minLength: 1, maxLength: 3 })
  const text = (labels: readonly Uint8Array[]) =>
    labels.map(bytes => [...bytes].map(byte => `\\${String(byte).padStart(3, '0')}`).join('')).join('.')
  const compareLabels = (left: Uint8Array[], right: Uint8Array[]): number => {
    for (let index = 1; index <= Math.min(left.length, right.length); index++) {
      const order = Buffer.compare(left.at(-index)!, right.at(-index)!)
      if (order !== 0) return order
    }
    return left.length - right.length
  }
  const lower = (labels: readonly Uint8Array[]) =>
    labels.map(bytes => bytes.map(byte => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte)))
  const labels = fc.array(label, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(labels, labels, (left, right) => {
      const [one, other] = [left, right].map(each => {
        const name = parseName(text(each))
        if (!name.ok) throw new Error(name.problem)
        return canonicalOrderKey(canonicalName(name.value))
      })
      const expected = Math.sign(compareLabels(lower(left), lower(right)))
      return (one! < other! ? -1 : one === other ? 0 : 1) === expected
    }),
  )
  t.pass()
})

test('hashes of RFC 5155 appendix A', t => {
  const parameters = { iterations: 12, salt: Buffer.from('aabbccdd', 'hex') }
  for (const [name, hash] of [
    ['example.', '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom'],
    ['a.example.', '35mthgpgcu1qg68fab165klnsnk3dpvl'],
    ['ns1.example.', '2t7b4g4vsa5smi47k61mv5bv1a22bojr'],
    ['*.w.example.', 'r53bq7cc2uvmubfu5ocmm6pers9tk9en'],
    ['x.y.w.example.', '2vptu5timamqttgl4luu9kg21e0aor3s'],
  ] as const)
    t.is(encodeBase32Hex(Buffer.from(hashName(name, parameters), 'latin1')), hash)
})

test('law: Base 32 goes back to the same bytes, in any case', t => {
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      const text = encodeBase32Hex(Buffer.from(bytes))
      return Buffer.from(bytes).equals(decodeBase32Hex(text.toUpperCase())!)
    }),
  )
  for (const text of ['0', 'w0', '01234567=', '00v']) t.is(decodeBase32Hex(text), undefined, text)
})

const signature = (type: string, labels: number) =>
  `RRSIG ${type} 13 ${labels} 60 20310101000000 20300101000000 1 example. AAAA`
const head = `$TTL 60\n@ SOA ns root 1 7200 900 86400 30\n  ${signature('SOA', 1)}\n`

/** Sections of an answer to who wants DNSSEC. */
const askZone = (zone: AuthorityZone, question: string, dnssecOk = true) => {
  const [name = '', type = ''] = question.split(' ')
  const { answer } = answerFromZone(zone, makeQuery(name, { type: parseType(type)! }).question, {
    holds: each => isSubdomain(each, 'example.'),
    dnssecOk,
  })
  const section = (records: typeof answer.answers) =>
    records.map(record => `${record.name} ${typeName(record.type)} ${record.ttl}`)
  return { rcode: rcodeName(answer.rcode), answer: section(answer.answers), authority: section(answer.authority) }
}

const nsecZone = `${head}
  NSEC a NS SOA RRSIG NSEC
  ${signature('NSEC', 1)}
a A 192.0.2.1
  ${signature('A', 2)}
  30 NSEC * A RRSIG NSEC
  30 ${signature('NSEC', 2)}
* A 192.0.2.2
  ${signature('A', 1)}
  NSEC @ A RRSIG NSEC
  ${signature('NSEC', 1)}
`

test('signatures and denials are for who asks for them', async t => {
  const zone = await makeZone(nsecZone)
  t.deepEqual(askZone(zone, 'a.example. A', false).answer, ['a.example. A 60'])
  t.deepEqual(askZone(zone, 'a.example. A').answer, ['a.example. A 60', 'a.example. RRSIG 60'])
  t.deepEqual(askZone(zone, 'a.example. TXT', false).authority, ['example. SOA 30'])
  // RFC 4034 §3: each signature has the TTL of what it is for.
  t.deepEqual(askZone(zone, 'a.example. TXT').authority, [
    'example. SOA 30',
    'example. RRSIG 30',
    'a.example. NSEC 30',
    'a.example. RRSIG 30',
  ])
})

test('what a wildcard stands for has its signature, and the proof that it had to (RFC 4035 §3.1.3.3)', async t => {
  t.deepEqual(askZone(await makeZone(nsecZone), 'B.example. A'), {
    rcode: 'NOERROR',
    answer: ['B.example. A 60', 'B.example. RRSIG 60'],
    authority: ['a.example. NSEC 30', 'a.example. RRSIG 30'],
  })
})

const nsec3Zone = `${head}
 NSEC3PARAM 1 0 12 AABBCCDD
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 12 AABBCCDD 35mthgpgcu1qg68fab165klnsnk3dpvl SOA NSEC3PARAM RRSIG
  ${signature('NSEC3', 2)}
35mthgpgcu1qg68fab165klnsnk3dpvl NSEC3 1 0 12 AABBCCDD 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A RRSIG
a A 192.0.2.1
`

test('RFC 5155 §7.2.8: the names of hashes do not exist; transfers have them all the same', async t => {
  const zone = await makeZone(nsec3Zone)
  t.is(askZone(zone, '0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3').rcode, 'NXDOMAIN')
  t.is([...zone.recordsBesideSoa()].filter(({ name }) => name.length > 30).length, 3)
  t.deepEqual(askZone(zone, 'a.example. TXT').authority.slice(2), [
    '35mthgpgcu1qg68fab165klnsnk3dpvl.example. NSEC3 60',
  ])
})

test('chains that cannot be used', async t => {
  t.regex(
    String(await tryZone(nsec3Zone.replace('NSEC3PARAM 1 0 12', 'NSEC3PARAM 1 0 501'))),
    /501 iterations: more than 500/,
  )
  // RFC 5155 §4.1.2: flags say that the chain is not whole yet.
  const growing = await makeZone(nsec3Zone.replace('NSEC3PARAM 1 0 12', 'NSEC3PARAM 1 1 12'))
  t.is(growing.denial, undefined)
  t.deepEqual(askZone(growing, 'no.example. A'), {
    rcode: rcodeName(rcodes.NXDOMAIN),
    answer: [],
    authority: ['example. SOA 30', 'example. RRSIG 30'],
  })
})

import test from 'ava'
import type { Next } from '#resolver/next.ts'
import { parseRecord } from '#resolver/template/record-template.ts'
import { answered, emptyAnswer, unhandled } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { type Ask, configure, makeQuery, problemsOf, testWorld } from '../../support/dns-environment.ts'

const record = (text: string) => {
  const parsed = parseRecord(text)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.value
}
const { A, AAAA } = recordTypes
const name = 'www.example.org.'
const soa = record('example.org. 300 SOA ns. host. 1 2 3 4 120')

interface Upstream {
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly rcode?: number
  readonly soa?: boolean
}

const resolveBy = async (
  line: string,
  { a = [], aaaa = [], rcode = 0, soa: hasSoa = false }: Upstream,
  question: Ask = {},
) => {
  const world = testWorld()
  const asked: number[] = []
  const next: Next = async ({ question: { type } }) => {
    asked.push(type)
    const answers = (type === AAAA ? aaaa : a).map(record)
    const fields = { answers, authenticData: true, authority: hasSoa && answers.length === 0 ? [soa] : [] }
    return answered('test', emptyAnswer(type === AAAA ? rcode : rcodes.NOERROR, fields))
  }
  const query = makeQuery(name, { type: AAAA, client: '2001:db8::7', ...question })
  const verdict = await configure(`. {\n ${line}\n}`, world).plugins[0]!.handle!(query, next)
  if (verdict.verdict !== 'answered') throw new Error(verdict.verdict)
  const { answer } = verdict
  const counted = /_translated_total\{server="dns:\/\/:53"\} 1$/m.test(await world.registry.metrics())
  return { records: answer.answers.map(recordToText), rcode: answer.rcode, ad: answer.authenticData, asked, counted }
}

const a = [`${name} 900 A 192.0.2.33`]

test('addresses of IPv4 behind the prefix, where there are none of IPv6', async t => {
  t.deepEqual(await resolveBy('dns64', { a }), {
    records: [`${name} 600 IN AAAA 64:ff9b::c000:221`],
    rcode: 0,
    ad: false,
    asked: [AAAA, A],
    counted: true,
  })
})

test('an alias stays; the TTL is no longer than the denial’s', async t => {
  const alias = [`${name} 60 CNAME web.example.org.`, 'web.example.org. 900 A 192.0.2.33']
  const { records } = await resolveBy('dns64', { a: alias, soa: true })
  t.deepEqual(records, [`${name} 60 IN CNAME web.example.org.`, 'web.example.org. 120 IN AAAA 64:ff9b::c000:221'])
})

/** RFC 6052 §2.4, its table. */
const prefixes: Record<string, string> = {
  '2001:db8::/32': '2001:db8:c000:221::',
  '2001:db8:100::/40': '2001:db8:1c0:2:21::',
  '2001:db8:122::/48': '2001:db8:122:c000:2:2100::',
  '2001:db8:122:300::/56': '2001:db8:122:3c0:0:221::',
  '2001:db8:122:344::/64': '2001:db8:122:344:c0:2:2100:0',
  '2001:db8:122:344::/96': '2001:db8:122:344::c000:221',
}

for (const [prefix, address] of Object.entries(prefixes))
  test(`prefix ${prefix}`, async t => {
    for (const line of [`dns64 ${prefix}`, `dns64 {\n prefix ${prefix}\n }`])
      t.deepEqual((await resolveBy(line, { a })).records, [`${name} 600 IN AAAA ${address}`])
  })

test('what is left as it is', async t => {
  const own = [`${name} 60 AAAA 2001:db8::1`]
  t.deepEqual((await resolveBy('dns64', { a, aaaa: own })).records, [`${name} 60 IN AAAA 2001:db8::1`])
  t.like(await resolveBy('dns64', { a, rcode: rcodes.NXDOMAIN }), {
    records: [],
    rcode: rcodes.NXDOMAIN,
    asked: [AAAA],
  })
  t.like(await resolveBy('dns64', { a }, { client: '192.0.2.7' }), { records: [], asked: [AAAA] })
  t.like(await resolveBy('dns64', { a }, { type: A }), { records: [`${name} 900 IN A 192.0.2.33`], asked: [A] })
  const validating = { checkingDisabled: true, edns: { udpSize: 1232, dnssecOk: true, options: [] } }
  t.like(await resolveBy('dns64', { a }, validating), { records: [], asked: [AAAA], counted: false })
  t.like(await resolveBy('dns64', {}), { records: [], ad: true, asked: [AAAA, A], counted: false })
})

test('mapped addresses are none, failures count as none (RFC 6147 §5.1.2, §5.1.4)', async t => {
  const turned = [`${name} 600 IN AAAA 64:ff9b::c000:221`]
  t.deepEqual((await resolveBy('dns64', { a, aaaa: [`${name} 60 AAAA ::ffff:192.0.2.1`] })).records, turned)
  t.deepEqual((await resolveBy('dns64', { a, rcode: rcodes.SERVFAIL })).records, turned)
})

test('translate_all and allow_ipv4', async t => {
  const turned = [`${name} 600 IN AAAA 64:ff9b::c000:221`]
  const aaaa = [`${name} 60 AAAA 2001:db8::1`]
  t.deepEqual((await resolveBy('dns64 {\n translate_all\n }', { a, aaaa })).records, turned)
  t.deepEqual((await resolveBy('dns64 {\n allow_ipv4\n }', { a }, { client: '192.0.2.7' })).records, turned)
})

test('where nobody answers, nobody does', async t => {
  const plugin = configure('. {\n dns64\n}').plugins[0]!
  t.is(await plugin.handle!(makeQuery(name, { type: AAAA, client: '2001:db8::7' }), () => unhandled), unhandled)
})

test('tells what is no prefix', t => {
  for (const word of ['64:ff9b::/95', '192.0.2.0/24', 'prefix', '2001:db8::1/96', '2001:db8:0:0:ff00::/96'])
    t.regex(problemsOf(`. {\n dns64 ${word}\n}`)[0] ?? '', /is not a prefix of NAT64/)
  t.regex(problemsOf('. {\n dns64 {\n prefx ::/96\n }\n}')[0] ?? '', /unknown property "prefx"; did you mean "prefix"/)
})

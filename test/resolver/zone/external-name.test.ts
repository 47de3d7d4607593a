import test from 'ava'
import type { Query } from '#resolver/query.ts'
import { type Answer, answered, emptyAnswer, type Verdict } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import { nameData, soaData } from '#resolver/wire/rdata.ts'
import { namespace, service } from '../../support/manifests.ts'
import { queryPacket, requestContext } from '../../support/query-packet.ts'
import { StaticCluster } from '../../support/static-cluster.ts'
import { TestZone } from '../../support/zone.ts'

const alias = (name: string, externalName: string) => service('n', name, { type: 'ExternalName', externalName })
const NAME = 'out.n.svc.cluster.local.'

/** Asks for A of an ExternalName whose target gets `verdict`; gives the answer and the question that was put. */
const follow = async (verdict: Verdict | Promise<Verdict>, target = 'target.example', depth?: number) => {
  const asked: Query[] = []
  const zone = new TestZone(new StaticCluster([namespace('n'), alias('out', target)]), {
    resolveInternally(query) {
      asked.push(query)
      return verdict
    },
  })
  const decoded = decodeQuery(queryPacket('OUT.n.svc.cluster.local.', { recursionDesired: false }), requestContext(), 0)
  if (decoded.verdict !== 'query') throw new Error('the question is malformed')
  const query = depth === undefined ? decoded.query : { ...decoded.query, depth }
  const { answer, outcome } = await zone.zones.answer(query, zone.zones.findZone(NAME)!)
  return { answer, outcome, asked }
}

const chainOf = ({ answers }: Answer) =>
  answers.map(({ name, type, data }) => (type === recordTypes.CNAME ? `${name} → ${nameData.decode(data)}` : name))

const soa = {
  name: 'example.',
  type: recordTypes.SOA,
  class: 1,
  ttl: 60,
  data: soaData.encode({ mname: '.', rname: '.', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 }),
}

test('the target is asked for through this server, with RD, in bytes of its own', async t => {
  const upstream = answered('forward', emptyAnswer(rcodes.NOERROR, { answers: [{ ...soa, name: 'target.example.' }] }))
  const { answer, asked } = await follow(Promise.resolve(upstream))
  t.is(answer.rcode, rcodes.NOERROR)
  t.true(answer.authoritative)
  t.deepEqual(chainOf(answer), ['OUT.n.svc.cluster.local. → target.example.', 'target.example.'])
  const [query] = asked
  const reread = decodeQuery(query!.packet, requestContext(), 0)
  t.is(query?.question.canonicalName, 'target.example.')
  t.true(query?.recursionDesired)
  t.is(reread.verdict === 'query' && reread.query.question.name, 'target.example.')
})

test('RFC 6604 §3: NXDOMAIN at the end of the chain is the answer’s, with the SOA that lets it be kept', async t => {
  const { answer } = await follow(answered('forward', emptyAnswer(rcodes.NXDOMAIN, { authority: [soa] })))
  t.is(answer.rcode, rcodes.NXDOMAIN)
  t.deepEqual(chainOf(answer), ['OUT.n.svc.cluster.local. → target.example.'])
  t.deepEqual(answer.authority, [soa])
})

for (const [about, verdict, text] of [
  ['SERVFAIL', answered('forward', emptyAnswer(rcodes.SERVFAIL)), /SERVFAIL/],
  ['REFUSED', answered('acl', emptyAnswer(rcodes.REFUSED)), /REFUSED/],
  ['silence', { verdict: 'dropped', by: 'acl' }, /no plugin answers/],
  ['no plugin', { verdict: 'unhandled' }, /no plugin answers/],
] as const satisfies readonly (readonly [string, Verdict, RegExp])[]) {
  test(`a failure of the target is a failure, not "no address": ${about}`, async t => {
    const { answer, outcome } = await follow(verdict)
    t.is(answer.rcode, rcodes.SERVFAIL)
    t.is(outcome, 'answered')
    t.deepEqual(chainOf(answer), ['OUT.n.svc.cluster.local. → target.example.'])
    t.regex(answer.extendedErrors?.at(-1)?.text ?? '', text)
  })
}

test('questions that lead back here come to an end', async t => {
  const { answer, asked } = await follow({ verdict: 'unhandled' }, 'target.example', 10)
  t.is(answer.rcode, rcodes.SERVFAIL)
  t.is(asked.length, 0)
  const next = await follow({ verdict: 'unhandled' }, 'target.example', 3)
  t.is(next.asked[0]?.depth, 4)
})

test('chains within the zone: followed, cut when they lead back, refused when they are too long', t => {
  const links = Array.from({ length: 12 }, (_, index) => alias(`l${index}`, `l${index + 1}.n.svc.cluster.local`))
  const cluster = new StaticCluster([
    namespace('n'),
    ...links,
    service('n', 'l12', '10.96.0.7'),
    alias('circle', 'CIRCLE.n.svc.cluster.local.'),
  ])
  const zone = new TestZone(cluster)
  t.deepEqual(zone.ask('l10.n.svc.cluster.local.'), [
    'NOERROR',
    'l10.n.svc.cluster.local. CNAME l11.n.svc.cluster.local.',
    'l11.n.svc.cluster.local. CNAME l12.n.svc.cluster.local.',
    'l12.n.svc.cluster.local. A 10.96.0.7',
  ])
  t.is(zone.ask('l1.n.svc.cluster.local.').length, 1 + 11 + 1)
  t.is(zone.ask('l0.n.svc.cluster.local.')[0], 'SERVFAIL')
  t.deepEqual(zone.ask('circle.n.svc.cluster.local.'), ['NOERROR'])
  t.regex(zone.reason('circle.n.svc.cluster.local.'), /leads back/)
})

test('an externalName that is no domain name is not served, and it says so', t => {
  const bad = ['192.0.2.1', '192.0.2.1.', '2001:db8::1', '', 'a..b', `${'x'.repeat(64)}.example`]
  const cluster = new StaticCluster([namespace('n'), ...bad.map((target, index) => alias(`bad-${index}`, target))])
  const zone = new TestZone(cluster)
  for (const index of bad.keys()) {
    t.deepEqual(zone.ask(`bad-${index}.n.svc.cluster.local.`, 'CNAME'), ['NXDOMAIN'])
    t.regex(zone.reason(`bad-${index}.n.svc.cluster.local.`), /is no domain name/)
  }
})

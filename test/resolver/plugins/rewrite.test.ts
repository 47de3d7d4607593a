import test from 'ava'
import { classes, rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { aaaaData, aData, hinfoData, nameData, srvData } from '#resolver/wire/rdata.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { record } from '../../support/dns-server.ts'
import { namespace, service, slice } from '../../support/manifests.ts'
import { staticSource } from '../../support/static-cluster.ts'
import { startUpstream } from '../../support/upstream.ts'

const { A, AAAA, ANY, CNAME, HINFO, SRV, MX, PTR } = recordTypes

const objects = [
  namespace('shop'),
  service('shop', 'web', '10.96.0.20'),
  service('shop', 'db', { clusterIPs: ['None'], ports: [{ name: 'http', port: 8080 }] }),
  slice({ namespace: 'shop', service: 'db', endpoints: [{ address: '10.244.0.1', hostname: 'db-0' }] }),
  service('shop', 'docs', { type: 'ExternalName', externalName: 'old.example.net' }),
]

const start = async (rules: string) => {
  const text = `.:53 {
${rules}
    hosts /nowhere {
      192.0.2.80 www.example.org
      192.0.2.81 new.example.net
      fallthrough
    }
    kubernetes cluster.local
  }`
  const configuration = configure(text, testWorld({ cluster: staticSource(objects) }))
  await configuration.start(AbortSignal.timeout(60_000))
  return configuration
}

const show: Readonly<Record<number, (data: Buffer) => string>> = {
  [A]: data => aData.decode(data),
  [AAAA]: data => aaaaData.decode(data),
  [CNAME]: data => nameData.decode(data),
  [SRV]: data => srvData.decode(data).target,
  [HINFO]: data => hinfoData.decode(data).cpu,
}

const rules: Readonly<Record<string, readonly [rule: string, name: string, type: number, answer: readonly string[]]>> =
  {
    'exact, its final dot left out': [
      'rewrite name exact Shop.Test web.shop.svc.cluster.local',
      'SHOP.test.',
      A,
      ['SHOP.test. 10.96.0.20'],
    ],
    'exact without the word': [
      'rewrite name shop.test. web.shop.svc.cluster.local.',
      'shop.test.',
      A,
      ['shop.test. 10.96.0.20'],
    ],
    'not a part of the name': ['rewrite name exact shop.test web.shop.svc.cluster.local', 'a.shop.test.', A, []],
    prefix: [
      'rewrite name prefix old- web',
      'old-.shop.svc.cluster.local.',
      A,
      ['old-.shop.svc.cluster.local. 10.96.0.20'],
    ],
    'prefix, whole labels: dots on no side': [
      'rewrite name prefix Old web',
      'old.shop.svc.cluster.local.',
      A,
      ['old.shop.svc.cluster.local. 10.96.0.20'],
    ],
    'prefix, whole labels: not the beginning of one, whatever the dots': [
      'rewrite name prefix o w',
      'oeb.shop.svc.cluster.local.',
      A,
      [],
    ],
    'prefix, whole labels: a dot on one side stands for both': [
      'rewrite name prefix old web.',
      'old.shop.svc.cluster.local.',
      A,
      ['old.shop.svc.cluster.local. 10.96.0.20'],
    ],
    'prefix, whole labels: a part of a label is none': ['rewrite name prefix www. web', 'wwwx.example.org.', A, []],
    'substring, whole labels': [
      'rewrite name substring old.shop. web.shop',
      'old.shop.svc.cluster.local.',
      A,
      ['old.shop.svc.cluster.local. 10.96.0.20'],
    ],
    'substring, whole labels: not the beginning of one': [
      'rewrite name substring xy sh',
      'web.xyop.svc.cluster.local.',
      A,
      [],
    ],
    'substring may begin within a label': [
      'rewrite name substring b.xyz eb.shop',
      'wb.xyz.svc.cluster.local.',
      A,
      ['wb.xyz.svc.cluster.local. 10.96.0.20'],
    ],
    'prefix, whole labels: taken away without a dot': [
      'rewrite name prefix old ""',
      'old.web.shop.svc.cluster.local.',
      A,
      ['old.web.shop.svc.cluster.local. 10.96.0.20'],
    ],
    'prefix, whole labels: taken away': [
      'rewrite name prefix old. ""',
      'old.web.shop.svc.cluster.local.',
      A,
      ['old.web.shop.svc.cluster.local. 10.96.0.20'],
    ],
    'prefix, whole labels: put in front': [
      'rewrite name prefix "" web.',
      'shop.svc.cluster.local.',
      A,
      ['shop.svc.cluster.local. 10.96.0.20'],
    ],
    'substring, whole labels: taken away with the dot behind': [
      'rewrite name substring old. ""',
      'web.old.shop.svc.cluster.local.',
      A,
      ['web.old.shop.svc.cluster.local. 10.96.0.20'],
    ],
    'substring, whole labels: taken away between dots': [
      'rewrite name substring .old. ""',
      'web.old.shop.svc.cluster.local.',
      A,
      ['web.old.shop.svc.cluster.local. 10.96.0.20'],
    ],
    suffix: ['rewrite name suffix .test .svc.cluster.local', 'web.shop.test.', A, ['web.shop.test. 10.96.0.20']],
    substring: [
      'rewrite name substring xyz shop',
      'web.xyz.svc.cluster.local.',
      A,
      ['web.xyz.svc.cluster.local. 10.96.0.20'],
    ],
    'regex with groups': [
      'rewrite name regex ^([a-z]+)-in-([a-z]+)\\.test\\.$ {1}.{2}.svc.cluster.local',
      'web-in-shop.test.',
      A,
      ['web-in-shop.test. 10.96.0.20'],
    ],
    'regex with a flag of RE2': [
      'rewrite name regex (?i)(?P<service>WEB)\\.test {1}.shop.svc.cluster.local',
      'web.test.',
      A,
      ['web.test. 10.96.0.20'],
    ],
    'targets as they are': [
      'rewrite name suffix .test .svc.cluster.local',
      'db.shop.test.',
      SRV,
      ['db.shop.test. db-0.db.shop.svc.cluster.local.', '+ db-0.db.shop.svc.cluster.local.'],
    ],
    'answer auto: targets and their owners': [
      'rewrite name suffix .test .svc.cluster.local answer auto',
      'db.shop.test.',
      SRV,
      ['db.shop.test. db-0.db.shop.test.', '+ db-0.db.shop.test.'],
    ],
    'answer name and answer value, in braces': [
      'rewrite stop {\n name regex (.*)\\.test\\. {1}.svc.cluster.local\n answer name (.*)\\.svc\\.cluster\\.local\\. {1}.owner\n answer value (.*)\\.svc\\.cluster\\.local\\. {1}.value\n }',
      'db.shop.test.',
      SRV,
      ['db.shop.test. db-0.db.shop.value.', '+ db-0.db.shop.owner.'],
    ],
    'a type': ['rewrite type ANY HINFO', 'web.shop.svc.cluster.local.', ANY, []],
    'a type that has records': ['rewrite type MX A', 'www.example.org.', MX, ['www.example.org. 192.0.2.80']],
    'a CNAME’s target': [
      'rewrite cname exact old.example.net new.example.net',
      'docs.shop.svc.cluster.local.',
      A,
      ['docs.shop.svc.cluster.local. new.example.net.', 'new.example.net. 192.0.2.81'],
    ],
    'a CNAME’s target that nobody here knows': [
      'rewrite cname exact old.example.net nobody.example.com',
      'docs.shop.svc.cluster.local.',
      A,
      ['docs.shop.svc.cluster.local. nobody.example.com.'],
    ],
    'a CNAME’s target, asked for itself': [
      'rewrite cname suffix .example.net .example.org',
      'docs.shop.svc.cluster.local.',
      CNAME,
      ['docs.shop.svc.cluster.local. old.example.org.'],
    ],
    'stop: the next rule is not tried': [
      'rewrite name a.test b.test\nrewrite name b.test www.example.org',
      'a.test.',
      A,
      [],
    ],
    'continue: the next rule is': [
      'rewrite continue name a.test b.test\nrewrite name b.test www.example.org',
      'a.test.',
      A,
      ['a.test. 192.0.2.80'],
    ],
    'what would be no name is left alone': [
      `rewrite name prefix www ${'x'.repeat(64)}`,
      'www.example.org.',
      A,
      ['www.example.org. 192.0.2.80'],
    ],
  }

for (const [about, [rule, name, type, answer]] of Object.entries(rules))
  test(about, async t => {
    const reply = (await ask(await start(rule), name, { type }))!
    const shown = reply.answers.map(record => `${record.name} ${show[record.type]!(record.data)}`)
    const glue = reply.additional.map(record => `+ ${record.name}`)
    t.deepEqual([...shown, ...glue], [...answer])
    t.is(reply.question?.name, name)
    t.is(reply.question?.type, type)
  })

test('TTLs: set, or brought into a range', async t => {
  const ttlOf = async (seconds: string, name = 'www.example.org') =>
    (await ask(await start(`rewrite ttl suffix ${name} ${seconds}`), 'www.example.org.'))!.answers[0]!.ttl
  t.deepEqual(await Promise.all(['30', '30-300', '-300', '7200-'].map(seconds => ttlOf(seconds))), [30, 300, 300, 7200])
  t.is(await ttlOf('30', 'example.net'), 3600)
})

test('RCODEs', async t => {
  const rcodeOf = async (rule: string, name: string) => (await ask(await start(rule), name))!.rcode
  const rule = 'rewrite rcode suffix svc.cluster.local NXDOMAIN REFUSED'
  t.is(await rcodeOf(rule, 'nosuch.shop.svc.cluster.local.'), rcodes.REFUSED)
  t.is(await rcodeOf(rule, 'web.shop.svc.cluster.local.'), rcodes.NOERROR)
  t.is(await rcodeOf(rule, 'nosuch.cluster.local.'), rcodes.NXDOMAIN)
  t.is(await rcodeOf('rewrite rcode suffix svc.cluster.local 3 5', 'nosuch.shop.svc.cluster.local.'), rcodes.REFUSED)
})

test('a class: asked from the front, answered in the client’s', async t => {
  const reply = (await ask(await start('rewrite class CH IN'), 'www.example.org.', { class: classes.CH }))!
  t.deepEqual(
    reply.answers.map(({ data }) => aData.decode(data)),
    ['192.0.2.80'],
  )
  t.is(reply.question?.class, classes.CH)
  t.is((await ask(await start('rewrite type MX A'), 'www.example.org.', { class: classes.CH }))?.rcode, rcodes.REFUSED)
})

const pod = (namespaceName: string, name: string, podIP: string) => ({
  kind: 'Pod',
  metadata: { namespace: namespaceName, name },
  status: { podIP, podIPs: [{ ip: podIP }] },
})

test('metadata in a name: the services of the client’s own namespace; of nobody’s, the rule is none', async t => {
  const rule =
    'rewrite name regex ^([^.]+)\\.own\\.$ {1}.{kubernetes/client-namespace}.svc.cluster.local metadata answer auto'
  const text = `. {\n metadata\n ${rule}\n kubernetes cluster.local {\n pods verified\n }\n}`
  const pods = [pod('shop', 'buyer', '192.0.2.7'), namespace('empty'), pod('empty', 'other', '192.0.2.8')]
  const configuration = configure(text, testWorld({ cluster: staticSource([...objects, ...pods]) }))
  await configuration.start(AbortSignal.timeout(60_000))
  const asked = async (client: string) => {
    const reply = (await ask(configuration, 'WEB.own.', { client }))!
    return [reply.rcode, ...reply.answers.map(({ name, data }) => `${name} ${aData.decode(data)}`)]
  }
  t.deepEqual(await asked('192.0.2.7'), [rcodes.NOERROR, 'WEB.own. 10.96.0.20'])
  t.deepEqual(await asked('192.0.2.8'), [rcodes.NXDOMAIN])
  t.deepEqual(await asked('192.0.2.9'), [rcodes.SERVFAIL], 'nobody is there for the name as it was asked')
  // What one client is told is not kept for others.
  t.deepEqual(await asked('192.0.2.7'), [rcodes.NOERROR, 'WEB.own. 10.96.0.20'])
  t.false(configuration.plugins.find(({ name }) => name === 'rewrite')?.steady)
})

test('no pattern stalls the server', async t => {
  const configuration = await start('rewrite name regex ^(a+)+$ b.test')
  // One that tries all ways takes longer than the universe.
  await ask(configuration, `${'a'.repeat(60)}.${'a'.repeat(60)}.`)
  t.pass()
})

test('tells what is wrong with the directive', t => {
  const problem = (rule: string) => problemsOf(`.:53 {\n rewrite ${rule}\n}`)[0]
  t.is(problem(''), 'Corefile:2: rewrite: needs a field (name, type, class, edns0, ttl, cname, rcode)')
  t.regex(problem('name suffix a b metadata')!, /"metadata" is for regex rules alone/)
  t.regex(problem('name regex (a) {2}.{a/b} metadata')!, /uses \{2\}, but "\(a\)" has 1 groups/)
  t.regex(problem('name regex a {namespace}.x metadata')!, /\{namespace\} is neither a group nor a label like/)
  t.regex(problem('name regex a x{a/b metadata')!, /"x\{a\/b" has a brace without its other half/)
  t.regex(problem('nmae a b')!, /Corefile:2: rewrite: "nmae" is not one of name, type.*; did you mean "name"\?/)
  t.regex(problem('edns0 local put 0xffee 0x61')!, /"put" is not one of set, append, replace, unset/)
  t.regex(problem('edns0 local set 65536 x')!, /"65536" is not the code of an option/)
  t.regex(problem('edns0 local set 0xffee 0x616')!, /"0x616" is not data of an option/)
  t.regex(problem('edns0 local set 0xffee {client}')!, /"{client}" is not data of an option/)
  t.regex(problem('edns0 subnet set 33 56')!, /"33" is not a number of bits of an IPv4 address/)
  t.regex(problem('edns0 nsid set x')!, /"x" is one word too many/)
  t.is(problem('name a.test'), 'Corefile:2: rewrite: needs a name to make of it')
  t.is(problem('name a.test b.test c'), 'Corefile:2: rewrite: "c" is one word too many')
  t.regex(problem('name regex ( b')!, /"\(" is no regular expression/)
  t.regex(problem('name regex (a) {2}.test')!, /"\{2\}.test" uses \{2\}, but "\(a\)" has 1 groups/)
  t.regex(problem('name a b answer atuo')!, /"atuo" is not one of auto, name, value/)
  t.regex(problem('type ANY HINFOO')!, /"HINFOO" is not a type to make of it/)
  t.regex(problem('rcode a.test NXDOMAN NOERROR')!, /"NXDOMAN" is not an RCODE to rewrite/)
  t.regex(problem('ttl a.test 300-30')!, /"300-30" is not a TTL in seconds/)
  t.regex(problem('ttl a.test soon')!, /"soon" is not a TTL in seconds/)
})

test('answer value: names in SOA and NAPTR, in all sections; "answer" only once', async t => {
  const upstream = await startUpstream(t, {
    respond: () => ({
      answers: [record('x.inside. 5 NAPTR 1 2 "s" "" "" sip.inside.')],
      authority: [record('inside. 5 SOA ns.inside. root.inside. 1 2 3 4 5')],
    }),
  })
  const rule = 'name suffix .outside .inside answer name (.*)inside {1}outside value (.*)inside {1}outside'
  const configuration = configure(`. {\n rewrite stop ${rule}\n forward . ${upstream.target}\n}`)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const reply = await ask(configuration, 'x.outside.', { type: recordTypes.NAPTR })
  t.deepEqual([...reply!.answers, ...reply!.authority].map(recordToText), [
    'x.outside. 5 IN NAPTR 1 2 "s" "" "" sip.outside.',
    'outside. 5 IN SOA ns.outside. root.inside. 1 2 3 4 5',
  ])
})

test('answer auto behind a pattern: the question’s own name alone, in values, too', async t => {
  const upstream = await startUpstream(t, {
    respond: () => ({
      answers: [record('a.inside. 5 CNAME b.inside.'), record('b.inside. 5 PTR a.inside.')],
    }),
  })
  const configuration = configure(
    `. {\n rewrite name regex (.*)\\.outside {1}.inside answer auto\n forward . ${upstream.target}\n}`,
  )
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const reply = await ask(configuration, 'A.outside.', { type: PTR })
  t.deepEqual(reply!.answers.map(recordToText), ['A.outside. 5 IN CNAME b.inside.', 'b.inside. 5 IN PTR A.outside.'])
})

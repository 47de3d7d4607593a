/** Which names `forward` sends on, and what it makes of failures. */
import test from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aaaaData, aData } from '#resolver/wire/rdata.ts'
import { ask } from '../../support/dns-environment.ts'
import { startConfiguration, whileTimePasses } from '../../support/forward-world.ts'
import { staticSource } from '../../support/static-cluster.ts'
import { aRecord, startUpstream } from '../../support/upstream.ts'

const edns = { udpSize: 1232, dnssecOk: false, options: [] }

/** No route leads there; what is sent is lost. */
const PUBLIC = '192.0.2.1'

test('names that are nobody’s are answered here, whatever the upstream', async t => {
  const upstream = await startUpstream(t, { respond: () => ({ rcode: rcodes.NXDOMAIN }) })
  const { world, configuration } = await startConfiguration(t, `. {\n forward . ${upstream.target}\n}`)
  const onion = await ask(configuration, 'WWW.Hidden.onion.', { edns })
  t.is(onion?.rcode, rcodes.NXDOMAIN)
  t.is(onion?.question?.name, 'WWW.Hidden.onion.')
  // RFC 2308 §3: with the SOA of the zone, so that it is kept.
  t.deepEqual(
    onion?.authority.map(({ name, type, ttl }) => [name, type, ttl]),
    [['onion.', recordTypes.SOA, 300]],
  )
  t.regex(onion?.extendedErrors?.[0]?.text ?? '', /RFC 7686/)
  t.is(aData.decode((await ask(configuration, 'localhost.'))!.answers[0]!.data), '127.0.0.1')
  const v6 = await ask(configuration, 'db.localhost.', { type: recordTypes.AAAA })
  t.is(aaaaData.decode(v6!.answers[0]!.data), '::1')
  const mx = await ask(configuration, 'localhost.', { type: recordTypes.MX })
  t.deepEqual([mx?.rcode, mx?.answers.length, mx?.authority.length], [0, 0, 1])
  const designated = await ask(configuration, '_dns.resolver.arpa.', { type: recordTypes.SVCB })
  t.deepEqual([designated?.rcode, designated?.answers.length], [0, 0])
  const apex = await ask(configuration, 'invalid.', { type: recordTypes.SOA })
  t.is(apex?.answers.length, 1)
  t.deepEqual(upstream.queries, [])
  t.regex(await world.registry.metrics(), /seamark_forward_special_names_total\{reach="nowhere",outcome="answered"\} 6/)
})

test('names of a site go to upstreams on it alone', async t => {
  const upstream = await startUpstream(t, {
    respond: ({ question }) => ({ answers: [aRecord(question.name, 60, '192.0.2.7')] }),
  })
  const names = ['printer.local.', 'ip-10-0-0-1.ec2.internal.', '1.0.0.10.in-addr.arpa.', 'nas.home.arpa.']
  const both = await startConfiguration(t, `. {\n forward . ${PUBLIC} ${upstream.target} {\n policy sequential\n }\n}`)
  for (const name of names) t.is((await ask(both.configuration, name))?.answers.length, 1, name)
  const text = await both.world.registry.metrics()
  t.regex(text, /seamark_forward_special_names_total\{reach="site",outcome="asked"\} 4/)
  // Had the public one been asked, time would have to pass.
  t.is(upstream.queries.length, names.length)

  const outside = await startConfiguration(t, `. {\n forward . ${PUBLIC}\n}`)
  for (const name of names) t.is((await ask(outside.configuration, name))?.rcode, rcodes.NXDOMAIN, name)
  const never = await startConfiguration(t, `. {\n forward . ${upstream.target} {\n special_names never\n }\n}`)
  for (const name of names) t.is((await ask(never.configuration, name))?.rcode, rcodes.NXDOMAIN, name)
  t.is(upstream.queries.length, names.length)
})

test('a block or a stub zone for a special name is obeyed', async t => {
  const upstream = await startUpstream(t, {
    respond: ({ question }) => ({ answers: [aRecord(question.name, 60, '192.0.2.7')] }),
  })
  const obeyed = async (text: string, name: string) => {
    const { configuration } = await startConfiguration(t, text)
    const before = upstream.queries.length
    t.is((await ask(configuration, name))?.answers.length, 1)
    t.is(upstream.queries.length, before + 1)
  }
  const { target } = upstream
  await obeyed(`. {\n forward onion ${target}\n forward . ${PUBLIC}\n}`, 'a.onion.')
  await obeyed(`corp.test {\n forward . ${target} {\n special_names never\n }\n}`, 'www.corp.test.')
  await obeyed(`. {\n forward 10.1.0.0/16 ${target} {\n special_names never\n }\n}`, '1.2.1.10.in-addr.arpa.')
  await obeyed(`. {\n forward . ${target} {\n special_names always\n }\n}`, 'a.onion.')
})

test('search_domains: refusals and failures below become NXDOMAIN; elsewhere they stay, and say whose they are', async t => {
  const state = { rcode: rcodes.REFUSED as number }
  const upstream = await startUpstream(t, { respond: () => ({ rcode: state.rcode }) })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n forward . ${upstream.target} {\n search_domains corp.example node.example\n }\n}`,
  )
  const answerOf = async (name: string) => {
    const reply = await ask(configuration, name, { edns })
    return `${reply?.rcode} ${reply?.extendedErrors?.map(({ code, text }) => `${code} ${text}`)}`
  }
  const { target } = upstream
  t.is(await answerOf('www.example.org.corp.example.'), `3 23 ${target} answered REFUSED`)
  t.is(await answerOf('corp.example.'), `5 23 ${target} answered REFUSED`)
  t.is(await answerOf('www.example.org.'), `5 23 ${target} answered REFUSED`)
  state.rcode = rcodes.SERVFAIL
  t.is(await answerOf('www.node.example.'), `3 23 ${target} answered SERVFAIL`)
  state.rcode = rcodes.NOTIMP
  t.is(await answerOf('mail.node.example.'), `4 23 ${target} answered NOTIMP`)
  t.regex(await world.registry.metrics(), /^seamark_forward_search_failures_total 2$/m)
})

test('names of our own are answered while the upstream is silent and no more questions are taken', async t => {
  const upstream = await startUpstream(t, { respond: () => undefined })
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n hosts {\n 192.0.2.9 own.example\n fallthrough\n }\n forward . ${upstream.target} {\n max_concurrent 100\n }\n}`,
  )
  const waiting = Array.from({ length: 100 }, (_, index) => ask(configuration, `${index}.example.org.`))
  for (let turn = 0; turn < 100; turn++) {
    t.is((await ask(configuration, 'own.example.'))?.rcode, rcodes.NOERROR)
    t.is((await ask(configuration, `more-${turn}.example.org.`))?.rcode, rcodes.REFUSED)
  }
  const replies = await whileTimePasses(world, Promise.all(waiting))
  t.true(replies.every(reply => reply?.rcode === rcodes.SERVFAIL))
})

test('names of the cluster do not leave it with a search domain behind them', async t => {
  const upstream = await startUpstream(t, {
    respond: ({ question }) => ({ answers: [aRecord(question.name, 60, '192.0.2.7')] }),
  })
  const cluster = staticSource([{ kind: 'Namespace', metadata: { name: 'shop' } }])
  const { world, configuration } = await startConfiguration(
    t,
    `. {\n kubernetes cluster.local\n forward . ${upstream.target}\n}`,
    { cluster },
  )
  const rcodeOf = async (name: string) => (await ask(configuration, name))?.rcode
  t.is(await rcodeOf('web.shop.svc.cluster.local.'), rcodes.NXDOMAIN)
  t.is(await rcodeOf('web.shop.svc.cluster.local.svc.cluster.local.'), rcodes.NXDOMAIN)
  t.is(await rcodeOf('web.shop.svc.cluster.local.corp.example.'), rcodes.NXDOMAIN)
  t.deepEqual(upstream.queries, [])
  t.is(await rcodeOf('www.corp.example.'), rcodes.NOERROR)
  t.regex(
    await world.registry.metrics(),
    /seamark_forward_special_names_total\{reach="searched",outcome="answered"\} 1/,
  )
})

import test from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { type Ask, ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { staticSource } from '../../support/static-cluster.ts'
import { aRecord, startUpstream } from '../../support/upstream.ts'

const answering = (address: string) => `template IN ANY {\n answer "{{ .Name }} 60 IN A ${address}"\n }`
const block = (zone: string, view: string, address: string) => `${zone} {\n ${view}\n ${answering(address)}\n}\n`
const view = (name: string, ...lines: string[]) => `view ${name} {\n${lines.map(line => `expr ${line}\n`).join('')}}`

const split =
  block('example.org', view('inside', "incidr(client_ip(), '192.0.2.0/24')"), '198.51.100.1') +
  block('example.org', view('mail', "type() in ['MX', 'TXT']", 'name() startsWith `mail.`'), '198.51.100.2') +
  block('example.org', '', '198.51.100.3')

/** The last number of the address that came back, or the rcode. */
const outcomeOf = async (corefile: string, name: string, question: Ask = {}) => {
  const reply = await ask(configure(corefile), name, question)
  const data = reply?.answers[0]?.data
  return data ? data.at(-1) : reply?.rcode
}

const cases: Record<string, readonly [corefile: string, name: string, question: Ask, outcome: number]> = {
  'by the client’s address': [split, 'a.example.org.', { client: '192.0.2.9' }, 1],
  'the first of two that take it': [split, 'mail.example.org.', { client: '192.0.2.9', type: recordTypes.MX }, 1],
  'by type and name': [split, 'mail.example.org.', { client: '203.0.113.1', type: recordTypes.MX }, 2],
  'all lines must hold: type': [split, 'mail.example.org.', { client: '203.0.113.1' }, 3],
  'all lines must hold: name': [split, 'a.example.org.', { client: '203.0.113.1', type: recordTypes.MX }, 3],
  'without expressions it takes all': [block('.', 'view all', '192.0.2.1'), 'a.', {}, 1],
  'nobody takes it': [block('.', view('none', 'false'), '192.0.2.1'), 'a.', {}, rcodes.REFUSED],
  'the zone above takes it': [
    block('example.org', view('none', 'false'), '192.0.2.1') + block('org', '', '192.0.2.2'),
    'a.example.org.',
    {},
    2,
  ],
  'DS of a zone’s apex goes to the parent’s blocks': [
    block('example.org', view('all', 'true'), '192.0.2.1') +
      block('org', view('none', 'false'), '192.0.2.2') +
      block('org', '', '192.0.2.3'),
    'example.org.',
    { type: recordTypes.DS },
    3,
  ],
  'another listener’s blocks are not asked': [
    block('.', view('none', 'false'), '192.0.2.1') + block('.:1053', '', '192.0.2.2'),
    'a.',
    {},
    rcodes.REFUSED,
  ],
  'an expression in double quotes': [block('.', view('all', '"type() == \'A\'"'), '192.0.2.1'), 'a.', {}, 1],
}

for (const [about, [corefile, name, question, outcome]] of Object.entries(cases))
  test(about, async t => t.is(await outcomeOf(corefile, name, question), outcome))

test('a zone may be served once more only behind a view', t => {
  const taken = /^Corefile:\d+: "\." on dns:\/\/:53 is served already \(Corefile:\d+\)$/
  const problem = (corefile: string) => problemsOf(corefile)[0] ?? ''
  t.is(problem('. {\n view a\n whoami\n}\n. {\n view b\n whoami\n}\n. {\n whoami\n}'), '')
  t.regex(problem('. {\n whoami\n}\n. {\n whoami\n}'), taken)
  t.regex(problem('. {\n whoami\n}\n. {\n view a\n whoami\n}'), taken)
  t.regex(problem('. {\n view a\n whoami\n}\n. {\n whoami\n}\n. {\n whoami\n}'), taken)
  t.regex(problem('. . {\n view a\n whoami\n}'), taken)
})

test('metadata decides, and shows the view', async t => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'client', namespace: 'shop', uid: 'u1' },
    spec: {},
    status: { podIP: '192.0.2.7', podIPs: [{ ip: '192.0.2.7' }], phase: 'Running' },
  }
  const world = testWorld({ cluster: staticSource([pod], true) })
  const blockOf = (lines: string) =>
    `. {\n metadata\n ${lines}\n log . "{/view/name} {/kubernetes/client-namespace}"\n kubernetes cluster.local {\n pods verified\n fallthrough\n }\n whoami\n}\n`
  const inShop = view('shop', "metadata('kubernetes/client-namespace') == 'shop'")
  const configuration = configure(blockOf(inShop) + blockOf('view rest'), world)
  await configuration.start(AbortSignal.timeout(60_000))
  await ask(configuration, 'a.')
  await ask(configuration, 'a.', { client: '192.0.2.8' })
  await configuration.close()
  t.deepEqual(world.lines, ['[INFO] shop shop', '[INFO] rest -'])
})

test('the metrics of a block have its view', async t => {
  const world = testWorld()
  const plugins = `prometheus\n cache\n acl {\n block type MX\n }\n ${answering('192.0.2.1')}`
  const inside = view('inside', "incidr(client_ip(), '192.0.2.0/24')")
  const configuration = configure(`. {\n ${inside}\n ${plugins}\n}\n. {\n ${plugins}\n}`, world)
  await configuration.start(AbortSignal.timeout(60_000))
  const [here, there] = [{ client: '192.0.2.1' }, { client: '203.0.113.1' }]
  for (const question of [here, here, there]) {
    await ask(configuration, 'a.', question)
    await ask(configuration, 'a.', { ...question, type: recordTypes.MX })
  }
  const text = await world.registry.metrics()
  const metricOf = (name: string, labels: Record<string, string>): string | undefined => {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
    const lines = text
      .split('\n')
      .filter(line => line.startsWith(`${name}{`) && wanted.every(one => line.includes(one)))
    return lines.length === 1 ? lines[0]!.split(' ').at(-1) : `${lines.length} lines`
  }
  for (const [label, times] of [
    ['inside', 2],
    ['', 1],
  ] as const) {
    const own = { view: label }
    t.is(metricOf('coredns_dns_requests_total', { ...own, type: 'A' }), String(times))
    t.is(metricOf('coredns_dns_responses_total', { ...own, rcode: 'NOERROR' }), String(times))
    t.is(metricOf('coredns_dns_request_duration_seconds_count', own), String(2 * times))
    t.is(metricOf('coredns_acl_blocked_requests_total', own), String(times))
    t.is(metricOf('coredns_acl_allowed_requests_total', own), String(times))
    t.is(metricOf('coredns_cache_requests_total', own), String(times))
    t.is(metricOf('coredns_plugin_enabled', { ...own, name: 'cache' }), '1')
    t.not(metricOf('coredns_template_matches_total', own), '0 lines')
  }
  t.is(metricOf('coredns_plugin_enabled', { name: 'view' }), '1')
  await configuration.close()
})

test('a reload moves no answers between views', async t => {
  const world = testWorld()
  // Another answer each time, so that it tells which cache has it.
  const upstream = await startUpstream(t, {
    respond: () => ({ answers: [aRecord('a.', 60, `192.0.2.${upstream.queries.length}`)] }),
  })
  const cached = (which: string) => `. {\n ${which}\n cache\n forward . ${upstream.target}\n}\n`
  const here = cached(view('here', "incidr(client_ip(), '192.0.2.0/24')"))
  const before = configure(here + cached(view('rest', 'true')), world)
  await before.start(AbortSignal.timeout(60_000))
  const [local, remote] = [{ client: '192.0.2.1' }, { client: '203.0.113.1' }]
  const lastOf = async (configuration: Configuration, question: Ask) =>
    (await ask(configuration, 'a.', question))?.answers[0]?.data.at(-1)
  t.deepEqual([await lastOf(before, local), await lastOf(before, remote)], [1, 2])
  const after = configure(cached(view('new', 'false')) + here + cached(''), world)
  after.adopt(before)
  await after.start(AbortSignal.timeout(60_000))
  await before.close()
  t.deepEqual([await lastOf(after, local), await lastOf(after, remote)], [1, 3])
  await after.close()
})

test('tells what is wrong', t => {
  const problem = (lines: string) => problemsOf(`. {\n ${lines}\n whoami\n}`)[0] ?? ''
  t.is(problem('view'), 'Corefile:2: view: needs a name (view NAME { … })')
  t.is(problem('view a b'), 'Corefile:2: view: "b" is one word too many')
  t.is(problem('view a {\n  exp true\n }'), 'Corefile:3: view: unknown property "exp"; did you mean "expr"?')
  t.is(problem('view a {\n  expr\n }'), 'Corefile:3: view: "expr" needs a value (EXPRESSION)')
  t.is(
    problem("view a {\n  expr type() == 'A' && clientip() == 'a'\n }"),
    'Corefile:3: view: expr: column 18, "clientip": unknown function; did you mean "client_ip"?',
  )
  t.is(
    problem('view a {\n  expr metadata(`a`) == `b`\n }'),
    'Corefile:3: view: expr: metadata() needs a line "metadata" in the server block',
  )
  t.regex(problem('view a\n view b'), /^Corefile:3: "view" stands in this server block already/)
})

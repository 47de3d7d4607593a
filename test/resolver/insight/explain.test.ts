import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import test from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { clientAddress, explain, type Report } from '#resolver/insight/explain.ts'
import { reportText } from '#resolver/insight/text.ts'
import { parseType } from '#resolver/wire/codes.ts'
import { configure, testWorld } from '../../support/dns-environment.ts'
import { namespace, service, slice } from '../../support/manifests.ts'
import { type Manifest, StaticCluster, staticSource } from '../../support/static-cluster.ts'

const unversioned: readonly Manifest[] = [
  namespace('shop'),
  namespace('default'),
  service('shop', 'web', '10.96.0.20'),
  service('default', 'db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] }),
  slice({ namespace: 'default', service: 'db', endpoints: [{ address: '192.0.2.10', hostname: 'db-0' }] }),
  service('shop', 'stuck', { clusterIP: 'None' }),
  slice({
    namespace: 'shop',
    service: 'stuck',
    endpoints: [{ address: '192.0.2.11', ready: false, podName: 'stuck-a' }],
  }),
  service('shop', 'lonely', { clusterIP: 'None' }),
  service('shop', 'out', { type: 'ExternalName', externalName: '192.0.2.1' }),
]

const manifests = unversioned.map((manifest, index) => ({
  ...manifest,
  metadata: { ...manifest.metadata, resourceVersion: String(4700 + index) },
}))

const COREFILE = `. {
  errors
  kubernetes cluster.local in-addr.arpa {
    pods disabled
  }
}
`

const start = async (corefile = COREFILE, source = staticSource(manifests)): Promise<Configuration> => {
  const configuration = configure(corefile, testWorld({ cluster: source }))
  await configuration.start(new AbortController().signal)
  return configuration
}

interface Asked {
  readonly type?: string
  readonly namespace?: string
}

const ask = async (
  configuration: Configuration,
  name: string,
  { type = 'A', namespace }: Asked = {},
): Promise<Report> =>
  explain(configuration, testWorld().clock, {
    name,
    type: parseType(type)!,
    client: '192.0.2.7',
    ...(namespace !== undefined && { namespace }),
  })

/** Name and type → rcode, what the cause must say, what the advice must say. */
const cases: Readonly<Record<string, readonly [rcode: string, cause: RegExp, next: RegExp]>> = {
  'web.shop.svc.cluster.local. A': ['NOERROR', /^$/, /^$/],
  'web.shop.svc.cluster.local. AAAA': ['NOERROR', /no record of this type|no record of type AAAA/, /^$/],
  'wbe.shop.svc.cluster.local. A': [
    'NXDOMAIN',
    /has no service "wbe"; did you mean "web"\?/,
    /kubectl get services -n shop/,
  ],
  'web.default.svc.cluster.local. A': [
    'NXDOMAIN',
    /namespace "default" has no service "web"/,
    /other namespaces have one: web\.shop/,
  ],
  'web.shpo.svc.cluster.local. A': [
    'NXDOMAIN',
    /namespace "shpo" does not exist.*did you mean "shop"/,
    /kubectl get namespace shpo/,
  ],
  'stuck.shop.svc.cluster.local. A': ['NXDOMAIN', /none of its 1 endpoints is ready: stuck-a/, /readiness probes/],
  'lonely.shop.svc.cluster.local. A': ['NXDOMAIN', /has no endpoints: no pod matches its selector/, /show-labels/],
  'out.shop.svc.cluster.local. A': ['NXDOMAIN', /externalName "192\.0\.2\.1" is no domain name/, /^$/],
  'db-1.db.default.svc.cluster.local. A': [
    'NXDOMAIN',
    /no ready endpoint "db-1"; did you mean "db-0"/,
    /kubectl get endpointslices -n default/,
  ],
  '_htp._tcp.web.shop.svc.cluster.local. SRV': ['NXDOMAIN', /no port named "htp" for tcp/, /_http\._tcp/],
  'www.example.org.default.svc.cluster.local. A': [
    'NXDOMAIN',
    /has no service "org"/,
    /candidate of the client's search list.*ask "www\.example\.org\."/,
  ],
  'www.example.org.svc.cluster.local. A': ['NXDOMAIN', /namespace "org" does not exist/, /ask "www\.example\.org\."/],
  'www.example.org.cluster.local. A': [
    'NXDOMAIN',
    /no name of the zone cluster\.local\. has this form/,
    /ask "www\.example\.org\."/,
  ],
  '10-0-0-1.shop.pod.cluster.local. A': ['NXDOMAIN', /names of pods are turned off/, /pods insecure/],
  '9.9.96.10.in-addr.arpa. PTR': ['NXDOMAIN', /no service has this address/, /behind no service/],
  'www.example.org. A': ['SERVFAIL', /no plugin of the server block answers/, /like forward/],
}

for (const [question, [rcode, cause, next]] of Object.entries(cases)) {
  test(`why: ${question}`, async t => {
    const [name = '', type = ''] = question.split(' ')
    const configuration = await start()
    const { candidates } = await ask(configuration, name, { type })
    t.is(candidates.length, 1)
    t.is(candidates[0]!.rcode, rcode)
    t.regex(candidates[0]!.cause, cause)
    t.regex(candidates[0]!.next.join('\n'), next)
    await configuration.close()
  })
}

test('block, plugins, objects with their versions, answer', async t => {
  const configuration = await start()
  const { candidates } = await ask(configuration, 'db-0.db.default.svc.cluster.local.')
  const [explained] = candidates
  t.deepEqual(explained?.block, { zones: ['.'], view: '' })
  t.deepEqual(explained?.plugins, ['kubernetes'])
  t.is(explained?.by, 'kubernetes')
  t.deepEqual(explained?.answers, ['db-0.db.default.svc.cluster.local. 5 IN A 192.0.2.10'])
  t.is(explained?.cluster?.form, 'endpoint')
  t.deepEqual(
    explained?.cluster?.objects.map(({ kind, name, detail }) => [kind, name, detail]),
    [
      ['Service', 'db', 'headless'],
      ['EndpointSlice', 'db-1', 'IPv4, 1 of 1 endpoints ready'],
    ],
  )
  await configuration.close()
})

test('a name without a final dot is searched as its client does, up to the first answer', async t => {
  const configuration = await start()
  const { search, candidates } = await ask(configuration, 'db.default', { namespace: 'shop' })
  t.deepEqual(search, ['shop.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.'])
  t.deepEqual(
    candidates.map(({ name, rcode }) => [name, rcode]),
    [
      ['db.default.shop.svc.cluster.local.', 'NXDOMAIN'],
      ['db.default.svc.cluster.local.', 'NOERROR'],
    ],
  )
  const many = await ask(configuration, 'a.b.c.d.e.f', { namespace: 'shop' })
  t.is(many.candidates[0]?.name, 'a.b.c.d.e.f.')
  const unknown = await ask(configuration, 'wbe', { namespace: 'shop' })
  t.is(unknown.candidates.length, 4)
  const text = reportText(unknown)
  t.regex(text, /search list shop\.svc\.cluster\.local\. .*, ndots 5/)
  t.regex(text, /wbe\.shop\.svc\.cluster\.local\. A: NXDOMAIN by kubernetes/)
  t.regex(text, /why {8}namespace "shop" has no service "wbe"; did you mean "web"\?/)
  await configuration.close()
})

test('a client that is given as a pod', async t => {
  const pods = [
    { kind: 'Pod', metadata: { namespace: 'shop', name: 'cart-0' }, status: { phase: 'Running', podIP: '192.0.2.77' } },
    { kind: 'Pod', metadata: { namespace: 'shop', name: 'six' }, status: { phase: 'Running', podIP: '2001:db8::7' } },
  ]
  const verified = COREFILE.replace('pods disabled', 'pods verified')
  const configuration = await start(verified, staticSource([...manifests, ...pods]))
  t.deepEqual(clientAddress(configuration, 'shop/cart-0'), { ok: true, value: '192.0.2.77' })
  t.deepEqual(clientAddress(configuration, 'shop/six'), { ok: true, value: '2001:db8::7' })
  t.deepEqual(clientAddress(configuration, '192.0.2.1'), { ok: true, value: '192.0.2.1' })
  for (const wrong of ['shop/nobody', 'nowhere/cart-0', 'shop', 'shop/', 'a/b/c'])
    t.false(clientAddress(configuration, wrong).ok, wrong)
  await configuration.close()
})

test('before the first lists nothing is said not to exist', async t => {
  const configuration = await start(COREFILE, async () => new StaticCluster([namespace('shop')], false))
  const { candidates } = await ask(configuration, 'web.shop.svc.cluster.local.')
  t.is(candidates[0]?.rcode, 'SERVFAIL')
  t.regex(candidates[0]?.cause ?? '', /lists of the cluster are not complete/)
  t.regex(candidates[0]?.next.join() ?? '', /\/ready/)
  await configuration.close()
})

test('no block, a refusal, silence', async t => {
  const configuration = await start(`example.org {
  acl {
    drop net 192.0.2.0/24
  }
}
example.net {
  acl {
    block
  }
}`)
  const [outside] = (await ask(configuration, 'www.example.com.')).candidates
  t.is(outside?.rcode, 'REFUSED')
  t.regex(outside?.cause ?? '', /no server block/)
  t.regex(outside?.next.join() ?? '', /add a server block/)
  const [refused] = (await ask(configuration, 'www.example.net.')).candidates
  t.is(refused?.rcode, 'REFUSED')
  t.not(refused?.cause, '')
  const silent = await ask(configuration, 'www.example.org.')
  t.is(silent.candidates[0]?.rcode, '')
  t.regex(silent.candidates[0]?.cause ?? '', /plugin acl drops the query/)
  t.regex(reportText(silent), /www\.example\.org\. A: no reply/)
})

/** `$ seamark explain …` of the docs, with what they show of it. */
const page = readFileSync(new URL('../../../docs/debugging.md', import.meta.url), 'utf8')
const sessions = [...page.matchAll(/^```console\n\$ seamark explain (.*)\n([\s\S]*?)^```/gm)]
const withoutTimes = (text: string): string => text.trim().replace(/\d+\.\d ms/g, 'N ms')

test('docs/debugging.md shows what is said', async t => {
  t.true(sessions.length >= 3)
  for (const [, command = '', shown = ''] of sessions) {
    const { positionals, values } = parseArgs({
      args: command.split(' '),
      allowPositionals: true,
      options: { namespace: { type: 'string', short: 'n' }, type: { type: 'string' } },
    })
    const configuration = await start()
    const report = await explain(configuration, testWorld().clock, {
      name: positionals[0]!,
      type: parseType(values.type ?? 'A')!,
      client: '127.0.0.1',
      ...(values.namespace !== undefined && { namespace: values.namespace }),
    })
    t.is(withoutTimes(shown), withoutTimes(reportText(report)), command)
    await configuration.close()
  }
})

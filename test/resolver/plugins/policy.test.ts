import test, { type ExecutionContext } from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { rcodeName, recordTypes } from '#resolver/wire/codes.ts'
import { type Ask, ask, configure, problemsOf, type TestWorld, testWorld } from '../../support/dns-environment.ts'
import { namespace, service } from '../../support/manifests.ts'
import { type Manifest, StaticCluster, staticSource } from '../../support/static-cluster.ts'

const pod = (inNamespace: string, name: string, podIP: string): Manifest => ({
  kind: 'Pod',
  metadata: { namespace: inNamespace, name },
  spec: {},
  status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }] },
})

const objects: readonly Manifest[] = [
  namespace('shop'),
  namespace('stock'),
  namespace('shared', { visible: 'yes' }),
  service('shop', 'web', '10.96.0.20'),
  service('stock', 'db', '10.96.0.30'),
  service('shared', 'mail', '10.96.0.40'),
  service('shop', 'alias', { type: 'ExternalName', externalName: 'db.stock.svc.cluster.local' }),
  pod('shop', 'client', '10.244.0.5'),
  pod('stock', 'client', '10.244.0.6'),
]

const ISOLATED = 'allow to own namespace:shared\n hide to cluster\n refuse from shop to example.net'
const SHOP = { client: '10.244.0.5' }
const STOCK = { client: '10.244.0.6' }

const start = async (
  t: ExecutionContext,
  { lines = ISOLATED, cluster = staticSource(objects) } = {},
): Promise<{ configuration: Configuration; world: TestWorld }> => {
  const world = testWorld({ cluster })
  const rest =
    'kubernetes cluster.local in-addr.arpa\n template IN A example.org example.net {\n answer "{{ .Name }} 30 A 192.0.2.80"\n }'
  const configuration = configure(`. {\n policy {\n ${lines}\n }\n cache\n ${rest}\n}`, world)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  return { configuration, world }
}

const outcomeOf = async (configuration: Configuration, name: string, question: Ask): Promise<string> => {
  const edns = { udpSize: 1232, dnssecOk: false, options: [] }
  const reply = (await ask(configuration, name, { edns, ...question }))!
  return `${rcodeName(reply.rcode)} ${reply.answers.length}`
}

const cases: Readonly<Record<string, readonly [name: string, question: Ask, outcome: string]>> = {
  'its own': ['web.shop.svc.cluster.local.', SHOP, 'NOERROR 1'],
  'another namespace’s': ['db.stock.svc.cluster.local.', SHOP, 'NXDOMAIN 0'],
  'another namespace’s own': ['db.stock.svc.cluster.local.', STOCK, 'NOERROR 1'],
  'a shared one': ['mail.shared.svc.cluster.local.', SHOP, 'NOERROR 1'],
  'whether a namespace exists': ['stock.svc.cluster.local.', SHOP, 'NXDOMAIN 0'],
  'a refused zone': ['www.example.net.', SHOP, 'REFUSED 0'],
  'a refused zone, for another namespace': ['www.example.net.', STOCK, 'NOERROR 1'],
  outside: ['www.example.org.', SHOP, 'NOERROR 1'],
  'the zone itself': ['cluster.local.', { ...SHOP, type: recordTypes.SOA }, 'NOERROR 1'],
  'the name of its own address': ['20.0.96.10.in-addr.arpa.', { ...SHOP, type: recordTypes.PTR }, 'NOERROR 1'],
  'the name of another’s address': ['30.0.96.10.in-addr.arpa.', { ...SHOP, type: recordTypes.PTR }, 'NXDOMAIN 0'],
  'an alias to another’s': ['alias.shop.svc.cluster.local.', SHOP, 'NXDOMAIN 0'],
  'another namespace’s alias to its own': ['alias.shop.svc.cluster.local.', STOCK, 'NXDOMAIN 0'],
  'nobody knows the client': ['db.stock.svc.cluster.local.', { client: '10.244.0.9' }, 'SERVFAIL 0'],
  'nobody knows the client, and it matters not': ['www.example.org.', { client: '10.244.0.9' }, 'NOERROR 1'],
}

for (const [about, [name, question, outcome]] of Object.entries(cases))
  test(about, async t => {
    const { configuration } = await start(t)
    t.is(await outcomeOf(configuration, name, question), outcome)
    t.is(await outcomeOf(configuration, name, question), outcome, 'and again')
  })

test('what one was answered is no answer to another', async t => {
  const { configuration } = await start(t)
  t.is(await outcomeOf(configuration, 'www.example.net.', STOCK), 'NOERROR 1')
  t.is(await outcomeOf(configuration, 'www.example.net.', SHOP), 'REFUSED 0')
})

test('a hidden name looks like one that is not there, with its reason for those who can read it', async t => {
  const { configuration } = await start(t)
  const hidden = (await ask(configuration, 'db.stock.svc.cluster.local.', SHOP))!
  const missing = (await ask(configuration, 'no.shop.svc.cluster.local.', SHOP))!
  t.deepEqual(hidden.authority, missing.authority)
  t.is(hidden.authoritative, missing.authoritative)
})

test('a pod that is seen later is answered from then on', async t => {
  const cluster = new StaticCluster(objects)
  const { configuration } = await start(t, { cluster: async () => cluster })
  const question = { client: '10.244.0.9' }
  t.is(await outcomeOf(configuration, 'db.stock.svc.cluster.local.', question), 'SERVFAIL 0')
  cluster.apply(pod('stock', 'new', '10.244.0.9'))
  t.is(await outcomeOf(configuration, 'db.stock.svc.cluster.local.', question), 'NOERROR 1')
})

test('by the labels of namespaces, as they are now', async t => {
  const cluster = new StaticCluster(objects)
  const lines = 'allow to own label:visible=yes\n hide to cluster'
  const { configuration } = await start(t, { lines, cluster: async () => cluster })
  const mail = () => outcomeOf(configuration, 'mail.shared.svc.cluster.local.', SHOP)
  t.is(await mail(), 'NOERROR 1')
  cluster.apply(namespace('shared', { visible: 'no' }))
  t.is(await mail(), 'NXDOMAIN 0')
})

test('audit: passes, and counts what it would deny', async t => {
  const { configuration, world } = await start(t, { lines: `audit\n ${ISOLATED}` })
  t.is(await outcomeOf(configuration, 'db.stock.svc.cluster.local.', SHOP), 'NOERROR 1')
  t.is(await outcomeOf(configuration, '30.0.96.10.in-addr.arpa.', { ...SHOP, type: recordTypes.PTR }), 'NOERROR 1')
  const text = await world.registry.metrics()
  t.true(
    text.includes('seamark_policy_denied_total{server="dns://:53",view="",action="hide",audit="true"} 2'),
    text
      .split('\n')
      .filter(line => line.includes('policy'))
      .join('\n'),
  )
})

test('tells what is wrong', t => {
  const problem = (lines: string, rest = 'kubernetes cluster.local') =>
    problemsOf(`. {\n policy {\n${lines}\n }\n ${rest}\n}`)[0] ?? ''
  t.regex(problem('audit'), /needs a line/)
  t.regex(problem('hide to cluster', ''), /needs "kubernetes" in this server block/)
  t.regex(problem('deny to cluster'), /unknown property "deny"/)
})

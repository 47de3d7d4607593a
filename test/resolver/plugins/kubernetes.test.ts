import { readFileSync } from 'node:fs'
import test from 'ava'
import { SeamarkError } from '#lib/errors.ts'
import { parseCorefile } from '#resolver/corefile/parser.ts'
import { kubernetesPlugin } from '#resolver/plugins/kubernetes.ts'
import { unhandled } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import { soaData } from '#resolver/wire/rdata.ts'
import type { Cluster } from '#resolver/zone/cluster-source.ts'
import { ask, configure, problemsOf, type TestWorld, testWorld } from '../../support/dns-environment.ts'
import { namespace, service, slice } from '../../support/manifests.ts'
import { queryPacket, requestContext } from '../../support/query-packet.ts'
import { type Manifest, StaticCluster } from '../../support/static-cluster.ts'

const WEB = 'web.shop.svc.cluster.local.'

/** A world whose cluster the test holds in its hand. */
const worldOf = (cluster: Cluster, changes: Partial<TestWorld> = {}): TestWorld =>
  testWorld({ cluster: async () => cluster, ...changes })

const shop: readonly Manifest[] = [namespace('shop'), service('shop', 'web', '10.96.0.20')]

const block = (lines: string, rest = '') =>
  `.:53 {\n  kubernetes cluster.local in-addr.arpa {\n${lines}\n  }\n${rest}\n}`

test('the directive is read to its end, and what is wrong names its line and word', t => {
  const all = `
    endpoint https://192.0.2.1:6443
    tls cert.pem key.pem ca.pem
    apiserver_qps 5
    apiserver_burst 10
    apiserver_max_inflight 4
    namespaces shop stock
    labels environment in (production, qa), app=web
    pods verified
    endpoint_pod_names
    ttl 30
    fallthrough in-addr.arpa
    ignore empty_service
    zonal
    startup_timeout 10s`
  t.deepEqual(problemsOf(block(all)), [])
  t.deepEqual(problemsOf('cluster.local:53 {\n kubernetes\n}'), [])
  t.deepEqual(problemsOf('.:53 {\n kubernetes a.test b.test 10.0.0.0/8 {\n multicluster b.test\n }\n}'), [])
  const wrong: Readonly<Record<string, RegExp>> = {
    'ttl 3601': /Corefile:3: kubernetes: "3601" is not a number of seconds \(0 to 3600\)/,
    'pods verfied': /"verfied" is not one of disabled, insecure, verified.*verified/,
    'endpont http://x': /unknown property "endpont".*endpoint/,
    'ignore all': /"all" is not one of empty_service/,
    'ignore empty_service\nnoendpoints': /"noendpoints" hides which services are empty/,
    'zonal\nnoendpoints': /"noendpoints" hides the endpoints of all zones/,
    'namespaces a\nnamespace_labels b=c': /Corefile:4: .*"namespaces" stands here too/,
    'endpoint http://[::1': /is not a URL/,
    'endpoint http://x\nkubeconfig file': /"kubeconfig" names the apiserver too/,
    'tls a b c': /"tls" is for "endpoint", which is missing/,
    'tls a b': /needs 3 values/,
    'multicluster other.test': /"other.test." is not one of the directive's zones/,
    'startup_timeout soon': /"soon" is not a duration/,
    'fallthrough a..b': /empty label/,
    labels: /needs a value/,
  }
  for (const [line, message] of Object.entries(wrong)) t.regex(problemsOf(block(line))[0] ?? '', message, line)
  t.regex(problemsOf('10.0.0.0/8:53 {\n kubernetes\n}')[0] ?? '', /needs a zone that is not a reverse zone/)
  t.regex(problemsOf('.:53 {\n kubernetes a.b\n kubernetes c.d\n}')[0] ?? '', /stands in this server block already/)
})

test('outside of a cluster and without a kubeconfig it does not start, and says what to do', async t => {
  const configuration = configure('cluster.local:53 {\n kubernetes\n}', testWorld())
  const error = await t.throwsAsync(configuration.start(AbortSignal.timeout(60_000)), { instanceOf: SeamarkError })
  t.is(error.code, 'BAD_KUBECONFIG')
  t.regex(error.message, /no --kubeconfig, no "kubeconfig" or "endpoint" in the Corefile, and not in a pod/)
})

test('the flag beats the directive’s kubeconfig', async t => {
  const text = 'cluster.local:53 {\n kubernetes {\n kubeconfig /nowhere/directive\n }\n}'
  const start = (overrides: TestWorld['overrides']) =>
    t.throwsAsync(configure(text, testWorld({ overrides })).start(AbortSignal.timeout(60_000)))
  t.regex((await start({}))?.message ?? '', /\/nowhere\/directive/)
  t.regex((await start({ kubeconfig: '/nowhere/flag' }))?.message ?? '', /\/nowhere\/flag/)
})

test('it serves at once, is ready after the first lists, and warns when they are late', async t => {
  const cluster = new StaticCluster(shop, false)
  const world = worldOf(cluster)
  const warnings: unknown[] = []
  const logger = { child: () => ({ warn: (fields: unknown) => void warnings.push(fields) }) }
  const configuration = configure(block('ttl 7'), { ...world, logger: logger as unknown as TestWorld['logger'] })
  const [plugin] = configuration.plugins
  t.false(plugin?.ready?.())
  t.is((await ask(configuration, WEB))?.rcode, rcodes.SERVFAIL, 'before start')
  await configuration.start(AbortSignal.timeout(60_000))
  t.true(cluster.started)
  t.is((await ask(configuration, WEB))?.answers[0]?.ttl, 7)
  t.is((await ask(configuration, `other.${WEB}`))?.rcode, rcodes.SERVFAIL)
  await world.clock.advance(4999)
  t.deepEqual(warnings, [])
  await world.clock.advance(1)
  t.deepEqual(warnings, [{ problem: 'the test has not synced it' }])
  cluster.sync()
  t.true(plugin?.ready?.())
  t.is((await ask(configuration, `other.${WEB}`))?.rcode, rcodes.NXDOMAIN)
  await configuration.close()
  t.true(cluster.closed)
})

test('what does not exist is kept as long as negative_ttl says, what exists as long as ttl', async t => {
  const soaOf = async (lines: string, name: string, type: number) => {
    const configuration = configure(block(lines), worldOf(new StaticCluster(shop)))
    await configuration.start(AbortSignal.timeout(60_000))
    const reply = await ask(configuration, name, { type })
    await configuration.close()
    const [soa] = [...(reply?.answers ?? []), ...(reply?.authority ?? [])].filter(each => each.type === recordTypes.SOA)
    return soa && { ttl: soa.ttl, minimum: soaData.decode(soa.data).minimum }
  }
  const missing = `other.${WEB}`
  t.deepEqual(await soaOf('ttl 30', missing, recordTypes.A), { ttl: 30, minimum: 30 })
  t.deepEqual(await soaOf('ttl 30\nnegative_ttl 2', missing, recordTypes.A), { ttl: 2, minimum: 2 })
  t.deepEqual(await soaOf('ttl 30\nnegative_ttl 2', WEB, recordTypes.AAAA), { ttl: 2, minimum: 2 })
  t.deepEqual(await soaOf('ttl 30\nnegative_ttl 0', 'cluster.local.', recordTypes.SOA), { ttl: 30, minimum: 0 })
})

test('fallthrough: only certain NXDOMAIN is passed on, and it stands where nobody else answers', async t => {
  const cluster = new StaticCluster(shop, false)
  const configuration = configure(block('fallthrough'), worldOf(cluster))
  await configuration.start(AbortSignal.timeout(60_000))
  t.is((await ask(configuration, `no.${WEB}`))?.rcode, rcodes.SERVFAIL, 'not before the lists are complete')
  cluster.sync()
  const reply = await ask(configuration, `no.${WEB}`)
  t.is(reply?.rcode, rcodes.NXDOMAIN)
  t.true(reply?.authoritative)
  t.is(reply?.authority[0]?.type, recordTypes.SOA)
  await configuration.close()
})

test('a reload of an unchanged directive keeps the watch; the last one to close ends it', async t => {
  const cluster = new StaticCluster(shop)
  const world = worldOf(cluster)
  const before = configure(block('ttl 7'), world)
  await before.start(AbortSignal.timeout(60_000))
  const after = configure(block('ttl 7'), { ...world, cluster: () => t.fail() as never })
  after.adopt(before)
  await after.start(AbortSignal.timeout(60_000))
  t.is((await ask(after, WEB))?.rcode, rcodes.NOERROR)
  await before.close()
  t.false(cluster.closed)
  cluster.apply(service('shop', 'web', '10.96.0.21'))
  t.deepEqual([...((await ask(after, WEB))?.answers[0]?.data ?? [])], [10, 96, 0, 21])
  await after.close()
  t.true(cluster.closed)
})

test('programming latency: headless services, by the time that the controller wrote', async t => {
  const cluster = new StaticCluster([
    namespace('shop'),
    service('shop', 'db', { clusterIPs: ['None'] }),
    service('shop', 'web', '10.96.0.20'),
  ])
  const world = worldOf(cluster)
  const configuration = configure(block(''), world)
  await configuration.start(AbortSignal.timeout(60_000))
  const at = (milliseconds: number) => ({
    'endpoints.kubernetes.io/last-change-trigger-time': new Date(world.clock.now() - milliseconds).toISOString(),
  })
  cluster.apply(slice({ namespace: 'shop', service: 'db', endpoints: ['10.244.0.1'], annotations: at(3000) }))
  cluster.apply(slice({ namespace: 'shop', service: 'web', endpoints: ['10.244.0.2'], annotations: at(9000) }))
  cluster.apply(slice({ namespace: 'shop', service: 'db', name: 'db-2', endpoints: ['10.244.0.3'] }))
  const text = await world.registry.metrics()
  const name = 'coredns_kubernetes_dns_programming_duration_seconds'
  t.true(text.includes(`${name}_sum{service_kind="headless_with_selector"} 3\n`))
  t.true(text.includes(`${name}_count{service_kind="headless_with_selector"} 1\n`))
  t.true(text.includes(`${name}_bucket{le="0.001",service_kind="headless_with_selector"} 0\n`))
  await configuration.close()
})

/** What the plugin alone leaves in a query about `name`, in a block with `rest`. */
const metadataOf = async (rest: string, name: string): Promise<Record<string, string> | undefined> => {
  const text = block('pods verified', rest)
  const parsed = parseCorefile(text, { file: 'Corefile', folder: '/nowhere', variables: {} })
  if (!parsed.ok) throw new Error(parsed.problem.message)
  const directives = parsed.value.blocks[0]!.directives
  const world = worldOf(new StaticCluster([...shop, clientPod]))
  const environment = {
    ...world,
    folder: '/nowhere',
    resolveInternally: () => unhandled,
    plugins: () => [],
    requestReload() {},
    readCorefile: async () => text,
  }
  const plugin = kubernetesPlugin.setup(
    directives[0]!,
    { zones: ['.'], servers: [], view: '', directives, plugins: () => [] },
    environment,
  )
  if (!plugin.ok) throw new Error(plugin.problem.message)
  await plugin.value.start?.(AbortSignal.timeout(60_000))
  const context = { ...requestContext(), client: { address: '192.0.2.7', port: 40_000 } }
  const decoded = decodeQuery(queryPacket(name), context, 0)
  if (decoded.verdict !== 'query') throw new Error('the question is malformed')
  await plugin.value.handle?.(decoded.query, () => unhandled)
  await plugin.value.close?.()
  return decoded.query.metadata && Object.fromEntries(decoded.query.metadata)
}

const clientPod: Manifest = {
  kind: 'Pod',
  metadata: { namespace: 'shop', name: 'client' },
  status: { phase: 'Running', podIP: '192.0.2.7' },
}

test('metadata for the query log, made only where a line can show it', async t => {
  const log = 'log . "{name} {/kubernetes/namespace}"'
  const client = { 'kubernetes/client-namespace': 'shop', 'kubernetes/client-pod-name': 'client' }
  t.is(await metadataOf('log', WEB), undefined)
  t.deepEqual(await metadataOf(log, `_http._tcp.${WEB}`), {
    'kubernetes/kind': 'svc',
    'kubernetes/namespace': 'shop',
    'kubernetes/service': 'web',
    'kubernetes/port-name': 'http',
    'kubernetes/protocol': 'tcp',
    ...client,
  })
  t.deepEqual(await metadataOf(log, `a.b.${WEB}`), {
    'kubernetes/kind': 'svc',
    'kubernetes/namespace': 'shop',
    'kubernetes/service': 'web',
    'kubernetes/endpoint': 'a',
    'kubernetes/cluster': 'b',
    ...client,
  })
  t.deepEqual(await metadataOf(log, '10-0-0-1.shop.pod.cluster.local.'), {
    'kubernetes/kind': 'pod',
    'kubernetes/namespace': 'shop',
    'kubernetes/endpoint': '10-0-0-1',
    ...client,
  })
  t.regex((await metadataOf(log, 'x.cluster.local.'))?.['kubernetes/parse-error'] ?? '', /no form of/)
  t.is(await metadataOf(log, 'www.example.'), undefined)
  t.is(await metadataOf(`metadata\n ${log}`, WEB), undefined, 'that plugin asks by itself')
})

test('its page has every option, every metric, and examples that work', t => {
  const page = readFileSync(new URL('../../../docs/plugins/kubernetes.md', import.meta.url), 'utf8')
  for (const [name, { doc }] of Object.entries(kubernetesPlugin.options!)) {
    t.true(page.includes(`| \`${name}`), name)
    t.true(page.includes(doc), `what ${name} means`)
  }
  for (const { name, help } of Object.values(kubernetesPlugin.metrics!))
    t.true(page.includes(name) && page.includes(help))
  const examples = [...page.matchAll(/```corefile\n(.*?)```/gs)].map(([, text = '']) => text)
  t.is(examples.length, 3)
  for (const example of examples) t.deepEqual(problemsOf(example), [])
})

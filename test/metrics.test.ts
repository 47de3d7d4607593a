/**
 * Metrics as CoreDNS's dashboards and alerts expect them (behaviour.md §5 of the project's notes on CoreDNS 1.14: exact
 * names, types and labels), and their number in the configurations that we ship.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import test from 'ava'
import { createRegistry } from '#lib/metrics.ts'
import { loadConfiguration } from '#resolver/configuration.ts'
import { pluginNames } from '#resolver/plugins/index.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { dnsRegistry } from '../scripts/docs/metrics.ts'
import { projectRoot } from './support/cluster.ts'
import { ask, testWorld } from './support/dns-environment.ts'
import { staticSource } from './support/static-cluster.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const block = 'server,zone,view'
const cache = 'server,zones,view'
const template = `${block},class,type`

/** Plugin (`server`: none; what CoreDNS has and Seamark not is absent by name) → type, name, labels. */
const coredns: readonly (readonly [owner: string, type: string, name: string, labels: string])[] = [
  ['prometheus', 'gauge', 'coredns_build_info', 'version,revision,goversion'],
  ['server', 'counter', 'coredns_panics_total', ''],
  ['prometheus', 'counter', 'coredns_dns_requests_total', `${block},proto,family,type`],
  ['prometheus', 'histogram', 'coredns_dns_request_duration_seconds', block],
  ['prometheus', 'histogram', 'coredns_dns_request_size_bytes', `${block},proto`],
  ['prometheus', 'histogram', 'coredns_dns_response_size_bytes', `${block},proto`],
  ['prometheus', 'counter', 'coredns_dns_do_requests_total', block],
  ['prometheus', 'counter', 'coredns_dns_responses_total', `${block},rcode,plugin`],
  ['server', 'counter', 'coredns_dns_https_responses_total', 'server,status'],
  ['https3', 'counter', 'coredns_dns_https3_responses_total', 'server,status'],
  ['quic', 'counter', 'coredns_dns_quic_responses_total', 'server,status'],
  ['prometheus', 'gauge', 'coredns_plugin_enabled', 'server,zone,view,name'],
  ['cache', 'gauge', 'coredns_cache_entries', 'server,type,zones,view'],
  ['cache', 'counter', 'coredns_cache_hits_total', 'server,type,zones,view'],
  ['cache', 'counter', 'coredns_cache_evictions_total', 'server,type,zones,view'],
  ['cache', 'counter', 'coredns_cache_requests_total', cache],
  ['cache', 'counter', 'coredns_cache_misses_total', cache],
  ['cache', 'counter', 'coredns_cache_prefetch_total', cache],
  ['cache', 'counter', 'coredns_cache_drops_total', cache],
  ['cache', 'counter', 'coredns_cache_served_stale_total', cache],
  ['forward', 'counter', 'coredns_forward_healthcheck_broken_total', ''],
  ['forward', 'counter', 'coredns_forward_max_concurrent_rejects_total', ''],
  ['forward', 'histogram', 'coredns_proxy_request_duration_seconds', 'proxy_name,to,rcode'],
  ['forward', 'counter', 'coredns_proxy_healthcheck_failures_total', 'proxy_name,to'],
  ['forward', 'counter', 'coredns_proxy_conn_cache_hits_total', 'proxy_name,to,proto'],
  ['forward', 'counter', 'coredns_proxy_conn_cache_misses_total', 'proxy_name,to,proto'],
  ['kubernetes', 'histogram', 'coredns_kubernetes_dns_programming_duration_seconds', 'service_kind'],
  ['kubernetes', 'histogram', 'coredns_kubernetes_rest_client_request_duration_seconds', 'verb,host'],
  ['kubernetes', 'histogram', 'coredns_kubernetes_rest_client_rate_limiter_duration_seconds', 'verb,host'],
  ['kubernetes', 'counter', 'coredns_kubernetes_rest_client_requests_total', 'code,method,host'],
  ['autopath', 'counter', 'coredns_autopath_success_total', 'server'],
  ['health', 'histogram', 'coredns_health_request_duration_seconds', ''],
  ['health', 'counter', 'coredns_health_request_failures_total', ''],
  ['hosts', 'gauge', 'coredns_hosts_entries', ''],
  ['hosts', 'gauge', 'coredns_hosts_reload_timestamp_seconds', ''],
  ['reload', 'counter', 'coredns_reload_failed_total', ''],
  ['reload', 'gauge', 'coredns_reload_version_info', 'hash,value'],
  ['local', 'counter', 'coredns_local_localhost_requests_total', ''],
  ['acl', 'counter', 'coredns_acl_blocked_requests_total', block],
  ['acl', 'counter', 'coredns_acl_filtered_requests_total', block],
  ['acl', 'counter', 'coredns_acl_dropped_requests_total', block],
  ['acl', 'counter', 'coredns_acl_allowed_requests_total', 'server,view'],
  ['dns64', 'counter', 'coredns_dns64_requests_translated_total', 'server'],
  ['dnssec', 'gauge', 'coredns_dnssec_cache_entries', 'server,type'],
  ['dnssec', 'counter', 'coredns_dnssec_cache_hits_total', 'server'],
  ['dnssec', 'counter', 'coredns_dnssec_cache_misses_total', 'server'],
  ['template', 'counter', 'coredns_template_matches_total', template],
  ['template', 'counter', 'coredns_template_template_failures_total', `${template},section,template`],
  ['template', 'counter', 'coredns_template_rr_failures_total', `${template},section,template`],
  ['grpc', 'histogram', 'coredns_grpc_request_duration_seconds', 'to'],
  ['grpc', 'counter', 'coredns_grpc_requests_total', 'to'],
  ['grpc', 'counter', 'coredns_grpc_responses_total', 'to,rcode'],
  ['shed', 'counter', 'coredns_shed_dropped_total', 'server,reason'],
]

interface Described {
  readonly name: string
  readonly type: string
  readonly labelNames: readonly string[]
}

test('every metric of CoreDNS whose plugin we have is there by name, type and labels; no other has its prefix', t => {
  const ours = (dnsRegistry().getMetricsAsArray() as unknown as Described[])
    .filter(({ name }) => name.startsWith('coredns_'))
    .map(({ name, type, labelNames }) => `${type} ${name}{${labelNames.toSorted().join()}}`)
  const expected = coredns
    .filter(([owner]) => owner === 'server' || pluginNames.has(owner))
    .map(([, type, name, labels]) => `${type} ${name}{${labels.split(',').toSorted().join()}}`)
  t.deepEqual(ours.toSorted(), expected.toSorted())
})

test('histograms that CoreDNS’s alerts compute quantiles of have its buckets', async t => {
  const text = await dnsRegistry().metrics()
  t.regex(text, /coredns_health_request_duration_seconds_bucket\{le="0\.00025"\}/)
  const registry = createRegistry()
  const world = testWorld({ registry })
  const loaded = await loadConfiguration({ text: '. {\n prometheus\n}', name: 'Corefile', folder: '/' }, world)
  if (!loaded.ok) throw new Error('not good')
  await ask(loaded.value, 'example.org.')
  const bounds = [...(await registry.metrics()).matchAll(/duration_seconds_bucket\{le="([^"]+)"/g)].map(
    match => match[1],
  )
  t.deepEqual(bounds, [...Array.from({ length: 16 }, (_, index) => String(0.00025 * 2 ** index)), '+Inf'])
})

const MAX_SERIES = 2000
const folders = [join(projectRoot, 'configs'), join(projectRoot, 'configs', 'examples')]
const corefiles = folders.flatMap(folder =>
  readdirSync(folder)
    .filter(name => name.endsWith('Corefile'))
    .map(name => join(folder, name)),
)

/** Every proto, family and type that has a label, and names in each zone that a Corefile of ours mentions. */
const names = [
  'example.org.',
  'a.default.svc.cluster.local.',
  '1.0.96.10.in-addr.arpa.',
  '1.ip6.arpa.',
  'localhost.',
  'a.internal.',
]

for (const file of corefiles) {
  test(`${relative(projectRoot, file)}: at most ${MAX_SERIES} series, whatever clients ask`, async t => {
    const registry = createRegistry({ maxSeries: MAX_SERIES })
    const world = testWorld({
      registry,
      cluster: staticSource([]),
      // What a Corefile leaves to the environment.
      variables: { PILLAR: 'x' },
    })
    const text = readFileSync(file, 'utf8').replace(/^(\s*forward \S+) [^{\n]*(\{?)$/gm, '$1 127.0.0.1:9 $2')
    const loaded = await loadConfiguration({ text, name: 'Corefile', folder: temporaryFolder(t) }, world)
    if (!loaded.ok) throw new Error(loaded.problem.map(({ message }) => message).join())
    const servers = new Set(loaded.value.listeners.map(({ server }) => server))
    const questions = [...servers].flatMap(server =>
      names.flatMap(name =>
        Object.values(recordTypes).flatMap(type =>
          (['udp', 'tcp'] as const).flatMap(transport =>
            ['192.0.2.1', '2001:db8::1'].map(client => ({ name, server, type, transport, client })),
          ),
        ),
      ),
    )
    // What is not answered at once asks an upstream: not this test's business.
    for (const { name, ...question } of questions) void ask(loaded.value, name, question).catch(() => {})
    const lines = (await registry.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
    t.true(lines.some(line => line.startsWith('coredns_dns_requests_total')) || !text.includes('prometheus'))
    t.true(lines.length <= MAX_SERIES, `${lines.length}`)
    t.deepEqual(
      lines.filter(line => line.startsWith('seamark_metrics_overflow_total')),
      [],
      `${lines.length}`,
    )
    t.log(`${lines.length} series`)
  })
}

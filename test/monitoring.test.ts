/** Alerts and the dashboard that we ship: Prometheus takes them, they fire when they should, and what they name exists. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { dnsRegistry } from '../scripts/docs/metrics.ts'
import { projectRoot } from './support/cluster.ts'
import { findProgram, skip } from './support/programs.ts'
import { run } from './support/run.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const prometheus = join(projectRoot, 'configs', 'prometheus')
const grafana = join(projectRoot, 'configs', 'grafana')
const alerts = readFileSync(join(prometheus, 'alerts.yaml'), 'utf8')

interface Panel {
  readonly type: string
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}

const dashboards = readdirSync(grafana).map(file => ({
  file,
  ...(JSON.parse(readFileSync(join(grafana, file), 'utf8')) as { title: string; panels: readonly Panel[] }),
}))

interface Described {
  readonly name: string
  readonly type: string
}

const families = dnsRegistry().getMetricsAsArray() as unknown as readonly Described[]
const suffixes = ['_bucket', '_sum', '_count']
const known = new Set([
  ...families.map(({ name }) => name),
  ...families.filter(({ type }) => type === 'histogram').flatMap(({ name }) => suffixes.map(suffix => name + suffix)),
  ...[...alerts.matchAll(/- record: (\S+)/g)].map(([, name]) => name!),
])

const metricsIn = (text: string): string[] => [
  ...new Set([...text.matchAll(/\b(?:coredns_|seamark[_:]|process_|nodejs_)[\w:]+/g)].map(([name]) => name)),
]

test('Prometheus takes the rules', async t => {
  const promtool = findProgram('promtool')
  if (!promtool) return skip(t, 'needs promtool (Debian: prometheus)')
  const files = readdirSync(prometheus).map(file => join(prometheus, file))
  const { code, stdout, stderr } = await run(promtool, ['check', 'rules', ...files])
  t.is(code, 0, stderr)
  t.regex(stdout, /SUCCESS: \d\d rules found/)
})

test('the alerts fire when they should, and not before', async t => {
  const promtool = findProgram('promtool')
  if (!promtool) return skip(t, 'needs promtool (Debian: prometheus)')
  const { code, stdout, stderr } = await run(promtool, ['test', 'rules', join(import.meta.dirname, 'alerts.test.yaml')])
  t.is(code, 0, stdout + stderr)
})

test('every metric that a rule names exists', t => {
  const named = metricsIn(alerts)
  t.true(named.length > 20)
  t.deepEqual(
    named.filter(name => !known.has(name)),
    [],
  )
})

test('every metric that a panel names exists, and every panel is a good query', async t => {
  for (const { file, panels } of dashboards) {
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    t.true(expressions.length > 25, file)
    t.deepEqual(
      expressions.flatMap(metricsIn).filter(name => !known.has(name)),
      [],
      file,
    )
    t.deepEqual(
      panels.filter(({ type, targets = [] }) => type !== 'row' && targets.length === 0).map(({ title }) => title),
      [],
    )
    const promtool = findProgram('promtool')
    if (!promtool) return skip(t, 'needs promtool (Debian: prometheus)')
    const rules = {
      groups: [{ name: 'panels', rules: expressions.map((expr, index) => ({ record: `p${index}`, expr })) }],
    }
    const path = join(temporaryFolder(t), file)
    writeFileSync(path, JSON.stringify(rules))
    const { code, stderr } = await run(promtool, ['check', 'rules', path])
    t.is(code, 0, stderr)
  }
})

/** Of CoreDNS's own mixin (its alerts and the dashboards that are spread with it): what they ask for by name. */
const mixin = [
  'coredns_build_info',
  'coredns_cache_entries',
  'coredns_cache_hits_total',
  'coredns_cache_misses_total',
  'coredns_dns_do_requests_total',
  'coredns_dns_request_duration_seconds_bucket',
  'coredns_dns_request_size_bytes_bucket',
  'coredns_dns_requests_total',
  'coredns_dns_response_size_bytes_bucket',
  'coredns_dns_responses_total',
  'coredns_forward_healthcheck_broken_total',
  'coredns_panics_total',
  'coredns_plugin_enabled',
  'coredns_proxy_healthcheck_failures_total',
  'coredns_proxy_request_duration_seconds_bucket',
  'coredns_proxy_request_duration_seconds_count',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
]

test('CoreDNS’s own dashboards and alerts find what they ask for', t => {
  t.deepEqual(
    mixin.filter(name => !known.has(name)),
    [],
  )
})

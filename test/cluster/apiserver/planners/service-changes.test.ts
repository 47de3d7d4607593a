/** Services over the real API: whatever is changed into whatever, what is recorded as taken is what Services hold. */
import test, { type ExecutionContext } from 'ava'
import type { ServiceSpec } from '#cluster/api/service/service.ts'
import { prefixRange } from '#cluster/store/kv.ts'
import { type RunningApiserver, startApiserver } from '../../../support/apiserver.ts'

const PATH = '/api/v1/namespaces/default/services'
const MERGE = { 'content-type': 'application/merge-patch+json' }

const TYPES = {
  ClusterIP: { type: 'ClusterIP' },
  NodePort: { type: 'NodePort' },
  LoadBalancer: { type: 'LoadBalancer' },
  'LoadBalancer Local': { type: 'LoadBalancer', externalTrafficPolicy: 'Local' },
  ExternalName: { type: 'ExternalName', externalName: 'example.org' },
} as const

const holds = (apiserver: RunningApiserver, prefix: string): Promise<string[]> =>
  apiserver.store
    .range(prefixRange(prefix))
    .then(({ keyValues }) => keyValues.map(({ key }) => key.slice(prefix.length)).sort())

const specs = async (apiserver: RunningApiserver): Promise<ServiceSpec[]> => {
  const { json } = await apiserver.fetch('/api/v1/services')
  return json.items.map((item: { spec: ServiceSpec }) => item.spec)
}

/** The books are right: no address or port is lost, kept or held twice. */
const audit = async (t: ExecutionContext, apiserver: RunningApiserver): Promise<void> => {
  const all = await specs(apiserver)
  const addresses = all.flatMap(({ clusterIPs = [] }) => clusterIPs).filter(address => address !== 'None')
  t.deepEqual(await holds(apiserver, '/registry/ipaddresses/'), addresses.sort())
  const ports = all.flatMap(({ ports: list = [], healthCheckNodePort }) => [
    ...new Set([...list.map(port => port.nodePort ?? 0), healthCheckNodePort ?? 0]),
  ])
  const taken = ports.filter(port => port !== 0).map(String)
  t.deepEqual(await holds(apiserver, '/registry/nodeports/'), taken.sort())
}

const PORTS = [
  { name: 'a', port: 80 },
  { name: 'b', port: 53, protocol: 'UDP' },
  { name: 'c', port: 53 },
]

interface Change {
  readonly from: keyof typeof TYPES
  readonly to: keyof typeof TYPES
  readonly way: 'PATCH' | 'PUT'
}

const change = async (t: ExecutionContext, apiserver: RunningApiserver, { from, to, way }: Change) => {
  const [before, after] = [TYPES[from], TYPES[to]]
  const name = `${from}-${to}-${way}`.toLowerCase().replaceAll(' ', '-')
  const metadata = { name }
  const body = { metadata, spec: { ...before, ports: PORTS } }
  const created = await apiserver.fetch(PATH, { method: 'POST', body })
  t.is(created.code, 201, created.text)
  const gone = Object.fromEntries(Object.keys(before).map(key => [key, null]))
  const init =
    way === 'PATCH'
      ? { method: way, headers: MERGE, body: { spec: { ...gone, ...after } } }
      : { method: way, body: { metadata, spec: { ...after, ports: PORTS } } }
  const changed = await apiserver.fetch(`${PATH}/${name}`, init)
  t.is(changed.code, 200, `${name}: ${changed.text}`)
  return { name, old: created.json.spec as ServiceSpec, spec: changed.json.spec as ServiceSpec }
}

const nodePortsOf = ({ ports = [] }: ServiceSpec) => ports.map(({ nodePort }) => nodePort)
const hasNodePorts = ({ type }: ServiceSpec) => type === 'NodePort' || type === 'LoadBalancer'

const check = (t: ExecutionContext, { name, old, spec }: Awaited<ReturnType<typeof change>>): void => {
  if (old.type !== 'ExternalName' && spec.type !== 'ExternalName') t.is(spec.clusterIP, old.clusterIP, name)
  const nodePorts = nodePortsOf(spec)
  if (!hasNodePorts(spec)) t.deepEqual(nodePorts, [undefined, undefined, undefined], name)
  // 53/UDP and 53/TCP share a number.
  else t.deepEqual([nodePorts[1], new Set(nodePorts).size], [nodePorts[2], 2], name)
  if (hasNodePorts(spec) && hasNodePorts(old)) t.deepEqual(nodePorts, nodePortsOf(old), name)
  t.is(spec.healthCheckNodePort !== undefined, spec.externalTrafficPolicy === 'Local', name)
}

test('every type becomes every other, by patch and by replacement with a manifest that names no address', async t => {
  const apiserver = await startApiserver(t)
  const names = Object.keys(TYPES) as (keyof typeof TYPES)[]
  for (const from of names) {
    for (const to of names) {
      for (const way of ['PATCH', 'PUT'] as const) check(t, await change(t, apiserver, { from, to, way }))
    }
    await audit(t, apiserver)
  }
  t.is((await apiserver.fetch(PATH, { method: 'DELETE' })).code, 200)
  await audit(t, apiserver)
  t.deepEqual(await holds(apiserver, '/registry/nodeports/'), [])
})

test('the same manifest again changes nothing, whatever the type', async t => {
  const apiserver = await startApiserver(t)
  for (const [type, spec] of Object.entries(TYPES)) {
    const name = type.toLowerCase().replaceAll(' ', '-')
    const body = { metadata: { name }, spec: { ...spec, ports: [{ port: 80 }] } }
    const created = await apiserver.fetch(PATH, { method: 'POST', body })
    const again = await apiserver.fetch(`${PATH}/${name}`, { method: 'PUT', body })
    t.is(again.json.metadata.resourceVersion, created.json.metadata.resourceVersion, again.text)
  }
})

test('an address cannot be changed but by way of ExternalName; a headless Service stays headless', async t => {
  const apiserver = await startApiserver(t)
  const make = (name: string, spec: object) =>
    apiserver.fetch(PATH, { method: 'POST', body: { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } } })
  const patch = (name: string, spec: object) =>
    apiserver.fetch(`${PATH}/${name}`, { method: 'PATCH', headers: MERGE, body: { spec } })
  await make('plain', {})
  const moved = await patch('plain', { clusterIP: '10.96.0.99', clusterIPs: ['10.96.0.99'] })
  t.is(moved.code, 422)
  t.deepEqual(moved.json.details.causes[0].field, 'spec.clusterIPs[0]')
  await make('headless', { clusterIP: 'None' })
  t.is((await patch('headless', { clusterIP: null, clusterIPs: null })).json.spec.clusterIP, 'None')
  t.is((await patch('headless', { type: 'NodePort' })).code, 422)
  t.is((await patch('headless', { type: 'ExternalName', externalName: 'example.org' })).code, 200)
  const back = await patch('headless', { type: 'ClusterIP', externalName: null })
  t.regex(back.json.spec.clusterIP, /^10\./, back.text)
  await audit(t, apiserver)
})

test('a finalizer keeps the address until the Service is gone', async t => {
  const apiserver = await startApiserver(t)
  const body = {
    metadata: { name: 'held', finalizers: ['example.org/hold'] },
    spec: { clusterIP: '10.96.0.50', ports: [{ port: 80 }] },
  }
  t.is((await apiserver.fetch(PATH, { method: 'POST', body })).code, 201)
  t.is((await apiserver.fetch(`${PATH}/held`, { method: 'DELETE' })).code, 200)
  await audit(t, apiserver)
  t.true((await holds(apiserver, '/registry/ipaddresses/')).includes('10.96.0.50'))
  const free = { metadata: { finalizers: null } }
  await apiserver.fetch(`${PATH}/held`, { method: 'PATCH', headers: MERGE, body: free })
  t.is((await apiserver.fetch(`${PATH}/held`)).code, 404)
  await audit(t, apiserver)
})

test('an address cannot be deleted under its Service; one that nothing holds can', async t => {
  const apiserver = await startApiserver(t)
  const addresses = '/apis/networking.k8s.io/v1/ipaddresses'
  const refused = await apiserver.fetch(`${addresses}/10.96.0.10`, { method: 'DELETE' })
  t.is(refused.code, 403)
  t.regex(refused.json.message, /the Service kube-system\/kube-dns holds this address/)
  const spare = {
    metadata: { name: '10.96.0.60' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'none' } },
  }
  t.is((await apiserver.fetch(addresses, { method: 'POST', body: spare })).code, 201)
  const body = { metadata: { name: 's' }, spec: { clusterIP: '10.96.0.60', ports: [{ port: 80 }] } }
  t.is((await apiserver.fetch(PATH, { method: 'POST', body })).code, 422)
  t.is((await apiserver.fetch(`${addresses}/10.96.0.60`, { method: 'DELETE' })).code, 200)
  t.is((await apiserver.fetch(PATH, { method: 'POST', body })).code, 201)
})

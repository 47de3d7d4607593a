import test, { type ExecutionContext } from 'ava'
import type { Kind } from '#cluster/api/kind.ts'
import { endpointSliceKind } from '#cluster/api/kinds/endpoint-slice.ts'
import { endpointsKind } from '#cluster/api/kinds/endpoints.ts'
import { ipAddressKind } from '#cluster/api/kinds/ip-address.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import { serviceCidrKind } from '#cluster/api/kinds/service-cidr.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { type BootstrapOptions, bootstrap } from '#cluster/apiserver/bootstrap/bootstrap.ts'
import { CLUSTER_OPTIONS } from '#cluster/apiserver/bootstrap/options.ts'
import { createLocalClient } from '#cluster/apiserver/client.ts'
import { silentLogger } from '#lib/log.ts'
import { readOptions } from '#lib/options.ts'
import { openTestStore, startRegistry } from '../../../support/registry.ts'

const defaults = () => {
  const options = readOptions(CLUSTER_OPTIONS, {})
  if (!options.ok) throw new Error(options.problem)
  return options.value
}

const OPTIONS: BootstrapOptions = {
  ...defaults(),
  advertiseAddress: '192.0.2.7',
  apiserver: { host: '0.0.0.0', port: 6443 },
  dns: { host: '192.0.2.7', port: 53 },
  metrics: { host: '127.0.0.1', port: 9153 },
}

const start = async (t: ExecutionContext, options: Partial<BootstrapOptions> = {}) => {
  const store = await openTestStore(t)
  const registry = await startRegistry(t, store)
  const client = createLocalClient(registry)
  const again = (change: Partial<BootstrapOptions> = {}) =>
    bootstrap(client, { ...OPTIONS, ...options, ...change }, silentLogger)
  await again()
  const get = async <Object extends ApiObject = ApiObject>(kind: Kind, namespace: string | undefined, name: string) => {
    const object = await client.get(kind, namespace, name)
    return object ? (structuredClone(object) as Object) : (t.fail(`${kind.kind} ${name} is missing`) as never)
  }
  return { store, client, again, get }
}

test('a new cluster has its namespaces, range, Services and endpoints', async t => {
  const { client, get } = await start(t)
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
    t.like(await get(namespaceKind, undefined, name), { status: { phase: 'Active' } })
  t.deepEqual((await get(serviceCidrKind, undefined, 'kubernetes')).spec, { cidrs: ['10.96.0.0/12'] })
  t.like(await get(serviceKind, 'default', 'kubernetes'), {
    metadata: { labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, targetPort: 6443, protocol: 'TCP' }] },
  })
  const dns = await get(serviceKind, 'kube-system', 'kube-dns')
  t.like(dns, {
    spec: { clusterIP: '10.96.0.10', ipFamilies: ['IPv4'] },
    metadata: { labels: { 'k8s-app': 'kube-dns' } },
  })
  t.is((dns.spec as { selector?: object }).selector, undefined)
  t.deepEqual(
    (dns.spec as { ports: { name: string; port: number; protocol: string }[] }).ports.map(
      ({ name, port, protocol }) => `${name} ${port}/${protocol}`,
    ),
    ['dns 53/UDP', 'dns-tcp 53/TCP', 'metrics 9153/TCP'],
  )
  t.truthy(await client.get(ipAddressKind, undefined, '10.96.0.1'))
  t.truthy(await client.get(ipAddressKind, undefined, '10.96.0.10'))
  t.like(await get(endpointSliceKind, 'default', 'kubernetes'), {
    metadata: { labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['192.0.2.7'], conditions: { ready: true } }],
    ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
  })
  t.like(await get(endpointsKind, 'default', 'kubernetes'), { subsets: [{ addresses: [{ ip: '192.0.2.7' }] }] })
  // The metrics server listens on loopback only: no pod reaches it.
  t.deepEqual((await get(endpointSliceKind, 'kube-system', 'kube-dns')).ports, [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ])
})

test('a second start writes nothing', async t => {
  const { store, again } = await start(t)
  const revision = await store.revision()
  await again()
  t.is(await store.revision(), revision)
})

test('what drifted is mended, what users added stays', async t => {
  const { client, again, get } = await start(t)
  const dns = await get<ApiObject & { spec: { ports: { name: string; port: number; targetPort: number }[] } }>(
    serviceKind,
    'kube-system',
    'kube-dns',
  )
  dns.metadata.labels = { mine: 'yes' }
  dns.metadata.annotations = { 'prometheus.io/scrape': 'false' }
  dns.spec.ports = [
    { ...dns.spec.ports[0]!, targetPort: 5353 },
    { name: 'dot', port: 853, targetPort: 853 },
  ]
  t.true((await client.update(serviceKind, dns)).ok)
  const slice = await get(endpointSliceKind, 'kube-system', 'kube-dns')
  slice.endpoints = []
  t.true((await client.update(endpointSliceKind, slice)).ok)
  t.true((await client.remove(serviceKind, 'default', 'kubernetes')).ok)

  await again()
  const mended = await get<typeof dns>(serviceKind, 'kube-system', 'kube-dns')
  t.deepEqual(
    mended.spec.ports.map(({ name, targetPort }) => [name, targetPort]),
    [
      ['dns', 53],
      ['dns-tcp', 53],
      ['metrics', 9153],
      ['dot', 853],
    ],
  )
  t.like(mended.metadata, { labels: { mine: 'yes', 'k8s-app': 'kube-dns' } })
  t.is(mended.metadata.annotations?.['prometheus.io/scrape'], 'false')
  t.like(await get(endpointSliceKind, 'kube-system', 'kube-dns'), { endpoints: [{ addresses: ['192.0.2.7'] }] })
  t.like(await get(serviceKind, 'default', 'kubernetes'), { spec: { clusterIP: '10.96.0.1' } })
})

test('another address or port at the next start is what the slices say; another family is another slice', async t => {
  const { again, get } = await start(t)
  const { uid } = (await get(endpointSliceKind, 'default', 'kubernetes')).metadata
  await again({ advertiseAddress: '192.0.2.8', dns: undefined, apiserver: { host: '', port: 7443 } })
  t.like(await get(endpointSliceKind, 'default', 'kubernetes'), {
    metadata: { uid },
    endpoints: [{ addresses: ['192.0.2.8'] }],
    ports: [{ port: 7443 }],
  })
  t.like(await get(serviceKind, 'default', 'kubernetes'), { spec: { ports: [{ targetPort: 7443 }] } })
  t.falsy((await get(endpointSliceKind, 'kube-system', 'kube-dns')).endpoints)
  await again({ advertiseAddress: '2001:db8::7', apiserver: { host: '::', port: 6443 } })
  t.like(await get(endpointSliceKind, 'default', 'kubernetes'), {
    addressType: 'IPv6',
    endpoints: [{ addresses: ['2001:db8::7'] }],
  })
})

test('without an advertised address the slices are empty; without a DNS address there is no kube-dns', async t => {
  const { client, get } = await start(t, { advertiseAddress: '', clusterDns: '' })
  // An empty list reads back as null, as Kubernetes's does.
  t.falsy((await get(endpointSliceKind, 'default', 'kubernetes')).endpoints)
  t.is((await get(endpointsKind, 'default', 'kubernetes')).subsets, undefined)
  t.is(await client.get(serviceKind, 'kube-system', 'kube-dns'), undefined)
})

test('two ranges make a dual-stack cluster', async t => {
  const { get } = await start(t, { serviceCidrs: '10.96.0.0/12,fd00:10:96::/108' })
  t.deepEqual((await get(serviceCidrKind, undefined, 'kubernetes')).spec, {
    cidrs: ['10.96.0.0/12', 'fd00:10:96::/108'],
  })
  t.like(await get(serviceKind, 'default', 'kubernetes'), { spec: { clusterIPs: ['10.96.0.1'], ipFamilies: ['IPv4'] } })
})

test('two apiservers that start at once on one store make one cluster', async t => {
  const store = await openTestStore(t)
  const problems: unknown[] = []
  const logger = Object.assign(Object.create(silentLogger), { error: (fields: unknown) => problems.push(fields) })
  const pair = [await startRegistry(t, store), await startRegistry(t, store)]
  await Promise.all(pair.map(registry => bootstrap(createLocalClient(registry), OPTIONS, logger)))
  t.deepEqual(problems, [])
  const services = await createLocalClient(pair[0]!).list(serviceKind)
  t.deepEqual(
    services.map(({ spec }) => (spec as { clusterIP: string }).clusterIP),
    ['10.96.0.1', '10.96.0.10'],
  )
})

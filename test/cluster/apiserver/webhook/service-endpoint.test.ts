/** Where the apiserver reaches a Service, which no kube-proxy serves for it. */
import test from 'ava'
import type { Kind } from '#cluster/api/kind.ts'
import { endpointSliceKind } from '#cluster/api/kinds/endpoint-slice.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import { serviceCidrKind } from '#cluster/api/kinds/service-cidr.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Registry } from '#cluster/apiserver/registry.ts'
import { create } from '#cluster/apiserver/verbs/create.ts'
import { resolveServiceEndpoint, type ServiceReference } from '#cluster/apiserver/webhook/service-endpoint.ts'
import { openTestStore, startRegistry } from '../../../support/registry.ts'

const OPTIONS = { dryRun: false, manager: 'test', warn: () => {} }

const make = async (registry: Registry, kind: Kind, namespace: string | undefined, object: object): Promise<void> => {
  const made = await create(registry, { resource: registry.resource(kind), namespace }, object as ApiObject, OPTIONS)
  if (!made.ok) throw new Error(made.problem.message)
}

const service = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec })

const slice = (name: string, addressType: string, ready: readonly string[], away: readonly string[] = []) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, labels: { 'kubernetes.io/service-name': name.split('-')[0]! } },
  addressType,
  ports: [{ name: 'https', port: 8443 }],
  endpoints: [
    ...ready.map(address => ({ addresses: [address] })),
    ...away.map(address => ({ addresses: [address], conditions: { ready: false } })),
  ],
})

const ports = [{ name: 'https', port: 443 }]

test('a ready endpoint of the first family, at the port behind the one that is asked for', async t => {
  const registry = await startRegistry(t, await openTestStore(t), { first: 30_000, last: 30_010 })
  await make(registry, namespaceKind, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
  await make(registry, serviceCidrKind, undefined, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: ['10.96.0.0/24'] },
  })
  for (const name of ['up', 'down', 'bare']) await make(registry, serviceKind, 'default', service(name, { ports }))
  await make(registry, serviceKind, 'default', service('out', { type: 'ExternalName', externalName: 'hook.example' }))
  await make(registry, endpointSliceKind, 'default', slice('up-6', 'IPv6', ['fd00::9']))
  await make(registry, endpointSliceKind, 'default', slice('up-4', 'IPv4', ['192.0.2.1', '192.0.2.2'], ['192.0.2.3']))
  await make(registry, endpointSliceKind, 'default', slice('down-4', 'IPv4', [], ['192.0.2.4']))
  const seen: number[] = []
  const random = {
    unit: () => 0,
    integer(limit: number) {
      seen.push(limit)
      return limit - 1
    },
  }
  const resolve = (reference: ServiceReference) => {
    const found = resolveServiceEndpoint(registry.cacher, { namespace: 'default', ...reference }, random)
    return found.ok ? found.value : found.problem
  }
  t.deepEqual(resolve({ name: 'up' }), { host: '192.0.2.2', port: 8443 })
  t.is(seen.at(-1), 2, 'one of those that are ready')
  t.deepEqual(resolve({ name: 'out', port: 9443 }), { host: 'hook.example', port: 9443 })
  t.is(resolve({ name: 'up', port: 80 }), 'no service port 80 found for service "up"')
  t.is(resolve({ name: 'down' }), 'no endpoints available for service "down"')
  t.is(resolve({ name: 'bare' }), 'no endpoints available for service "bare"')
  t.is(resolve({ name: 'nope' }), 'service "nope" not found')
})

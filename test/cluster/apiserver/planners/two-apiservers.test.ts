/** Two apiservers on one store, real verbs and real transactions: what they give at the same time is given once. */
import test, { type ExecutionContext } from 'ava'
import type { Kind } from '#cluster/api/kind.ts'
import { ipAddressKind } from '#cluster/api/kinds/ip-address.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import { serviceCidrKind } from '#cluster/api/kinds/service-cidr.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { ServiceSpec } from '#cluster/api/service/service.ts'
import { nodePortRecord } from '#cluster/apiserver/allocation/node-port-record.ts'
import type { Registry } from '#cluster/apiserver/registry.ts'
import { create } from '#cluster/apiserver/verbs/create.ts'
import { prefixRange } from '#cluster/store/kv.ts'
import { openTestStore, startRegistry } from '../../../support/registry.ts'

const OPTIONS = { dryRun: false, manager: 'test', warn: () => {} }

const make = (registry: Registry, kind: Kind, namespace: string | undefined, object: ApiObject) =>
  create(registry, { resource: registry.resource(kind), namespace }, object, OPTIONS)

const startPair = async (t: ExecutionContext, cidr: string) => {
  const store = await openTestStore(t)
  const ports = { first: 30_000, last: 30_059 }
  const pair = [await startRegistry(t, store, ports), await startRegistry(t, store, ports)] as const
  const [first] = pair
  await make(first, namespaceKind, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } })
  await make(first, serviceCidrKind, undefined, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: [cidr] },
  })
  return { store, pair }
}

const aService = (index: number): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: `s${index}`, namespace: 'default' },
  spec: { type: 'NodePort', ports: [{ port: 80, protocol: 'TCP' }] },
})

test('80 Services at once on a range of 62 addresses and 60 ports: 60 are made, nothing is given twice or lost', async t => {
  const { store, pair } = await startPair(t, '10.0.0.0/26')
  const results = await Promise.all(
    Array.from({ length: 80 }, (_, index) => make(pair[index % 2]!, serviceKind, 'default', aService(index))),
  )
  const made = results.filter(result => result.ok).map(result => result.value.object.spec as ServiceSpec)
  t.is(made.length, 60)
  for (const result of results) if (!result.ok) t.regex(result.problem.message ?? '', /range is full$/)
  const addresses = made.map(spec => spec.clusterIP!)
  const ports = made.map(spec => spec.ports![0]!.nodePort!)
  t.deepEqual([new Set(addresses).size, new Set(ports).size], [60, 60])

  const names = async (kind: Kind) => {
    const { keyValues } = await store.range(prefixRange(`/registry/${kind.resource}/`))
    return keyValues.map(({ key }) => key.split('/').at(-1)!).sort()
  }
  t.deepEqual(await names(ipAddressKind), [...addresses].sort())
  t.deepEqual(await names(nodePortRecord), ports.map(String).sort())
  const address = pair[0].cacher.cache(ipAddressKind).get(addresses[0]!)?.object.metadata
  t.truthy(address?.uid)
  t.truthy(address?.creationTimestamp)
})

test('one address asked for at two apiservers at once: one has it, the other is told why not', async t => {
  const { pair } = await startPair(t, '10.96.0.0/12')
  for (let round = 1; round <= 20; round++) {
    const clusterIP = `10.96.0.${round}`
    const results = await Promise.all(
      pair.map((registry, index) => {
        const object = aService(round * 2 + index)
        Object.assign(object.spec as object, { clusterIP, clusterIPs: [clusterIP] })
        return make(registry, serviceKind, 'default', object)
      }),
    )
    t.is(results.filter(result => result.ok).length, 1)
    const refusal = results.find(result => !result.ok)
    t.is(refusal?.ok === false && refusal.problem.code, 422)
  }
})

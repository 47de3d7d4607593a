/** The controllers against a real apiserver over HTTPS, as kube-controller-manager. */
import test from 'ava'
import { systemClock } from '#lib/clock.ts'
import { isNotFound } from '#watcher/api-status-error.ts'
import type { ApiObject } from '#watcher/object.ts'
import type { Resource } from '#watcher/resource.ts'
import { becomes, start, type Thing } from '../../support/controlled-cluster.ts'

const core = (resource: string): Resource => ({ group: '', version: 'v1', resource })
const NAMESPACES = core('namespaces')
const CONFIG_MAPS = core('configmaps')
const SERVICE_CIDRS: Resource = { group: 'networking.k8s.io', version: 'v1', resource: 'servicecidrs' }

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
const configMap = (namespace: string, name: string, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name, ...metadata },
})
const isThere = (thing: Thing | undefined) => thing !== undefined
const isGone = (thing: Thing | undefined) => thing === undefined
const conditionOf = (thing: Thing | undefined, type: string) =>
  thing?.status?.conditions?.find(condition => condition.type === type)

test('each namespace has the account "default" and the authority; both come back when they are deleted or changed', async t => {
  const client = await start(t)
  await becomes(t, client, core('serviceaccounts'), 'kube-system/default', isThere)
  await client.create(NAMESPACES, namespace('fresh'))
  await becomes(t, client, core('serviceaccounts'), 'fresh/default', isThere)
  const authority = (await becomes(t, client, CONFIG_MAPS, 'fresh/kube-root-ca.crt', isThere))?.data?.['ca.crt']
  t.regex(authority ?? '', /^-----BEGIN CERTIFICATE-----/)

  await client.delete(core('serviceaccounts'), { namespace: 'fresh', name: 'default' })
  await becomes(t, client, core('serviceaccounts'), 'fresh/default', isThere)
  const name = { namespace: 'fresh', name: 'kube-root-ca.crt' }
  await client.patch(CONFIG_MAPS, name, { type: 'merge', body: { data: { 'ca.crt': 'forged' } } })
  await becomes(t, client, CONFIG_MAPS, 'fresh/kube-root-ca.crt', map => map?.data?.['ca.crt'] === authority)
  await client.delete(CONFIG_MAPS, name)
  await becomes(t, client, CONFIG_MAPS, 'fresh/kube-root-ca.crt', isThere)
})

test('a deleted namespace is emptied and goes; it says what it waits for', async t => {
  const client = await start(t)
  await client.create(NAMESPACES, namespace('doomed'))
  for (const name of ['a', 'b', 'c']) await client.create(CONFIG_MAPS, configMap('doomed', name))
  await client.create(CONFIG_MAPS, configMap('doomed', 'held', { finalizers: ['example.org/hold'] }))
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'doomed', name: 's' } }
  await client.create(core('services'), {
    ...service,
    spec: { clusterIP: '10.96.0.200', ports: [{ port: 80 }] },
  } as ApiObject)

  await client.delete(NAMESPACES, { name: 'doomed' })
  const waiting = await becomes(
    t,
    client,
    NAMESPACES,
    'doomed',
    thing => conditionOf(thing, 'NamespaceFinalizersRemaining')?.status === 'True',
  )
  t.is(waiting?.status?.phase, 'Terminating')
  t.is(
    conditionOf(waiting, 'NamespaceContentRemaining')?.message,
    'Some resources are remaining: configmaps. has 1 resource instances',
  )
  t.is(
    conditionOf(waiting, 'NamespaceFinalizersRemaining')?.message,
    'Some content in the namespace has finalizers remaining: example.org/hold in 1 resource instances',
  )
  t.is(conditionOf(waiting, 'NamespaceDeletionContentFailure')?.status, 'False')
  const left = await client.list<Thing>(CONFIG_MAPS, { namespace: 'doomed' })
  t.deepEqual(
    left.items.map(item => item.metadata.name),
    ['held'],
  )
  const refused = await t.throwsAsync(client.create(CONFIG_MAPS, configMap('doomed', 'late')))
  t.regex(refused?.message ?? '', /because it is being terminated/)

  await client.patch(
    CONFIG_MAPS,
    { namespace: 'doomed', name: 'held' },
    { type: 'merge', body: { metadata: { finalizers: null } } },
  )
  await becomes(t, client, NAMESPACES, 'doomed', isGone)
  const address = { group: 'networking.k8s.io', version: 'v1', resource: 'ipaddresses' }
  t.true(isNotFound(await t.throwsAsync(client.get(address, { name: '10.96.0.200' }))), 'its address is free again')
  await client.create(NAMESPACES, namespace('doomed'))
})

/** Milliseconds that a range stays after it was deleted, for addresses that are being given. */
const SETTLING = 10_000

test('a ServiceCIDR goes only when no address of it is in use that no other range covers', async t => {
  const client = await start(t, { clock: { ...systemClock, now: () => systemClock.now() + SETTLING } })
  const cidr = (name: string, ...cidrs: string[]) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name },
    spec: { cidrs },
  })
  await client.create(SERVICE_CIDRS, cidr('more', '10.200.0.0/24'))
  const ready = await becomes(t, client, SERVICE_CIDRS, 'more', thing => conditionOf(thing, 'Ready')?.status === 'True')
  t.deepEqual(ready?.metadata.finalizers, ['networking.k8s.io/service-cidr-finalizer'])
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 's' },
    spec: { clusterIP: '10.200.0.5', ports: [{ port: 80 }] },
  }
  await client.create(core('services'), service as ApiObject)
  await client.delete(SERVICE_CIDRS, { name: 'more' })
  const held = await becomes(t, client, SERVICE_CIDRS, 'more', thing => conditionOf(thing, 'Ready')?.status === 'False')
  t.truthy(held?.metadata.deletionTimestamp)
  await client.create(SERVICE_CIDRS, cidr('covers', '10.200.0.0/16'))
  await becomes(t, client, SERVICE_CIDRS, 'more', isGone)
  t.is((await client.get<Thing>(core('services'), { namespace: 'default', name: 's' })).spec?.clusterIP, '10.200.0.5')
})

/** The garbage collector against a real apiserver over HTTPS, as the service account that it is. */
import test from 'ava'
import type { RestClient } from '#watcher/client.ts'
import type { ApiObject, ObjectMeta, OwnerReference } from '#watcher/object.ts'
import type { Resource } from '#watcher/resource.ts'
import { startApiserver } from '../../support/apiserver.ts'
import { becomes, openClient, runControllers, start, type Thing } from '../../support/controlled-cluster.ts'

const core = (resource: string): Resource => ({ group: '', version: 'v1', resource })
const CONFIG_MAPS = core('configmaps')
const NAMESPACES = core('namespaces')
const PRIORITY_CLASSES: Resource = { group: 'scheduling.k8s.io', version: 'v1', resource: 'priorityclasses' }
const DEFINITIONS: Resource = { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' }
const BOATS: Resource = { group: 'example.org', version: 'v1', resource: 'boats' }

const NOBODY = '00000000-0000-4000-8000-000000000000'
const HOLD = { finalizers: ['example.org/hold'] }

const isThere = (thing: Thing | undefined) => thing !== undefined
const isGone = (thing: Thing | undefined) => thing === undefined
const isGoing = (thing: Thing | undefined) => thing?.metadata.deletionTimestamp !== undefined

const by = ({ apiVersion = '', kind = '', metadata }: ApiObject, more: Partial<OwnerReference> = {}) => ({
  apiVersion,
  kind,
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
  ...more,
})

const map = (client: RestClient, name: string, ownerReferences: OwnerReference[] = [], metadata: ObjectMeta = {}) =>
  client.create<ApiObject>(CONFIG_MAPS, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name, ownerReferences, ...metadata },
  })

const get = (client: RestClient, name: string) => client.get<Thing>(CONFIG_MAPS, { namespace: 'default', name })
const ownersOf = async (client: RestClient, name: string) =>
  ((await get(client, name)).metadata.ownerReferences ?? []).map(owner => owner.name)

const remove = (client: RestClient, name: string, propagationPolicy: 'Background' | 'Foreground' | 'Orphan') =>
  client.delete(CONFIG_MAPS, { namespace: 'default', name }, { propagationPolicy })

const letGo = (client: RestClient, name: string) =>
  client.patch(CONFIG_MAPS, { namespace: 'default', name }, { type: 'merge', body: { metadata: { finalizers: null } } })

test('background: dependents go after their owner, theirs after them; who has another owner loses the dead one', async t => {
  const client = await start(t)
  const [owner, other] = [await map(client, 'owner'), await map(client, 'other')]
  const child = await map(client, 'child', [by(owner)])
  await map(client, 'grandchild', [by(child)])
  await map(client, 'shared', [by(owner, { controller: true }), by(other)])
  await remove(client, 'owner', 'Background')
  await becomes(t, client, CONFIG_MAPS, 'default/grandchild', isGone)
  await becomes(t, client, CONFIG_MAPS, 'default/child', isGone)
  const orphaned = (thing: Thing | undefined) => thing?.metadata.ownerReferences?.length === 1
  await becomes(t, client, CONFIG_MAPS, 'default/shared', orphaned)
  t.deepEqual(await ownersOf(client, 'shared'), ['other'])
  await remove(client, 'other', 'Background')
  await becomes(t, client, CONFIG_MAPS, 'default/shared', isGone)
  const accounts = await client.list(core('serviceaccounts'), { namespace: 'kube-system' })
  t.true(accounts.items.some(({ metadata }) => metadata.name === 'generic-garbage-collector'))
})

test('foreground: the owner waits for those that block it, and for no others', async t => {
  const client = await start(t)
  const [owner, other] = [await map(client, 'owner'), await map(client, 'other')]
  const blocking = by(owner, { blockOwnerDeletion: true })
  await map(client, 'held', [blocking], HOLD)
  await map(client, 'free', [blocking])
  await map(client, 'loose', [by(owner)], HOLD)
  await map(client, 'shared', [blocking, by(other)])
  await remove(client, 'owner', 'Foreground')
  await becomes(t, client, CONFIG_MAPS, 'default/free', isGone)
  await becomes(t, client, CONFIG_MAPS, 'default/held', isGoing)
  await becomes(t, client, CONFIG_MAPS, 'default/loose', isGoing)
  await becomes(t, client, CONFIG_MAPS, 'default/shared', thing => thing?.metadata.ownerReferences?.length === 1)
  t.deepEqual((await get(client, 'owner')).metadata.finalizers, ['foregroundDeletion'])
  await map(client, 'late', [blocking])
  await becomes(t, client, CONFIG_MAPS, 'default/late', isGone)
  await letGo(client, 'held')
  await becomes(t, client, CONFIG_MAPS, 'default/owner', isGone)
  t.deepEqual(await ownersOf(client, 'loose'), ['owner'], 'it is being deleted: nothing more is done about it')
  t.deepEqual(await ownersOf(client, 'shared'), ['other'])
})

const chain = async (client: RestClient, metadata: ObjectMeta = {}) => {
  const owner = await map(client, 'owner')
  const child = await map(client, 'child', [by(owner, { blockOwnerDeletion: true })])
  return map(client, 'grandchild', [by(child, { blockOwnerDeletion: true })], metadata)
}

test('foreground: dependents of dependents go first', async t => {
  const client = await start(t)
  await chain(client, HOLD)
  await remove(client, 'owner', 'Foreground')
  await becomes(t, client, CONFIG_MAPS, 'default/grandchild', isGoing)
  for (const name of ['owner', 'child'])
    t.deepEqual((await get(client, name)).metadata.finalizers, ['foregroundDeletion'])
  await letGo(client, 'grandchild')
  await becomes(t, client, CONFIG_MAPS, 'default/owner', isGone)
  const left = await client.list(CONFIG_MAPS, { namespace: 'default' })
  t.deepEqual(
    left.items.filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt'),
    [],
  )
})

test('foreground: a circle does not hold itself', async t => {
  const client = await start(t)
  const ownerReferences = [by(await chain(client), { blockOwnerDeletion: true })]
  const name = { namespace: 'default', name: 'owner' }
  await client.patch(CONFIG_MAPS, name, { type: 'merge', body: { metadata: { ownerReferences } } })
  await remove(client, 'owner', 'Foreground')
  for (const name of ['grandchild', 'child', 'owner']) await becomes(t, client, CONFIG_MAPS, `default/${name}`, isGone)
  t.pass()
})

test('orphan: dependents lose the reference before the owner goes, and stay', async t => {
  const client = await start(t)
  const owner = await map(client, 'owner')
  const child = await map(client, 'child', [by(owner, { blockOwnerDeletion: true })])
  await map(client, 'grandchild', [by(child)])
  await remove(client, 'owner', 'Orphan')
  await becomes(t, client, CONFIG_MAPS, 'default/owner', isGone)
  t.deepEqual(await ownersOf(client, 'child'), [])
  t.deepEqual(await ownersOf(client, 'grandchild'), ['child'])
})

test('owners that never were: by the API, in the namespace of the dependent, by kind, name and uid', async t => {
  const client = await start(t)
  await client.create<ApiObject>(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'far' } })
  const owner = await map(client, 'owner')
  const space = await client.get<ApiObject>(NAMESPACES, { name: 'far' })
  const unserved = { apiVersion: 'example.com/v1', kind: 'Ship', name: 'owner', uid: NOBODY }
  await map(client, 'of-unserved', [unserved])
  await map(client, 'of-nonsense', [{ ...unserved, apiVersion: '../../metrics' }])
  await map(client, 'of-space', [by(space)])
  const cluster = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', value: 1 }
  const metadata = { name: 'of-owner', ownerReferences: [by(owner)] }
  await client.create<ApiObject>(PRIORITY_CLASSES, { ...cluster, metadata } as ApiObject)
  await map(client, 'of-nobody', [by(owner, { uid: NOBODY })])
  await map(client, 'of-other-kind', [by(owner, { kind: 'Secret' })])
  await map(client, 'of-other-name', [by(owner, { name: 'another' })])
  await map(client, 'from-afar', [by(owner)], { namespace: 'far' })
  for (const name of ['of-nobody', 'of-other-kind', 'of-other-name'])
    await becomes(t, client, CONFIG_MAPS, `default/${name}`, isGone)
  await becomes(t, client, CONFIG_MAPS, 'far/from-afar', isGone)
  for (const name of ['of-unserved', 'of-nonsense', 'of-space', 'owner'])
    t.is((await get(client, name)).metadata.deletionTimestamp, undefined, name)
  await client.get(PRIORITY_CLASSES, { name: 'of-owner' })
  await client.delete(NAMESPACES, { name: 'far' })
  await becomes(t, client, NAMESPACES, 'far', isGone)
  await becomes(t, client, CONFIG_MAPS, 'default/of-space', isGone)
})

test('what happened while no controller ran is caught up with', async t => {
  const server = await startApiserver(t)
  const client = await openClient(t, server)
  const [gone, going, leaving] = [await map(client, 'gone'), await map(client, 'going'), await map(client, 'leaving')]
  await map(client, 'of-gone', [by(gone)])
  await map(client, 'of-going', [by(going, { blockOwnerDeletion: true })])
  await map(client, 'of-leaving', [by(leaving)])
  await remove(client, 'gone', 'Background')
  await remove(client, 'going', 'Foreground')
  await remove(client, 'leaving', 'Orphan')
  await runControllers(t, server)
  for (const name of ['of-gone', 'of-going', 'going', 'leaving'])
    await becomes(t, client, CONFIG_MAPS, `default/${name}`, isGone)
  t.deepEqual(await ownersOf(client, 'of-leaving'), [])
})

const definition = (scope: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'boats.example.org' },
  spec: {
    group: 'example.org',
    scope,
    names: { plural: 'boats', singular: 'boat', kind: 'Boat' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
})

test('custom resources own and are owned, from the time on at which they are defined', async t => {
  const client = await start(t)
  const metadata = { name: 'mine', namespace: 'default' }
  await client.create<ApiObject>(DEFINITIONS, definition('Namespaced'))
  const established = (thing: Thing | undefined) =>
    thing?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true
  await becomes(t, client, DEFINITIONS, 'boats.example.org', established)
  const boat = await client.create<ApiObject>(BOATS, { apiVersion: 'example.org/v1', kind: 'Boat', metadata })
  const cargo = await map(client, 'cargo', [by(boat, { blockOwnerDeletion: true })])
  const dinghy = { name: 'dinghy', namespace: 'default', ownerReferences: [by(cargo)] }
  await client.create<ApiObject>(BOATS, { apiVersion: 'example.org/v1', kind: 'Boat', metadata: dinghy })
  await becomes(t, client, BOATS, 'default/dinghy', isThere)
  await client.delete(BOATS, metadata, { propagationPolicy: 'Foreground' })
  await becomes(t, client, BOATS, 'default/dinghy', isGone)
  await becomes(t, client, BOATS, 'default/mine', isGone)
  await becomes(t, client, CONFIG_MAPS, 'default/cargo', isGone)

  const last = await client.create<ApiObject>(BOATS, { apiVersion: 'example.org/v1', kind: 'Boat', metadata })
  await map(client, 'cargo', [by(last)])
  await client.delete(DEFINITIONS, { name: 'boats.example.org' })
  await becomes(t, client, DEFINITIONS, 'boats.example.org', isGone)
  t.is(await becomes(t, client, CONFIG_MAPS, 'default/cargo', isGone), undefined)
})

test('a Job leaves its Pods where its deletion does not say what becomes of them, and says so', async t => {
  const server = await startApiserver(t)
  const client = await openClient(t, server)
  await runControllers(t, server)
  const jobs = '/apis/batch/v1/namespaces/default/jobs'
  const spec = { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } }
  const remove = async (name: string, query: string) => {
    const { json } = await server.fetch(jobs, { method: 'POST', body: { metadata: { name }, spec } })
    await map(client, `of-${name}`, [by(json)])
    const reply = await server.fetch(`${jobs}/${name}${query}`, { method: 'DELETE' })
    await becomes(t, client, { group: 'batch', version: 'v1', resource: 'jobs' }, `default/${name}`, isGone)
    return reply.headers.warning
  }
  t.regex((await remove('unsaid', '')) ?? '', /child pods are preserved by default when jobs are deleted/)
  t.is(await remove('said', '?propagationPolicy=Background'), undefined)
  await becomes(t, client, CONFIG_MAPS, 'default/of-said', isGone)
  t.deepEqual(await ownersOf(client, 'of-unsaid'), [])
})

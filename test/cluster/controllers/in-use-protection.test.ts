/** Volumes and claims that are in use stay, against a real apiserver over HTTPS. */
import test, { type ExecutionContext } from 'ava'
import type { ApiObject } from '#watcher/object.ts'
import type { Resource } from '#watcher/resource.ts'
import { type RunningApiserver, startApiserver } from '../../support/apiserver.ts'
import { becomes, openClient, runControllers } from '../../support/controlled-cluster.ts'

const core = (resource: string): Resource => ({ group: '', version: 'v1', resource })
const CLAIMS = core('persistentvolumeclaims')
const VOLUMES = core('persistentvolumes')
const PODS = core('pods')
const CLASSES: Resource = { group: 'storage.k8s.io', version: 'v1', resource: 'volumeattributesclasses' }

const object = (kind: string, name: string, spec: object, namespace?: string): ApiObject =>
  ({ apiVersion: 'v1', kind, metadata: { name, ...(namespace ? { namespace } : {}) }, spec }) as ApiObject

const SHAPE = { accessModes: ['ReadWriteOnce'] }
const claim = (name: string) =>
  object('PersistentVolumeClaim', name, { ...SHAPE, resources: { requests: { storage: '1Gi' } } }, 'default')
const volume = (name: string) =>
  object('PersistentVolume', name, { ...SHAPE, capacity: { storage: '1Gi' }, hostPath: { path: '/x' } })
const pod = (name: string, claimName: string, nodeName?: string) => {
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName } }]
  const containers = [{ name: 'c', image: 'i' }]
  return object('Pod', name, { volumes, containers, ...(nodeName ? { nodeName } : {}) }, 'default')
}

const startServer = async (t: ExecutionContext) => {
  const server = await startApiserver(t, { options: { disableAdmissionPlugins: 'ServiceAccount' } })
  await runControllers(t, server)
  return server
}

const start = async (t: ExecutionContext) => openClient(t, await startServer(t))

const NOW = { gracePeriodSeconds: 0 }

test('a claim stays until no Pod on a node mounts it', async t => {
  const client = await start(t)
  for (const name of ['used', 'free']) {
    const made = await client.create(CLAIMS, claim(name))
    t.deepEqual(made.metadata.finalizers, ['kubernetes.io/pvc-protection'])
  }
  await client.create(PODS, pod('p', 'used', 'n1'))
  await client.create(PODS, pod('waiting', 'free'))
  for (const name of ['used', 'free']) await client.delete(CLAIMS, { namespace: 'default', name })
  await becomes(t, client, CLAIMS, 'default/free', thing => thing === undefined)
  const used = await becomes(t, client, CLAIMS, 'default/used', thing => thing !== undefined)
  t.truthy(used?.metadata.deletionTimestamp)
  await client.delete(PODS, { namespace: 'default', name: 'p' }, NOW)
  await becomes(t, client, CLAIMS, 'default/used', thing => thing === undefined)
})

test('the claim of an ephemeral volume does not wait for a Pod that is shut down and waits for it', async t => {
  const client = await start(t)
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  const made = await client.create<ApiObject>(PODS, {
    ...object('Pod', 'p', {
      nodeName: 'n1',
      containers: [{ name: 'c', image: 'i' }],
      volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec } } }],
    }),
    metadata: { name: 'p', namespace: 'default', finalizers: ['example.com/claims'] },
  })
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: made.metadata.uid!, controller: true }
  for (const [name, ownerReferences] of [
    ['p-v', [owner]],
    ['p-w', []],
  ] as const) {
    const own = claim(name)
    await client.create(CLAIMS, { ...own, metadata: { ...own.metadata, ownerReferences } })
    await client.delete(CLAIMS, { namespace: 'default', name })
  }
  await becomes(t, client, CLAIMS, 'default/p-w', thing => thing === undefined)
  t.truthy((await client.get<ApiObject>(CLAIMS, { namespace: 'default', name: 'p-v' })).metadata.deletionTimestamp)
  await client.delete(PODS, { namespace: 'default', name: 'p' }, NOW)
  await becomes(t, client, CLAIMS, 'default/p-v', thing => thing === undefined)
  t.truthy((await client.get<ApiObject>(PODS, { namespace: 'default', name: 'p' })).metadata.deletionTimestamp)
})

test('a volume stays as long as it is bound; one from before is protected as well', async t => {
  const client = await start(t)
  const bound = await client.create(VOLUMES, volume('bound'))
  t.deepEqual(bound.metadata.finalizers, ['kubernetes.io/pv-protection'])
  await client.updateStatus(VOLUMES, { ...bound, status: { phase: 'Bound' } } as ApiObject)
  await client.create(VOLUMES, volume('free'))
  for (const name of ['bound', 'free']) await client.delete(VOLUMES, { name })
  await becomes(t, client, VOLUMES, 'free', thing => thing === undefined)
  const held = await client.get<ApiObject>(VOLUMES, { name: 'bound' })
  t.truthy(held.metadata.deletionTimestamp)
  await client.updateStatus(VOLUMES, { ...held, status: { phase: 'Released' } } as ApiObject)
  await becomes(t, client, VOLUMES, 'bound', thing => thing === undefined)

  await client.create(VOLUMES, volume('old'))
  await client.patch(VOLUMES, { name: 'old' }, { type: 'merge', body: { metadata: { finalizers: null } } })
  await becomes(t, client, VOLUMES, 'old', thing => thing?.metadata.finalizers?.length === 1)
})

/** Lists of Pods that were answered; watches are not among them. */
const podLists = async ({ registry }: RunningApiserver): Promise<number> => {
  const line = (await registry.metrics())
    .split('\n')
    .find(each => each.startsWith('apiserver_request_total{verb="LIST",group="",version="v1",resource="pods"'))
  return Number(line?.split(' ').at(-1) ?? 0)
}

test('claims that wait cost no lists of Pods, and neither do those whose Pods go', async t => {
  const server = await startServer(t)
  const client = await openClient(t, server)
  const names = Array.from({ length: 10 }, (_, index) => `c${index}`)
  for (const name of names) {
    await client.create(CLAIMS, claim(name))
    await client.create(PODS, pod(name, name, 'n1'))
  }
  for (const name of names) await client.delete(CLAIMS, { namespace: 'default', name })
  // The end of one that comes later shows that the others have been looked at.
  for (const name of ['x', 'y', 'z', 'last']) {
    await client.create(CLAIMS, claim(name))
    await client.delete(CLAIMS, { namespace: 'default', name })
    await becomes(t, client, CLAIMS, `default/${name}`, thing => thing === undefined)
  }
  const lists = await podLists(server)
  t.true(lists >= 1 && lists <= names.length + 4, String(lists))
  for (const name of names) await client.delete(PODS, { namespace: 'default', name }, NOW)
  for (const name of names) await becomes(t, client, CLAIMS, `default/${name}`, thing => thing === undefined)
  t.is(await podLists(server), lists)
})

test('a claim of a Pod whose name another one takes is let go; where nobody tells of Pods, they are listed again', async t => {
  const server = await startApiserver(t, { options: { disableAdmissionPlugins: 'ServiceAccount' } })
  await runControllers(t, server, { alone: true })
  const client = await openClient(t, server)
  await client.create(CLAIMS, claim('c'))
  await client.create(PODS, pod('p', 'c', 'n1'))
  await client.delete(CLAIMS, { namespace: 'default', name: 'c' })
  const lists = await podLists(server)
  while ((await podLists(server)) < lists + 2) await new Promise(resolve => setImmediate(resolve))
  t.truthy((await client.get<ApiObject>(CLAIMS, { namespace: 'default', name: 'c' })).metadata.deletionTimestamp)
  await client.delete(PODS, { namespace: 'default', name: 'p' }, NOW)
  await client.create(PODS, pod('p', 'other', 'n1'))
  await becomes(t, client, CLAIMS, 'default/c', thing => thing === undefined)
})

test('a class of volume attributes stays as long as a volume or a claim has it, wants it, or is on the way to it', async t => {
  const client = await start(t)
  const make = async (name: string) => {
    const made = await client.create(CLASSES, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name },
      driverName: 'csi.example.com',
      parameters: { iops: '1' },
    } as ApiObject)
    t.deepEqual(made.metadata.finalizers, ['kubernetes.io/vac-protection'])
  }
  for (const name of ['free', 'volume', 'wanted', 'had', 'target']) await make(name)
  const spec = { ...SHAPE, capacity: { storage: '1Gi' }, volumeAttributesClassName: 'volume' }
  const csi = { driver: 'csi.example.com', volumeHandle: 'h' }
  await client.create(VOLUMES, object('PersistentVolume', 'v', { ...spec, csi }))
  const wants = object(
    'PersistentVolumeClaim',
    'c',
    { ...SHAPE, resources: { requests: { storage: '1Gi' } }, volumeAttributesClassName: 'wanted' },
    'default',
  )
  const made = await client.create(CLAIMS, wants)
  const modifyVolumeStatus = { targetVolumeAttributesClassName: 'target', status: 'InProgress' }
  const status = { currentVolumeAttributesClassName: 'had', modifyVolumeStatus }
  await client.updateStatus(CLAIMS, { ...made, status } as ApiObject)
  // Its end shows that the controllers have seen the others' users.
  await make('later')
  const last = { ...(wants as { spec?: object }).spec, volumeAttributesClassName: 'later' }
  await client.create(CLAIMS, object('PersistentVolumeClaim', 'last', last, 'default'))
  await client.delete(CLASSES, { name: 'later' })
  await client.delete(CLAIMS, { namespace: 'default', name: 'last' })
  await becomes(t, client, CLASSES, 'later', thing => thing === undefined)
  for (const name of ['free', 'volume', 'wanted', 'had', 'target']) await client.delete(CLASSES, { name })
  await becomes(t, client, CLASSES, 'free', thing => thing === undefined)
  for (const name of ['volume', 'wanted', 'had', 'target'])
    t.truthy((await client.get<ApiObject>(CLASSES, { name })).metadata.deletionTimestamp, name)
  const merge = (resource: Resource, name: object, body: object, subresource?: 'status') =>
    client.patch(resource, name as { name: string }, { type: 'merge', body, ...(subresource ? { subresource } : {}) })
  await client.updateStatus(CLAIMS, {
    ...(await client.get<ApiObject>(CLAIMS, { namespace: 'default', name: 'c' })),
    status: { currentVolumeAttributesClassName: 'wanted' },
  } as ApiObject)
  for (const name of ['had', 'target']) await becomes(t, client, CLASSES, name, thing => thing === undefined)
  await client.delete(CLAIMS, { namespace: 'default', name: 'c' })
  await becomes(t, client, CLASSES, 'wanted', thing => thing === undefined)
  await client.delete(VOLUMES, { name: 'v' })
  await becomes(t, client, CLASSES, 'volume', thing => thing === undefined)

  await make('old')
  await merge(CLASSES, { name: 'old' }, { metadata: { finalizers: null } })
  await becomes(t, client, CLASSES, 'old', thing => thing?.metadata.finalizers?.length === 1)
})

/** Volumes and claims that are in use stay, against a real apiserver over HTTPS. */
import test, { type ExecutionContext } from 'ava'
import type { ApiObject } from '#watcher/object.ts'
import type { Resource } from '#watcher/resource.ts'
import { startApiserver } from '../../support/apiserver.ts'
import { becomes, openClient, runControllers } from '../../support/controlled-cluster.ts'

const core = (resource: string): Resource => ({ group: '', version: 'v1', resource })
const CLAIMS = core('persistentvolumeclaims')
const VOLUMES = core('persistentvolumes')
const PODS = core('pods')

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

const start = async (t: ExecutionContext) => {
  const server = await startApiserver(t, { options: { disableAdmissionPlugins: 'ServiceAccount' } })
  await runControllers(t, server)
  return openClient(t, server)
}

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

/** limitedResources of ResourceQuota: what may be taken only where a quota counts it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { stringify } from 'yaml'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { pod, startWorld, type World } from './world.ts'

const D = '/api/v1/namespaces/default'

const start = (t: ExecutionContext, limitedResources: readonly object[], more: Record<string, unknown> = {}) => {
  const path = join(temporaryFolder(t), 'admission.yaml')
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'ResourceQuotaConfiguration',
    limitedResources,
  }
  const plugins = [{ name: 'ResourceQuota', configuration }]
  writeFileSync(path, stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins }))
  return startWorld(t, { options: { admissionControlConfigFile: path, ...more } })
}

const create = (world: World, path: string, body: object) => world.server.fetch(path, { method: 'POST', body })

/** Made, and counted. */
const quota = async (
  t: ExecutionContext,
  world: World,
  name: string,
  spec: { hard: object; scopeSelector?: object },
) => {
  await world.make(t, `${D}/resourcequotas`, { metadata: { name }, spec })
  for (;;) {
    const { used = {} } = (await world.server.fetch(`${D}/resourcequotas/${name}`)).json.status
    if (Object.keys(spec.hard).every(each => each in used)) return
  }
}

const claim = (name: string, storageClassName: string, storage = '1Gi') => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage } } },
})

test('storage of a class is for those whose quotas have some', async t => {
  const resource = 'persistentvolumeclaims'
  const world = await start(t, [{ resource, matchContains: ['gold.storageclass.storage.k8s.io/requests.storage'] }])
  await world.make(t, `${D}/${resource}`, claim('plain', 'silver'))
  const refused = await create(world, `${D}/${resource}`, claim('a', 'gold'))
  t.is(refused.code, 403)
  t.is(
    refused.json.message,
    'persistentvolumeclaims "a" is forbidden: insufficient quota to consume: gold.storageclass.storage.k8s.io/requests.storage',
  )
  await quota(t, world, 'others', { hard: { 'requests.storage': '100Gi', secrets: '10' } })
  t.is((await create(world, `${D}/${resource}`, claim('a', 'gold'))).code, 403, 'it counts something else')
  await quota(t, world, 'gold', { hard: { 'gold.storageclass.storage.k8s.io/requests.storage': '2Gi' } })
  await world.make(t, `${D}/${resource}`, claim('a', 'gold'))
  const more = await create(world, `${D}/${resource}`, claim('b', 'gold', '2Gi'))
  t.regex(more.json.message, /exceeded quota: gold/)
  await world.server.fetch(`${D}/resourcequotas/gold`, { method: 'DELETE' })
  const label = { metadata: { labels: { x: 'y' } } }
  const merge = { 'content-type': 'application/merge-patch+json' }
  const patched = await world.server.fetch(`${D}/${resource}/a`, { method: 'PATCH', headers: merge, body: label })
  t.is(patched.code, 200, 'what takes nothing more is not asked')
  const grown = { status: { allocatedResources: { storage: '3Gi' } } }
  const told = await world.server.fetch(`${D}/${resource}/a/status`, { method: 'PATCH', headers: merge, body: grown })
  t.is(told.code, 200, 'status says what is so')
  t.is(told.json.status.allocatedResources.storage, '3Gi')
  t.is((await world.server.fetch(`${D}/${resource}/a`, { method: 'DELETE' })).code, 200)
})

test('a class of priority is for namespaces with a quota of that scope', async t => {
  const scope = { scopeName: 'PriorityClass', operator: 'In', values: ['vip', 'vvip'] }
  const world = await start(t, [{ resource: 'pods', matchScopes: [scope] }])
  for (const name of ['vip', 'plain'])
    await world.make(t, '/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name }, value: 5 })
  const important = (name: string) => pod(name, undefined, { priorityClassName: 'vip' })
  await world.make(t, `${D}/pods`, pod('plain', undefined, { priorityClassName: 'plain' }))
  const refused = await create(world, `${D}/pods`, important('a'))
  t.is(refused.code, 403)
  t.is(
    refused.json.message,
    'pods "a" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [vip vvip]}]',
  )
  t.is((await create(world, `${D}/pods?dryRun=All`, important('a'))).code, 403)
  const scopeSelector = { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['vip'] }] }
  await quota(t, world, 'vip', { hard: { pods: '1' }, scopeSelector })
  await world.make(t, `${D}/pods`, important('a'))
  t.regex((await create(world, `${D}/pods`, important('b'))).json.message, /exceeded quota: vip/)
})

test('objects of any group are limited by their count, in one namespace as in the other', async t => {
  const world = await start(t, [
    { apiGroup: 'rbac.authorization.k8s.io', resource: 'roles', matchContains: ['count/'] },
  ])
  const roles = (namespace: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`
  const role = { metadata: { name: 'a' }, rules: [] }
  t.regex(
    (await create(world, roles('default'), role)).json.message,
    /insufficient quota to consume: count\/roles\.rbac/,
  )
  await quota(t, world, 'roles', { hard: { 'count/roles.rbac.authorization.k8s.io': '1' } })
  await world.make(t, roles('default'), role)
  t.is((await create(world, roles('kube-system'), role)).code, 403)
  await world.make(t, `${D}/configmaps`, { metadata: { name: 'a' } })
})

test('many at once do not pass a limit that nobody counts', async t => {
  const world = await start(t, [{ resource: 'configmaps', matchContains: ['count/configmaps'] }])
  const bodies = Array.from({ length: 20 }, (_, index) => ({ metadata: { name: `m${index}` } }))
  const codes = await Promise.all(bodies.map(async body => (await create(world, `${D}/configmaps`, body)).code))
  t.true(codes.every(code => code === 403))
})

test('a plugin that is off limits nothing', async t => {
  const off = { disableAdmissionPlugins: 'ResourceQuota,ServiceAccount' }
  const world = await start(t, [{ resource: 'configmaps', matchContains: ['count/'] }], off)
  await world.make(t, `${D}/configmaps`, { metadata: { name: 'a' } })
})

/** Quotas through the HTTP door: never exceeded, always right, given back with the answer to the delete. */
import test, { type ExecutionContext } from 'ava'
import { pod, startWorld, type World } from './world.ts'

const CORE = '/api/v1'
const D = `${CORE}/namespaces/default`
const QUOTAS = `${D}/resourcequotas`

const create = (world: World, path: string, body: object) => world.server.fetch(path, { method: 'POST', body })
const usedOf = async (world: World, name = 'q'): Promise<Record<string, string>> =>
  (await world.server.fetch(`${QUOTAS}/${name}`)).json.status.used ?? {}

/** Made, and counted. */
const quota = async (t: ExecutionContext, world: World, hard: object, more: object = {}, name = 'q') => {
  await world.make(t, QUOTAS, { metadata: { name }, spec: { hard, ...more } })
  for (;;) {
    const used = await usedOf(world, name)
    if (Object.keys(hard).every(each => each in used)) return
  }
}

const sized = (name: string, requests: object, limits: object = {}, more: Record<string, unknown> = {}) =>
  pod(name, undefined, { containers: [{ name: 'c', image: 'i', resources: { requests, limits } }], ...more })

const configMap = (name: string) => ({ metadata: { name }, data: {} })

test('what is there is counted, what comes is charged, what goes is given back with the answer', async t => {
  const world = await startWorld(t)
  await world.make(t, `${D}/configmaps`, configMap('a'))
  await quota(t, world, { 'count/configmaps': '3', configmaps: '5', 'count/deployments.apps': '1' })
  t.deepEqual(await usedOf(world), { 'count/configmaps': '1', configmaps: '1', 'count/deployments.apps': '0' })
  for (const name of ['b', 'c']) await world.make(t, `${D}/configmaps`, configMap(name))
  t.is((await usedOf(world)).configmaps, '3')
  const refused = await create(world, `${D}/configmaps`, configMap('d'))
  t.is(refused.code, 403)
  t.is(
    refused.json.message,
    'configmaps "d" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=3, limited: count/configmaps=3',
  )
  await world.server.fetch(`${D}/configmaps/a`, { method: 'DELETE' })
  t.is((await usedOf(world))['count/configmaps'], '2')
  await world.make(t, `${D}/configmaps`, configMap('d'))
})

test('64 writers at once get what there is, and no more', async t => {
  const world = await startWorld(t)
  await quota(t, world, { 'count/configmaps': '20' })
  const codes = await Promise.all(
    Array.from({ length: 64 }, async (_, index) => {
      const { code } = await create(world, `${D}/configmaps`, configMap(`c${index}`))
      return code
    }),
  )
  t.is(codes.filter(code => code === 201).length, 20)
  t.is(codes.filter(code => code === 403).length, 44)
  const { json } = await world.server.fetch(`${D}/configmaps`)
  t.is(json.items.length, 20)
  t.is((await usedOf(world))['count/configmaps'], '20')
  await world.server.fetch(`${D}/configmaps`, { method: 'DELETE' })
  t.is((await usedOf(world))['count/configmaps'], '0')
})

test('a quota made amid writers counts each of them once', async t => {
  const world = await startWorld(t)
  const writing = Promise.all(
    Array.from({ length: 100 }, (_, index) => create(world, `${D}/configmaps`, configMap(`c${index}`))),
  )
  await world.make(t, QUOTAS, { metadata: { name: 'q' }, spec: { hard: { 'count/configmaps': '1k' } } })
  t.true((await writing).every(({ code }) => code === 201))
  await quota(t, world, { secrets: '1' }, {}, 'other')
  t.is((await usedOf(world))['count/configmaps'], '100')
})

test('compute: requests and limits, in the units of the quota; each container must say', async t => {
  const world = await startWorld(t)
  await quota(t, world, { pods: '3', 'requests.cpu': '1', 'limits.memory': '1Gi', 'requests.example.com/gpu': '2' })
  await world.make(
    t,
    `${D}/pods`,
    sized('a', { cpu: '600m', 'example.com/gpu': '1' }, { memory: '512Mi', 'example.com/gpu': '1' }),
  )
  t.deepEqual(await usedOf(world), {
    pods: '1',
    'requests.cpu': '600m',
    'limits.memory': '512Mi',
    'requests.example.com/gpu': '1',
  })
  const more = await create(world, `${D}/pods`, sized('b', { cpu: '500m' }, { memory: '768Mi' }))
  t.is(
    more.json.message,
    'pods "b" is forbidden: exceeded quota: q, requested: limits.memory=768Mi,requests.cpu=500m, used: limits.memory=512Mi,requests.cpu=600m, limited: limits.memory=1Gi,requests.cpu=1',
  )
  const silent = await create(world, `${D}/pods`, pod('c'))
  t.is(
    silent.json.message,
    'pods "c" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c',
  )
  const ended = await world.server.fetch(`${D}/pods/a/status`, {
    method: 'PATCH',
    body: { status: { phase: 'Succeeded' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  t.is(ended.code, 200, ended.text)
  t.is((await usedOf(world)).pods, '0', 'what has ended takes nothing')
})

test('services and claims are measured by what they take', async t => {
  const world = await startWorld(t)
  await quota(t, world, { services: '5', 'services.nodeports': '3', 'services.loadbalancers': '1' })
  const service = (name: string, type: string, count: number) => ({
    metadata: { name },
    spec: { type, ports: Array.from({ length: count }, (_, index) => ({ name: `p${index}`, port: 80 + index })) },
  })
  await world.make(t, `${D}/services`, service('a', 'NodePort', 2))
  t.deepEqual(
    await usedOf(world),
    // Besides the cluster's own Service.
    { services: '2', 'services.nodeports': '2', 'services.loadbalancers': '0' },
  )
  const refused = await create(world, `${D}/services`, service('b', 'LoadBalancer', 2))
  t.regex(
    refused.json.message,
    /requested: services\.nodeports=2, used: services\.nodeports=2, limited: services\.nodeports=3$/,
  )
  const { json } = await world.server.fetch(`${D}/services/a`)
  const patched = await world.server.fetch(`${D}/services/a`, {
    method: 'PUT',
    body: { ...json, spec: { ...json.spec, type: 'ClusterIP' } },
  })
  t.is(patched.code, 200, patched.text)
  t.is((await usedOf(world))['services.nodeports'], '0')
})

test('scopes choose what is counted', async t => {
  const world = await startWorld(t)
  await world.make(t, '/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name: 'high' }, value: 10 })
  const selector = (scopeName: string, operator: string, values?: string[]) => ({
    scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values ? { values } : {}) }] },
  })
  await quota(t, world, { pods: '9' }, { scopes: ['BestEffort'] }, 'best')
  await quota(t, world, { pods: '9' }, { scopes: ['NotBestEffort', 'NotTerminating'] }, 'steady')
  await quota(t, world, { pods: '9' }, selector('PriorityClass', 'In', ['high']), 'high')
  await quota(t, world, { pods: '9' }, selector('CrossNamespacePodAffinity', 'Exists'), 'abroad')
  await quota(t, world, { pods: '0' }, selector('Terminating', 'Exists'), 'brief')
  await world.make(t, `${D}/pods`, pod('a'))
  await world.make(t, `${D}/pods`, sized('b', { cpu: '1' }, {}, { priorityClassName: 'high' }))
  const podAffinityTerm = { topologyKey: 'k', namespaces: ['other'], labelSelector: {} }
  const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [podAffinityTerm] } }
  await world.make(t, `${D}/pods`, pod('c', undefined, { affinity }))
  const brief = await create(world, `${D}/pods`, pod('d', undefined, { activeDeadlineSeconds: 5 }))
  t.regex(brief.json.message, /exceeded quota: brief, requested: pods=1, used: pods=0, limited: pods=0/)
  const counts = await Promise.all(
    ['best', 'steady', 'high', 'abroad'].map(async name => (await usedOf(world, name)).pods),
  )
  t.deepEqual(counts, ['2', '1', '1', '1'])
})

test('a dry run takes nothing, and hears what it would', async t => {
  const world = await startWorld(t)
  await quota(t, world, { 'count/configmaps': '1' })
  t.is((await create(world, `${D}/configmaps?dryRun=All`, configMap('a'))).code, 201)
  t.is((await usedOf(world))['count/configmaps'], '0')
  await world.make(t, `${D}/configmaps`, configMap('a'))
  t.is((await create(world, `${D}/configmaps?dryRun=All`, configMap('b'))).code, 403)
})

test('another bound holds once it is counted; who writes into a status is put right by the next count', async t => {
  const world = await startWorld(t)
  await quota(t, world, { 'count/configmaps': '1' })
  await world.make(t, `${D}/configmaps`, configMap('a'))
  const { json } = await world.server.fetch(`${QUOTAS}/q`)
  const spec = { hard: { 'count/configmaps': '2', 'count/secrets': '0' } }
  t.is((await world.server.fetch(`${QUOTAS}/q`, { method: 'PUT', body: { ...json, spec } })).code, 200)
  t.is((await create(world, `${D}/secrets`, { metadata: { name: 's' } })).code, 403)
  await world.make(t, `${D}/configmaps`, configMap('b'))
  t.deepEqual(await usedOf(world), { 'count/configmaps': '2', 'count/secrets': '0' })
})

test('left out, the plugin counts and refuses nothing', async t => {
  const world = await startWorld(t, { options: { disableAdmissionPlugins: 'ServiceAccount,ResourceQuota' } })
  await quota(t, world, { 'count/configmaps': '0' })
  await world.make(t, `${D}/configmaps`, configMap('a'))
  t.is((await usedOf(world))['count/configmaps'], '1')
})

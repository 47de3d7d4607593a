/** What the cluster adds to what is created, and what it refuses. */
import test from 'ava'
import { pod, startWorld, type World } from './world.ts'

const CORE = '/api/v1'
const D = `${CORE}/namespaces/default`

const ACCOUNTS = { options: { disableAdmissionPlugins: '' } }

const account = (world: World, t: Parameters<World['make']>[0], name: string, body: object = {}) =>
  world.make(t, `${D}/serviceaccounts`, { metadata: { name }, ...body })

test('a Pod is the account default, whose token it finds in every container', async t => {
  const world = await startWorld(t, ACCOUNTS)
  await account(world, t, 'default', { imagePullSecrets: [{ name: 'registry' }] })
  const body = pod('p', undefined, { initContainers: [{ name: 'i', image: 'i' }] })
  const { spec } = (await world.server.fetch(`${D}/pods`, { method: 'POST', body })).json
  t.deepEqual([spec.serviceAccountName, spec.serviceAccount], ['default', 'default'])
  t.deepEqual(spec.imagePullSecrets, [{ name: 'registry' }])
  const [volume] = spec.volumes
  t.regex(volume.name, /^kube-api-access-[a-z0-9]{5}$/)
  t.deepEqual(volume.projected, {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
    defaultMode: 420,
  })
  const mount = { name: volume.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }
  t.deepEqual(spec.containers[0].volumeMounts, [mount])
  t.deepEqual(spec.initContainers[0].volumeMounts, [mount])
})

test('a Pod or its account may do without the token; what stands there stays', async t => {
  const world = await startWorld(t, ACCOUNTS)
  await account(world, t, 'default')
  await account(world, t, 'quiet', { automountServiceAccountToken: false })
  const volumesOf = async (name: string, spec: object) =>
    (await world.server.fetch(`${D}/pods`, { method: 'POST', body: pod(name, undefined, { ...spec }) })).json.spec
      .volumes
  t.is(await volumesOf('a', { automountServiceAccountToken: false }), undefined)
  t.is(await volumesOf('b', { serviceAccountName: 'quiet' }), undefined)
  t.is((await volumesOf('c', { serviceAccountName: 'quiet', automountServiceAccountToken: true })).length, 1)
  const mounts = [{ name: 'own', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }]
  const containers = [{ name: 'c', image: 'i', volumeMounts: mounts }]
  t.deepEqual(
    (await volumesOf('d', { containers, volumes: [{ name: 'own', emptyDir: {} }] })).map(
      (each: { name: string }) => each.name,
    ),
    ['own'],
  )
})

test('a Pod waits for the account of a namespace that was just made, and is refused without one', async t => {
  const world = await startWorld(t, ACCOUNTS)
  const waiting = world.server.fetch(`${D}/pods`, { method: 'POST', body: pod('early') })
  await account(world, t, 'default')
  t.is((await waiting).code, 201)
  const { code, json } = await world.server.fetch(`${D}/pods`, {
    method: 'POST',
    body: pod('p', undefined, { serviceAccountName: 'nope' }),
  })
  t.is(code, 403)
  t.is(
    json.message,
    'pods "p" is forbidden: error looking up service account default/nope: serviceaccount "nope" not found',
  )
})

test('a Pod tolerates a node that is away for five minutes, unless it says how long', async t => {
  const world = await startWorld(t)
  const tolerationsOf = async (name: string, tolerations: object[]) =>
    (await world.server.fetch(`${D}/pods`, { method: 'POST', body: pod(name, undefined, { tolerations }) })).json.spec
      .tolerations
  const added = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })
  const [notReady, unreachable] = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
  t.deepEqual(await tolerationsOf('a', []), [added(notReady), added(unreachable)])
  const own = { key: notReady, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }
  t.deepEqual(await tolerationsOf('b', [own]), [own, added(unreachable)])
  t.deepEqual(await tolerationsOf('c', [{ operator: 'Exists' }]), [{ operator: 'Exists' }])
})

test('a new node takes no Pods until it is ready', async t => {
  const world = await startWorld(t)
  await world.make(t, `${CORE}/nodes`, { metadata: { name: 'n' } })
  t.deepEqual((await world.server.fetch(`${CORE}/nodes/n`)).json.spec.taints, [
    { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
  ])
})

test('plugins can be left out, by names that are known', async t => {
  const options = (disableAdmissionPlugins: string) => ({ options: { disableAdmissionPlugins } })
  const world = await startWorld(t, options('ServiceAccount, TaintNodesByCondition'))
  await world.make(t, `${CORE}/nodes`, { metadata: { name: 'n' } })
  t.is((await world.server.fetch(`${CORE}/nodes/n`)).json.spec.taints, undefined)
  for (const name of ['Nope', 'RBACEscalation'])
    await t.throwsAsync(startWorld(t, options(name)), { message: new RegExp(`"${name}" is none of`) })
})

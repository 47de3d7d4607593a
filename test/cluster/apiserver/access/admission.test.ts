/** What the cluster adds to what is created, and what it refuses. */
import test from 'ava'
import { clockWith, NEVER } from '../../../support/clock-with.ts'
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

/** Milliseconds that a Pod waits for its account. */
const WAIT = 1_000

test('a Pod waits for the account of a namespace that was just made, and is refused without one', async t => {
  const delays = { [WAIT]: NEVER }
  const world = await startWorld(t, { ...ACCOUNTS, clock: clockWith(delays) })
  const waiting = world.server.fetch(`${D}/pods`, { method: 'POST', body: pod('early') })
  await account(world, t, 'default')
  t.is((await waiting).code, 201)
  delays[WAIT] = 1
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

test('a Pod takes zone and region from its node, when it is bound or made there', async t => {
  const world = await startWorld(t)
  const [zone, region] = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']
  const labels = { [zone]: 'z1', [region]: 'r1', 'topology.kubernetes.io/rack': 'k1', other: 'x' }
  await world.make(t, `${CORE}/nodes`, { metadata: { name: 'far', labels } })
  await world.make(t, `${CORE}/nodes`, { metadata: { name: 'bare' } })
  const PODS = `${CORE}/namespaces/default/pods`
  const labelsOf = async (name: string) => (await world.server.fetch(`${PODS}/${name}`)).json.metadata.labels
  const place = async (name: string, target: string, metadata: object = {}) => {
    await world.make(t, PODS, { metadata: { name, labels: { app: name, [zone]: 'mine' } }, spec: pod(name).spec })
    const body = { metadata: { name, ...metadata }, target: { kind: 'Node', name: target } }
    const bound = await world.server.fetch(`${PODS}/${name}/binding`, { method: 'POST', body })
    t.is(bound.code, 201, bound.text)
    return labelsOf(name)
  }
  t.deepEqual(await place('bound', 'far'), { app: 'bound', [zone]: 'z1', [region]: 'r1' })
  t.deepEqual(await place('said', 'far', { labels: { [region]: 'r9', more: 'y' } }), {
    app: 'said',
    more: 'y',
    [zone]: 'z1',
    [region]: 'r1',
  })
  t.deepEqual(await place('lone', 'bare'), { app: 'lone', [zone]: 'mine' })
  t.deepEqual(await place('lost', 'nowhere'), { app: 'lost', [zone]: 'mine' })
  const make = (name: string, spec: object) =>
    world.make(t, PODS, { metadata: { name, labels: { [zone]: 'mine' } }, spec: { ...pod(name).spec, ...spec } })
  await make('made', { nodeName: 'far' })
  await make('free', {})
  t.deepEqual(await labelsOf('made'), { [zone]: 'z1', [region]: 'r1' })
  t.deepEqual(await labelsOf('free'), { [zone]: 'mine' })
  const patch = await world.server.fetch(`${PODS}/made`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { metadata: { labels: { [zone]: 'moved' } } },
  })
  t.is(patch.json.metadata.labels[zone], 'moved', "later it is the owner's")
})

test('plugins can be left out, by names that are known', async t => {
  const options = (disableAdmissionPlugins: string) => ({ options: { disableAdmissionPlugins } })
  const world = await startWorld(t, options('ServiceAccount, TaintNodesByCondition'))
  await world.make(t, `${CORE}/nodes`, { metadata: { name: 'n' } })
  t.is((await world.server.fetch(`${CORE}/nodes/n`)).json.spec.taints, undefined)
  for (const name of ['Nope', 'RBACEscalation', 'PolicyParams', 'NamespaceLifecycle'])
    await t.throwsAsync(startWorld(t, options(name)), { message: new RegExp(`"${name}" is none of`) })
  const enabled = (names: string, disableAdmissionPlugins = 'ServiceAccount') =>
    startWorld(t, { options: { enableAdmissionPlugins: names, disableAdmissionPlugins } })
  await t.notThrowsAsync(enabled('NamespaceLifecycle,NodeRestriction,ResourceQuota'))
  await t.throwsAsync(enabled('Nope'), { message: /enable-admission-plugins: "Nope" is none of/ })
  await t.throwsAsync(enabled('Priority', 'Priority'), { message: /"Priority" is in --enable/ })
})

const HARDENED = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'c',
      image: 'i',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
}

const levels = async (t: Parameters<World['make']>[0]) => {
  const world = await startWorld(t)
  for (const level of ['privileged', 'baseline', 'restricted']) {
    const labels = { 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/warn': 'restricted' }
    await world.make(t, `${CORE}/namespaces`, { metadata: { name: level, labels } })
  }
  return (level: string, spec: object = {}, metadata: object = {}) =>
    world.server.fetch(`${CORE}/namespaces/${level}/pods?dryRun=All`, {
      method: 'POST',
      body: { metadata: { name: 'p', ...metadata }, spec: { ...pod('p').spec, ...spec } },
    })
}

test('Pods keep to the level of their namespace, told in the words of Kubernetes', async t => {
  const create = await levels(t)
  const refused = await create('restricted')
  t.is(refused.code, 403)
  t.is(
    refused.json.message,
    'pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  )
  t.is((await create('restricted', HARDENED)).code, 201)
  const warned = await create('baseline')
  t.is(warned.code, 201)
  t.regex(String(warned.headers.warning), /would violate PodSecurity \\"restricted:latest\\"/)
  t.is((await create('baseline', HARDENED)).headers.warning, undefined)
})

const container = (securityContext: object, more: object = {}) => ({
  containers: [{ name: 'c', image: 'i', securityContext, ...more }],
})

/** What baseline refuses, and privileged lets through. */
const FORBIDDEN: readonly (readonly [spec: object, reason: RegExp])[] = [
  [{ hostNetwork: true, hostPID: true }, /host namespaces \(hostNetwork=true, hostPID=true\)/],
  [container({ privileged: true }), /privileged \(container "c" must not set securityContext\.privileged=true\)/],
  [
    container({ capabilities: { add: ['SYS_ADMIN', 'CHOWN'] } }),
    /non-default capabilities \(container "c" must not include "SYS_ADMIN" in securityContext\.capabilities\.add\)/,
  ],
  [{ volumes: [{ name: 'h', hostPath: { path: '/' } }] }, /hostPath volumes \(volume "h"\)/],
  [container({}, { ports: [{ containerPort: 80, hostPort: 80 }] }), /hostPort \(container "c" uses hostPort 80\)/],
  [
    container({}, { livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } }),
    /probe or lifecycle host \(container "c" uses probe or lifecycle host "10\.0\.0\.1"\)/,
  ],
  [
    { securityContext: { seLinuxOptions: { type: 'spc_t' } } },
    /seLinuxOptions \(pod set forbidden securityContext\.seLinuxOptions: type "spc_t"\)/,
  ],
  [
    { securityContext: { seccompProfile: { type: 'Unconfined' } } },
    /seccompProfile \(pod must not set securityContext\.seccompProfile\.type to "Unconfined"\)/,
  ],
  [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, /forbidden sysctls \(kernel\.msgmax\)/],
  [
    { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
    /forbidden AppArmor profile \(pod must not set AppArmor profile type to "Unconfined"\)/,
  ],
]

test('baseline refuses what reaches the node', async t => {
  const create = await levels(t)
  for (const [spec, reason] of FORBIDDEN) {
    const { code, json } = await create('baseline', spec)
    t.is(code, 403, JSON.stringify(spec))
    t.regex(json.message, reason)
    const free = await create('privileged', spec)
    t.is(free.code, 201, free.text)
  }
})

test('a namespace names no level that there is not', async t => {
  const world = await startWorld(t)
  const labels = { 'pod-security.kubernetes.io/enforce': 'strict', 'pod-security.kubernetes.io/warn-version': '1' }
  const { code, json } = await world.server.fetch(`${CORE}/namespaces`, {
    method: 'POST',
    body: { metadata: { name: 'x', labels } },
  })
  t.is(code, 422)
  t.regex(json.message, /Invalid value: "strict": must be one of privileged, baseline, restricted/)
  t.regex(json.message, /warn-version\]: Invalid value: "1": must be "latest" or "v1\.x"/)
})

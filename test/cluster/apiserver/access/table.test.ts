/** Who may do what: a table of subjects and requests, each sent over HTTPS. */
import test from 'ava'
import { pod, startGatheredWorld, type World } from './world.ts'

const CORE = '/api/v1'
const A = `${CORE}/namespaces/a`
const B = `${CORE}/namespaces/b`
const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const AUTHZ = '/apis/authorization.k8s.io/v1'
const STORAGE = '/apis/storage.k8s.io/v1'
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'

type Verdict = 'yes' | 'no'
type Row = readonly [request: string, verdict: Verdict]

const node = (name: string) => ({ as: `system:node:${name}`, groups: ['system:nodes'] })

/** Subject → requests. A request's body stands below, by its path. */
const TABLE: readonly { readonly as: string; readonly groups?: readonly string[]; readonly rows: readonly Row[] }[] = [
  {
    as: 'nobody',
    rows: [
      ['GET /api', 'yes'],
      ['GET /apis/discovery.k8s.io', 'yes'],
      ['GET /openapi/v3', 'yes'],
      ['GET /version', 'yes'],
      ['GET /readyz', 'yes'],
      ['GET /readyz/ping', 'no'],
      ['GET /metrics', 'no'],
      ['GET /', 'no'],
      [`GET ${CORE}/namespaces`, 'no'],
      [`GET ${A}/pods`, 'no'],
      [`GET ${CORE}/nodes`, 'no'],
      [`GET ${CORE}/unknownthings`, 'no'],
      ['GET /apis/example.com/v1/things', 'no'],
      [`POST ${AUTHZ}/selfsubjectaccessreviews`, 'yes'],
      [`POST ${AUTHZ}/selfsubjectrulesreviews`, 'yes'],
      ['POST /apis/authentication.k8s.io/v1/selfsubjectreviews', 'yes'],
      [`POST ${AUTHZ}/subjectaccessreviews`, 'no'],
      ['POST /apis/authentication.k8s.io/v1/tokenreviews', 'no'],
      ['GET /openid/v1/jwks', 'no'],
    ],
  },
  {
    as: 'bob',
    rows: [
      [`GET ${A}/pods`, 'yes'],
      [`GET ${A}/pods/p1`, 'yes'],
      [`GET ${A}/pods?watch=1&timeoutSeconds=1`, 'no'],
      [`GET ${B}/pods`, 'no'],
      [`GET ${CORE}/pods`, 'no'],
      [`GET ${A}/pods/p1/status`, 'no'],
      [`GET ${A}/pods/p1/log`, 'yes'],
      [`DELETE ${A}/pods/p1`, 'no'],
      [`DELETE ${A}/pods`, 'no'],
      [`GET ${A}/configmaps/one`, 'yes'],
      [`GET ${A}/configmaps/two`, 'no'],
      [`GET ${A}/configmaps`, 'no'],
      [`GET ${A}/configmaps?fieldSelector=metadata.name%3Done`, 'yes'],
      [`GET ${A}/configmaps?fieldSelector=metadata.name!%3Done`, 'no'],
      [`GET ${A}/configmaps?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Done`, 'no'],
      [`PUT ${A}/configmaps/one`, 'yes'],
      [`POST ${A}/configmaps`, 'no'],
      [`GET ${CORE}/namespaces/a`, 'yes'],
      [`GET ${CORE}/namespaces/b`, 'no'],
    ],
  },
  {
    as: 'carol',
    rows: [
      [`POST ${A}/pods`, 'yes'],
      [`GET ${A}/secrets`, 'yes'],
      [`POST ${A}/secrets`, 'yes'],
      [`POST ${A}/serviceaccounts/robot/token`, 'yes'],
      [`POST ${B}/pods`, 'no'],
      [`GET ${RBAC}/namespaces/a/roles`, 'no'],
      [`POST ${RBAC}/namespaces/a/roles`, 'no'],
      [`PATCH ${A}/pods/p1/status`, 'no'],
      [`GET ${CORE}/nodes`, 'no'],
    ],
  },
  {
    as: 'dave',
    rows: [
      [`GET ${A}/pods`, 'yes'],
      [`GET ${CORE}/pods`, 'yes'],
      [`GET ${B}/configmaps`, 'yes'],
      [`GET ${CORE}/namespaces`, 'yes'],
      [`GET ${A}/secrets`, 'no'],
      [`GET ${CORE}/secrets`, 'no'],
      [`POST ${A}/pods`, 'no'],
      [`DELETE ${A}/services/s`, 'no'],
      [`GET ${CORE}/nodes`, 'no'],
      [`GET ${RBAC}/clusterroles`, 'no'],
    ],
  },
  {
    as: 'erin',
    rows: [
      [`GET ${RBAC}/namespaces/a/rolebindings`, 'yes'],
      [`POST ${RBAC}/namespaces/a/roles`, 'yes'],
      [`POST ${AUTHZ}/namespaces/a/localsubjectaccessreviews`, 'yes'],
      [`POST ${AUTHZ}/namespaces/b/localsubjectaccessreviews`, 'no'],
      [`GET ${RBAC}/namespaces/b/rolebindings`, 'no'],
      [`DELETE ${CORE}/namespaces/a`, 'no'],
    ],
  },
  {
    as: 'olga',
    groups: ['ops'],
    rows: [
      [`GET ${CORE}/nodes`, 'yes'],
      [`PATCH ${CORE}/nodes/n1/status`, 'yes'],
      [`PATCH ${CORE}/nodes/n1`, 'no'],
      ['GET /metrics', 'yes'],
      ['GET /readyz/ping', 'yes'],
      ['GET /livez/ping', 'no'],
      ['POST /metrics', 'no'],
      [`GET ${A}/pods`, 'no'],
    ],
  },
  {
    as: 'system:serviceaccount:a:robot',
    rows: [
      [`GET ${A}/services`, 'yes'],
      [`GET ${B}/services`, 'no'],
      ['GET /openid/v1/jwks', 'yes'],
      ['GET /.well-known/openid-configuration', 'yes'],
      [`GET ${A}/secrets`, 'no'],
    ],
  },
  { as: 'system:serviceaccount:b:robot', rows: [[`GET ${A}/services`, 'no']] },
  {
    as: 'system:serviceaccount:kube-system:coredns',
    rows: [
      [`GET ${CORE}/services`, 'yes'],
      ['GET /apis/discovery.k8s.io/v1/endpointslices', 'yes'],
      [`GET ${CORE}/secrets`, 'no'],
      [`GET ${A}/pods/p1`, 'no'],
    ],
  },
  {
    as: 'system:kube-controller-manager',
    rows: [
      [`GET ${CORE}/pods`, 'yes'],
      [`GET ${RBAC}/clusterroles?watch=1&timeoutSeconds=1`, 'yes'],
      [`POST ${A}/serviceaccounts/robot/token`, 'yes'],
      [`GET ${A}/secrets/s1`, 'yes'],
      [`DELETE ${A}/pods/p1`, 'no'],
      [`POST ${RBAC}/clusterroles`, 'no'],
    ],
  },
  {
    as: 'system:kube-scheduler',
    rows: [
      [`GET ${CORE}/nodes`, 'yes'],
      [`PATCH ${A}/pods/p1/status`, 'yes'],
      [`GET ${CORE}/secrets`, 'no'],
      [`PATCH ${CORE}/nodes/n1`, 'no'],
    ],
  },
  {
    ...node('n1'),
    rows: [
      [`GET ${CORE}/nodes/n1`, 'yes'],
      [`GET ${CORE}/nodes/n2`, 'no'],
      [`GET ${CORE}/nodes`, 'no'],
      [`GET ${CORE}/nodes?fieldSelector=metadata.name%3Dn1`, 'yes'],
      [`PATCH ${CORE}/nodes/n1/status`, 'yes'],
      [`PATCH ${CORE}/nodes/n2/status`, 'no'],
      [`GET ${CORE}/pods?fieldSelector=spec.nodeName%3Dn1`, 'yes'],
      [`GET ${CORE}/pods?fieldSelector=spec.nodeName%3Dn2`, 'no'],
      [`GET ${CORE}/pods`, 'no'],
      [`GET ${A}/pods/p1`, 'yes'],
      [`GET ${A}/pods/p2`, 'no'],
      [`PATCH ${A}/pods/p1/status`, 'yes'],
      [`PATCH ${A}/pods/p2/status`, 'no'],
      [`PATCH ${A}/pods/p1`, 'no'],
      [`GET ${A}/secrets/s1`, 'yes'],
      [`GET ${A}/secrets/s2`, 'no'],
      [`GET ${A}/secrets/mount`, 'yes'],
      [`GET ${A}/secrets/stage`, 'no'],
      [`GET ${A}/secrets/control`, 'no'],
      [`PUT ${A}/secrets/mount`, 'no'],
      [`GET ${A}/secrets`, 'no'],
      [`GET ${A}/persistentvolumeclaims/c1`, 'yes'],
      [`GET ${A}/persistentvolumeclaims/c2`, 'no'],
      [`GET ${CORE}/persistentvolumes/v1`, 'yes'],
      [`GET ${CORE}/persistentvolumes/v2`, 'no'],
      [`GET ${CORE}/persistentvolumes/free`, 'no'],
      [`GET ${CORE}/persistentvolumes/none`, 'no'],
      [`GET ${CORE}/persistentvolumes`, 'no'],
      [`GET ${STORAGE}/volumeattachments/a1`, 'yes'],
      [`GET ${STORAGE}/volumeattachments/a2`, 'no'],
      [`GET ${STORAGE}/volumeattachments`, 'no'],
      [`PATCH ${STORAGE}/volumeattachments/a1`, 'no'],
      [`GET ${A}/configmaps/one`, 'yes'],
      [`GET ${A}/configmaps/two`, 'no'],
      [`PUT ${LEASES}/n1`, 'yes'],
      [`GET ${LEASES}/n2`, 'no'],
      [`GET ${CORE}/services`, 'yes'],
      [`POST ${CORE}/services`, 'no'],
      [`GET ${RBAC}/clusterroles`, 'no'],
    ],
  },
  { as: 'system:node:n1', rows: [[`GET ${CORE}/nodes/n1`, 'no']] },
  {
    as: 'root',
    groups: ['system:masters'],
    rows: [
      [`GET ${CORE}/secrets`, 'yes'],
      ['GET /metrics', 'yes'],
      [`POST ${RBAC}/clusterroles`, 'yes'],
    ],
  },
]

/** What is sent, by the last parts of the path; a patch that changes nothing where nothing stands here. */
const BODIES: readonly (readonly [RegExp, Record<string, unknown>])[] = [
  [/selfsubjectaccessreviews$/, { spec: { nonResourceAttributes: { path: '/x', verb: 'get' } } }],
  [/selfsubjectrulesreviews$/, { spec: { namespace: 'a' } }],
  [/selfsubjectreviews$/, {}],
  [
    /\/localsubjectaccessreviews$/,
    { metadata: { namespace: 'a' }, spec: { user: 'x', resourceAttributes: { namespace: 'a' } } },
  ],
  [/\/subjectaccessreviews$/, { spec: { user: 'x', resourceAttributes: {} } }],
  [/tokenreviews$/, { spec: { token: 'x' } }],
  [/\/token$/, { spec: { audiences: [] } }],
  [/\/pods$/, pod('made')],
  [/\/secrets$/, { metadata: { name: 'made' } }],
  [/\/configmaps/, { metadata: { name: 'one' } }],
  [/\/leases/, { metadata: { name: 'n1' } }],
  [/\/roles$/, { metadata: { name: 'made' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }],
  [/\/clusterroles$/, { metadata: { name: 'made' }, rules: [] }],
]

/** p1 mounts v1 by its claim; v2 has a claim that no Pod names, and the third has none. */
const populateVolumes = async (t: Parameters<World['make']>[0], world: World): Promise<void> => {
  const shape = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } }
  const volume = (name: string, claim: string | undefined, secret: string) => ({
    metadata: { name },
    spec: {
      ...shape,
      csi: {
        driver: 'd',
        volumeHandle: name,
        nodePublishSecretRef: { name: secret, namespace: 'a' },
        controllerPublishSecretRef: { name: 'control', namespace: 'a' },
        controllerExpandSecretRef: { name: 'control', namespace: 'a' },
      },
      ...(claim ? { claimRef: { namespace: 'a', name: claim } } : {}),
    },
  })
  await world.make(t, `${CORE}/persistentvolumes`, volume('v1', 'c1', 'mount'))
  await world.make(t, `${CORE}/persistentvolumes`, volume('v2', 'c2', 'stage'))
  await world.make(t, `${CORE}/persistentvolumes`, volume('free', undefined, 'stage'))
  for (const name of ['c1', 'c2']) {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
    await world.make(t, `${A}/persistentvolumeclaims`, { metadata: { name }, spec })
  }
  for (const name of ['mount', 'stage', 'control']) await world.make(t, `${A}/secrets`, { metadata: { name } })
  for (const [name, nodeName] of [
    ['a1', 'n1'],
    ['a2', 'n2'],
  ]) {
    const spec = { attacher: 'd', nodeName, source: { persistentVolumeName: name } }
    await world.make(t, `${STORAGE}/volumeattachments`, { metadata: { name }, spec })
  }
}

const populate = async (t: Parameters<World['make']>[0], world: World): Promise<void> => {
  for (const name of ['a', 'b']) await world.make(t, `${CORE}/namespaces`, { metadata: { name } })
  for (const name of ['n1', 'n2']) await world.make(t, `${CORE}/nodes`, { metadata: { name } })
  await world.make(t, `${A}/serviceaccounts`, { metadata: { name: 'robot' } })
  for (const name of ['one', 'two']) await world.make(t, `${A}/configmaps`, { metadata: { name } })
  for (const name of ['s1', 's2']) await world.make(t, `${A}/secrets`, { metadata: { name } })
  const volumes = [
    { name: 'v', secret: { secretName: 's1' } },
    { name: 'w', projected: { sources: [{ configMap: { name: 'one' } }] } },
    { name: 'd', persistentVolumeClaim: { claimName: 'c1' } },
  ]
  await populateVolumes(t, world)
  await world.make(t, `${A}/pods`, pod('p1', 'n1', { volumes }))
  await world.make(t, `${A}/pods`, pod('p2', 'n2', { volumes: [{ name: 'v', secret: { secretName: 's2' } }] }))
  await world.role(t, 'a', 'reader', [
    { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'namespaces'] },
    { verbs: ['get'], apiGroups: [''], resources: ['*/log'] },
    { verbs: ['get', 'list', 'update'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['one'] },
  ])
  await world.bind(t, 'a', 'Role/reader', 'user:bob')
  await world.bind(t, 'a', 'ClusterRole/edit', 'user:carol')
  await world.bind(t, undefined, 'ClusterRole/view', 'user:dave')
  await world.bind(t, 'a', 'ClusterRole/admin', 'user:erin')
  await world.role(t, 'a', 'services', [{ verbs: ['*'], apiGroups: [''], resources: ['services'] }])
  await world.bind(t, 'a', 'Role/services', 'sa:a/robot')
}

const bodyOf = (method: string, path: string): Record<string, unknown> | undefined => {
  if (method === 'PATCH') return {}
  if (method !== 'POST' && method !== 'PUT') return undefined
  return BODIES.find(([pattern]) => pattern.test(path))?.[1] ?? {}
}

/** Writes nothing: every row asks of the same cluster. */
const ask = ({ server }: World, request: string, user: { as: string; groups?: readonly string[] }) => {
  const [method = '', target = ''] = request.split(' ')
  const [path = '', query = ''] = target.split('?')
  const body = bodyOf(method, path)
  const dry = method === 'GET' ? query : `${query}&dryRun=All`
  const headers = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {}
  return server.fetch(`${path}?${dry}`, { ...user, method, headers, ...(body ? { body } : {}) })
}

test('each subject may do what was granted to it, and nothing else', async t => {
  const world = await startGatheredWorld(t)
  await populate(t, world)
  await world.role(t, undefined, 'node-status', [
    { verbs: ['list'], apiGroups: [''], resources: ['nodes'] },
    { verbs: ['patch'], apiGroups: [''], resources: ['nodes/status'] },
    { verbs: ['get'], nonResourceURLs: ['/metrics', '/readyz/*'] },
  ])
  await world.bind(t, undefined, 'ClusterRole/node-status', 'group:ops')
  let checked = 0
  for (const { as, groups = [], rows } of TABLE) {
    for (const [request, verdict] of rows) {
      const { code, text } = await ask(world, request, { as, groups })
      t.is(code === 403 ? 'no' : 'yes', verdict, `${as}: ${request}: ${code} ${text.slice(0, 300)}`)
      t.true(code !== 401 && (code < 500 || code === 501), text)
      checked++
    }
  }
  t.true(checked >= 100, `${checked} pairs`)
})

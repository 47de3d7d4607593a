/** Attempts to get more than was granted: all refused, in Kubernetes's words where it has some. */
import test from 'ava'
import { pod, startWorld, type World } from './world.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const CORE = '/api/v1'
const A = `${CORE}/namespaces/a`
const ROLE_REF = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }
const EVERYTHING = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }
const GET_PODS = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
const MERGE = { 'content-type': 'application/merge-patch+json' }
const JSON_PATCH = { 'content-type': 'application/json-patch+json' }
const APPLY = { 'content-type': 'application/apply-patch+yaml' }

type Context = Parameters<World['make']>[0]

/** Mallory may write roles and bindings in `a` and everywhere, and has `get pods`. */
const start = async (t: Context): Promise<World> => {
  const world = await startWorld(t)
  await world.make(t, `${CORE}/namespaces`, { metadata: { name: 'a' } })
  await world.role(t, undefined, 'role-writer', [
    {
      verbs: ['create', 'update', 'patch', 'get'],
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
    },
    GET_PODS,
  ])
  await world.bind(t, undefined, 'ClusterRole/role-writer', 'user:mallory')
  return world
}

const role = (rule: unknown, name = 'r') => ({ metadata: { name }, rules: [rule] })
const binding = (roleRef: unknown = ROLE_REF, name = 'b') => ({
  metadata: { name },
  roleRef,
  subjects: [{ kind: 'User', name: 'mallory' }],
})

test('nobody writes a role with rules that they do not have', async t => {
  const { server } = await start(t)
  const as = 'mallory'
  const roles = `${RBAC}/namespaces/a/roles`
  const refused = await server.fetch(roles, {
    method: 'POST',
    as,
    body: role({ verbs: ['get', 'list'], apiGroups: [''], resources: ['secrets'] }),
  })
  t.is(refused.code, 403)
  t.is(
    refused.json.message,
    'roles.rbac.authorization.k8s.io "r" is forbidden: user "mallory" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
  )
  const allowed = await server.fetch(roles, { method: 'POST', as, body: role(GET_PODS) })
  t.is(allowed.code, 201, allowed.text)
  const attempts = [
    ['PUT', '/r', undefined, role(EVERYTHING)],
    ['PUT', '/new', undefined, role(EVERYTHING, 'new')],
    ['PATCH', '/r', MERGE, { rules: [EVERYTHING] }],
    ['PATCH', '/r', JSON_PATCH, [{ op: 'add', path: '/rules/0/resources/-', value: 'secrets' }]],
    ['PATCH', '/r', JSON_PATCH, [{ op: 'replace', path: '/rules/0/verbs', value: ['*'] }]],
    [
      'PATCH',
      '/r?fieldManager=m&force=true',
      APPLY,
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', ...role(EVERYTHING) },
    ],
    [
      'PATCH',
      '/s?fieldManager=m',
      APPLY,
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', ...role(EVERYTHING, 's') },
    ],
    ['POST', '', undefined, role({ ...GET_PODS, resources: ['pods/exec'] }, 'x')],
    ['POST', '', undefined, role({ ...GET_PODS, verbs: ['*'] }, 'x')],
    ['POST', '', undefined, role({ ...GET_PODS, resources: ['*'] }, 'x')],
    ['POST', '', undefined, role({ ...GET_PODS, apiGroups: ['*'] }, 'x')],
  ] as const
  for (const [method, path, headers = {}, body] of attempts) {
    const { code, text } = await server.fetch(roles + path, { method, as, headers, body })
    t.is(code, 403, `${method} ${path}: ${text}`)
  }
  t.deepEqual((await server.fetch(`${roles}/r`)).json.rules, [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }])
  t.is((await server.fetch(roles)).json.items.length, 1)
})

test('nobody gathers rules by label, or asks for paths, that they do not have', async t => {
  const { server } = await start(t)
  const as = 'mallory'
  const clusterRoles = `${RBAC}/clusterroles`
  const aggregationRule = {
    clusterRoleSelectors: [{ matchLabels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }],
  }
  const gathered = await server.fetch(clusterRoles, {
    method: 'POST',
    as,
    body: { metadata: { name: 'g' }, aggregationRule },
  })
  t.is(gathered.code, 403)
  t.regex(gathered.json.message, /must have cluster-admin privileges to use the aggregationRule$/)
  const paths = { verbs: ['get'], nonResourceURLs: ['/metrics'] }
  t.is((await server.fetch(clusterRoles, { method: 'POST', as, body: role(paths, 'p') })).code, 403)
  // The admin role gathers: whoever can name what it gathers gives it to every admin.
  const labelled = {
    metadata: { name: 'l', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
    rules: [EVERYTHING],
  }
  t.is((await server.fetch(clusterRoles, { method: 'POST', as, body: labelled })).code, 403)
  t.is(
    (await server.fetch(`${clusterRoles}/view`, { method: 'PATCH', as, headers: MERGE, body: { aggregationRule } }))
      .code,
    403,
  )
})

test('nobody binds a role that they do not have; what a binding grants never changes', async t => {
  const world = await start(t)
  const { server } = world
  const as = 'mallory'
  const here = `${RBAC}/namespaces/a/rolebindings`
  for (const path of [here, `${RBAC}/clusterrolebindings`]) {
    const { code, json } = await server.fetch(path, { method: 'POST', as, body: binding() })
    t.is(code, 403)
    t.regex(
      json.message,
      /attempting to grant RBAC permissions not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\]/,
    )
  }
  const absent = await server.fetch(here, { method: 'POST', as, body: binding({ ...ROLE_REF, name: 'nothing' }) })
  t.is(absent.code, 404)
  await world.role(t, 'a', 'small', [GET_PODS])
  const small = { ...ROLE_REF, kind: 'Role', name: 'small' }
  t.is((await server.fetch(here, { method: 'POST', as, body: binding(small) })).code, 201)
  const changed = await server.fetch(`${here}/b`, { method: 'PUT', body: binding() })
  t.is(changed.code, 422)
  t.regex(changed.json.message, /roleRef: Invalid value: .*: cannot change roleRef/)
  for (const body of [{ roleRef: ROLE_REF }, { roleRef: { name: 'cluster-admin', kind: 'ClusterRole' } }])
    t.true([403, 422].includes((await server.fetch(`${here}/b`, { method: 'PATCH', as, headers: MERGE, body })).code))
  t.is((await server.fetch(`${here}/b`)).json.roleRef.name, 'small')
})

test('the verbs bind and escalate let through, for what they name', async t => {
  const world = await start(t)
  const { server } = world
  await world.role(t, undefined, 'binder', [
    { verbs: ['bind'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], resourceNames: ['view'] },
  ])
  await world.role(t, undefined, 'escalator', [
    { verbs: ['escalate'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'] },
  ])
  await world.bind(t, 'a', 'ClusterRole/binder', 'user:mallory')
  await world.bind(t, 'a', 'ClusterRole/escalator', 'user:mallory')
  const as = 'mallory'
  const here = `${RBAC}/namespaces/a/rolebindings`
  t.is((await server.fetch(here, { method: 'POST', as, body: binding({ ...ROLE_REF, name: 'view' }, 'v') })).code, 201)
  t.is(
    (await server.fetch(here, { method: 'POST', as, body: binding({ ...ROLE_REF, name: 'edit' }, 'e') })).code,
    201,
    'edit has no rules yet',
  )
  t.is((await server.fetch(here, { method: 'POST', as, body: binding(ROLE_REF, 'c') })).code, 403)
  t.is((await server.fetch(`${RBAC}/clusterrolebindings`, { method: 'POST', as, body: binding() })).code, 403)
  t.is((await server.fetch(`${RBAC}/namespaces/a/roles`, { method: 'POST', as, body: role(EVERYTHING) })).code, 201)
  t.is((await server.fetch(`${RBAC}/clusterroles`, { method: 'POST', as, body: role(EVERYTHING) })).code, 403)
})

test('nobody acts as another without the right to', async t => {
  const world = await start(t)
  const { server } = world
  await world.role(t, undefined, 'as-bob', [
    { verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['bob'] },
    { verbs: ['impersonate'], apiGroups: [''], resources: ['groups'], resourceNames: ['dev', 'with, comma'] },
    {
      verbs: ['impersonate'],
      apiGroups: ['authentication.k8s.io'],
      resources: ['userextras/scope'],
      resourceNames: ['x'],
    },
  ])
  const account = await world.make(t, `${A}/serviceaccounts`, { metadata: { name: 'agent' } })
  t.truthy(account)
  await world.bind(t, undefined, 'ClusterRole/as-bob', 'sa:a/agent')
  const { json } = await server.fetch(`${A}/serviceaccounts/agent/token`, {
    method: 'POST',
    body: { spec: { audiences: [] } },
  })
  const { token } = json.status
  const who = (init: object) =>
    server.fetch('/apis/authentication.k8s.io/v1/selfsubjectreviews', { method: 'POST', body: {}, token, ...init })
  const bob = await who({ as: 'bob', groups: ['dev', 'with, comma'], headers: { 'impersonate-extra-scope': 'x' } })
  t.deepEqual(bob.json.status.userInfo, {
    username: 'bob',
    groups: ['dev', 'with, comma', 'system:authenticated'],
    extra: { scope: ['x'] },
  })
  const refused: readonly object[] = [
    { as: 'alice' },
    { as: 'bob', groups: ['system:masters'] },
    { as: 'bob', groups: ['dev', 'system:masters'] },
    { as: 'bob', headers: { 'impersonate-extra-scope': 'y' } },
    { as: 'bob', headers: { 'impersonate-extra-other': 'x' } },
    { as: 'bob', headers: { 'impersonate-uid': '1' } },
    { as: 'system:node:n1' },
    { as: 'system:serviceaccount:kube-system:namespace-controller' },
    { as: 'system:anonymous' },
  ]
  for (const init of refused) t.is((await who(init)).code, 403, JSON.stringify(init))
  const alice = await who({ as: 'alice' })
  t.is(
    alice.json.message,
    'users "alice" is forbidden: User "system:serviceaccount:a:agent" cannot impersonate resource "users" in API group "" at the cluster scope',
  )
  t.is((await who({ groups: ['dev'] })).code, 500, 'groups of nobody')
  t.is((await server.fetch('/readyz', { anonymous: true, as: 'kubernetes-admin' })).code, 403)
})

test('a kubelet changes nothing of other nodes, and steers no Pods to its own', async t => {
  const world = await start(t)
  const { server } = world
  for (const name of ['n1', 'n2']) await world.make(t, `${CORE}/nodes`, { metadata: { name } })
  const { uid } = (await server.fetch(`${CORE}/nodes/n1`)).json.metadata
  await world.make(t, `${A}/serviceaccounts`, { metadata: { name: 'robot' } })
  await world.make(t, `${A}/secrets`, { metadata: { name: 's' } })
  const volumes = [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }]
  const spec = { serviceAccountName: 'robot', volumes }
  await world.make(t, `${A}/pods`, pod('mine', 'n1', spec))
  await world.make(t, `${A}/pods`, pod('other', 'n2', spec))
  const uids = async (name: string) => (await server.fetch(`${A}/pods/${name}`)).json.metadata.uid
  const [mine, other] = [await uids('mine'), await uids('other')]
  const kubelet = { as: 'system:node:n1', groups: ['system:nodes'] }
  const token = (ref?: object, audiences: string[] = []) => ({
    spec: { audiences, ...(ref ? { boundObjectRef: ref } : {}) },
  })
  const toPod = (name: string, id: string) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: id })
  const mirror = (changes: object = {}, body: object = {}) => ({
    metadata: {
      name: 'mirror',
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid, controller: true }],
      ...changes,
    },
    spec: { ...pod('x', 'n1').spec, ...body },
  })
  const robot = `${A}/serviceaccounts/robot/token`
  const attempts: readonly (readonly [string, string, unknown, number?])[] = [
    ['POST', robot, token(toPod('mine', mine)), 201],
    ['POST', robot, token()],
    ['POST', robot, token(toPod('other', other))],
    ['POST', robot, token({ apiVersion: 'v1', kind: 'Pod', name: 'mine' })],
    ['POST', robot, token(toPod('mine', other))],
    ['POST', robot, token(toPod('mine', mine), ['vault'])],
    ['POST', robot, token({ apiVersion: 'v1', kind: 'Node', name: 'n1', uid })],
    ['POST', `${A}/serviceaccounts/default/token`, token(toPod('mine', mine))],
    ['PATCH', `${CORE}/nodes/n1`, { metadata: { labels: { 'node-restriction.kubernetes.io/secure': '1' } } }],
    ['PATCH', `${CORE}/nodes/n1`, { metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } } }],
    ['PATCH', `${CORE}/nodes/n1`, { metadata: { labels: { 'topology.kubernetes.io/zone': 'z', mine: '1' } } }, 200],
    ['PATCH', `${CORE}/nodes/n1`, { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }],
    [
      'PATCH',
      `${CORE}/nodes/n1`,
      { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] } },
    ],
    ['PATCH', `${CORE}/nodes/n2`, { metadata: { labels: { mine: '1' } } }],
    ['PATCH', `${CORE}/nodes/n2/status`, { status: { phase: 'Running' } }],
    ['POST', `${CORE}/nodes`, { metadata: { name: 'n3' } }],
    ['DELETE', `${CORE}/nodes/n1`, undefined],
    ['DELETE', `${A}/pods/other`, undefined],
    ['PATCH', `${A}/pods/other/status`, { status: { phase: 'Failed' } }],
    ['PATCH', `${A}/pods/mine/status`, { status: { phase: 'Running' } }, 200],
    ['POST', `${A}/pods`, pod('free', 'n1')],
    ['POST', `${A}/pods`, mirror({ name: 'm1' }, { nodeName: 'n2' })],
    ['POST', `${A}/pods`, mirror({ name: 'm2', ownerReferences: [] })],
    ['POST', `${A}/pods`, mirror({ name: 'm3' }, { volumes: [{ name: 'v', secret: { secretName: 's' } }] })],
    ['POST', `${A}/pods`, mirror({ name: 'm4' }, { serviceAccountName: 'robot' })],
    ['POST', `${A}/pods`, mirror(), 201],
    ['POST', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', { metadata: { name: 'n2' } }],
    ['GET', `${A}/secrets/s`, undefined],
  ]
  for (const [method, path, body, expected = 403] of attempts) {
    const headers = method === 'PATCH' ? MERGE : {}
    const { code, text } = await server.fetch(path, { ...kubelet, method, headers, ...(body ? { body } : {}) })
    t.is(code, expected, `${method} ${path} ${JSON.stringify(body)}: ${text}`)
  }
})

test('a patch of __proto__ gives nobody anything', async t => {
  const { server } = await start(t)
  const as = 'mallory'
  const roles = `${RBAC}/namespaces/a/roles`
  await server.fetch(roles, { method: 'POST', as, body: role(GET_PODS) })
  const polluted =
    '{"__proto__":{"rules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"]}],"groups":["system:masters"]}}'
  const attempts = [
    [MERGE, polluted],
    [{ 'content-type': 'application/strategic-merge-patch+json' }, polluted],
    [JSON_PATCH, '[{"op":"add","path":"/__proto__/groups","value":["system:masters"]}]'],
    [JSON_PATCH, '[{"op":"add","path":"/constructor/prototype/groups","value":["system:masters"]}]'],
    [MERGE, `{"metadata":{"labels":${polluted}}}`],
  ] as const
  for (const [headers, body] of attempts) await server.fetch(`${roles}/r`, { method: 'PATCH', as, headers, body })
  t.false('groups' in {})
  t.false('rules' in {})
  t.is((await server.fetch(`${CORE}/secrets`, { as })).code, 403)
  t.is((await server.fetch(`${CORE}/secrets`, { as: '__proto__' })).code, 403)
  t.deepEqual((await server.fetch(`${roles}/r`)).json.rules, [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }])
})

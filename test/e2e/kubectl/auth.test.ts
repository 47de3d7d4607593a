/** Who may do what, as people ask and set it: `kubectl auth`, `create role`, `create token`, `--as`. */
import test from 'ava'
import { kubectlCluster } from '../../support/kubectl-cluster.ts'

const cluster = kubectlCluster(test)

const RECONCILED = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reconciled, namespace: default }
rules:
  - { apiGroups: [""], resources: [pods], verbs: [get, list] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reconciled, namespace: default }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reconciled }
subjects:
  - { kind: User, name: ray }
`

test('whoami, and what one may', async t => {
  const who = await cluster.run(t, ['auth', 'whoami', '-o', 'json'])
  const { username, groups } = JSON.parse(who).status.userInfo
  t.deepEqual([username, groups], ['kubernetes-admin', ['system:masters', 'system:authenticated']])
  t.is(await cluster.run(t, ['auth', 'can-i', '*', '*', '--all-namespaces']), 'yes')
  const no = await cluster.attempt(['auth', 'can-i', 'get', 'pods', '--as', 'nobody'])
  t.deepEqual([no.code, no.stdout.trim()], [1, 'no'])
  t.is(await cluster.run(t, ['auth', 'can-i', 'get', '/version', '--as', 'nobody']), 'yes')
  const list = await cluster.run(t, ['auth', 'can-i', '--list', '--as', 'nobody'])
  t.regex(list, /^selfsubjectaccessreviews\.authorization\.k8s\.io +\[\] +\[\] +\[create\]$/m)
  t.regex(list, /^ +\[\/version\] +\[\] +\[get\]$/m)
})

test('roles and bindings are made by commands, shown, and count at once', async t => {
  const made = async (...args: string[]) => cluster.run(t, ['create', ...args])
  t.is(
    await made('role', 'reader', '--verb=get,list', '--resource=pods,services'),
    'role.rbac.authorization.k8s.io/reader created',
  )
  await made('rolebinding', 'read', '--role=reader', '--user=ann', '--group=dev', '--serviceaccount=default:bot')
  await made('clusterrole', 'prober', '--verb=get', '--non-resource-url=/metrics')
  await made('clusterrole', 'gather', '--aggregation-rule=team=a')
  await made('clusterrole', 'part', '--verb=get', '--resource=nodes')
  await cluster.run(t, ['label', 'clusterrole', 'part', 'team=a'])
  await made('clusterrolebinding', 'probe', '--clusterrole=prober', '--user=ann')
  t.is(await cluster.run(t, ['auth', 'can-i', 'list', 'services', '--as', 'ann']), 'yes')
  t.is(await cluster.run(t, ['auth', 'can-i', 'get', '/metrics', '--as', 'ann']), 'yes')
  t.is(await cluster.run(t, ['auth', 'can-i', 'get', 'pods', '--as', 'x', '--as-group', 'dev']), 'yes')
  t.is(await cluster.run(t, ['auth', 'can-i', 'get', 'pods', '--as', 'system:serviceaccount:default:bot']), 'yes')
  const wide = await cluster.run(t, ['get', 'rolebinding', 'read', '-o', 'wide', '--no-headers'])
  t.regex(wide, /^read +Role\/reader +\S+ +ann +dev +default\/bot$/)
  t.regex(await cluster.run(t, ['get', 'roles', '--no-headers']), /^reader +\d{4}-\d\d-\d\dT/m)
  t.regex(await cluster.run(t, ['describe', 'role', 'reader']), /^ +pods +\[\] +\[\] +\[get list\]$/m)
  await cluster.run(t, ['wait', 'clusterrole/gather', '--for=jsonpath={.rules[0].resources[0]}=nodes', '--timeout=60s'])
  const refused = await cluster.attempt(['get', 'secrets', '--as', 'ann'])
  t.is(
    refused.stderr.trim(),
    'Error from server (Forbidden): secrets is forbidden: User "ann" cannot list resource "secrets" in API group "" in the namespace "default"',
  )
  const named = await cluster.attempt(['get', 'clusterrole', 'view', '--as', 'ann'])
  t.is(
    named.stderr.trim(),
    'Error from server (Forbidden): clusterroles.rbac.authorization.k8s.io "view" is forbidden: User "ann" cannot get resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope',
  )
  await cluster.run(t, ['delete', 'rolebinding', 'read'])
  t.is((await cluster.attempt(['get', 'pods', '--as', 'ann'])).code, 1)
})

test('auth reconcile adds what is missing, and makes a binding to another role anew', async t => {
  const reconcile = (text: string) => cluster.run(t, ['auth', 'reconcile', '-f', '-'], { input: text })
  t.regex(await reconcile(RECONCILED), /reconciled/)
  t.is(await cluster.run(t, ['auth', 'can-i', 'list', 'pods', '--as', 'ray']), 'yes')
  const wider = RECONCILED.replace('[get, list]', '[get, list, watch]')
  await reconcile(wider)
  t.is(await cluster.run(t, ['auth', 'can-i', 'watch', 'pods', '--as', 'ray']), 'yes')
  const other = RECONCILED.replace('kind: Role, name: reconciled }', 'kind: ClusterRole, name: view }')
  await reconcile(other)
  t.is(await cluster.run(t, ['get', 'rolebinding', 'reconciled', '-o', 'jsonpath={.roleRef.name}']), 'view')
})

test('create token gives a token that kubectl can use', async t => {
  await cluster.run(t, ['create', 'serviceaccount', 'robot'])
  const token = await cluster.run(t, [
    'create',
    'token',
    'robot',
    '--duration',
    '20m',
    '--audience',
    'https://kubernetes.default.svc.cluster.local',
  ])
  const server = await cluster.run(t, ['config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}'])
  const bare = ['--kubeconfig', '/dev/null', '--server', server, '--insecure-skip-tls-verify', '--token', token]
  const who = JSON.parse(await cluster.run(t, [...bare, 'auth', 'whoami', '-o', 'json'])).status.userInfo
  t.is(who.username, 'system:serviceaccount:default:robot')
  const refused = await cluster.attempt([...bare, 'get', 'pods'])
  t.regex(refused.stderr, /User "system:serviceaccount:default:robot" cannot list resource "pods"/)
  const wrong = await cluster.attempt([...bare.slice(0, -1), 'wrong', 'get', 'pods'])
  t.regex(wrong.stderr, /You must be logged in to the server|Unauthorized/)
  const absent = await cluster.attempt([
    'create',
    'token',
    'robot',
    '--bound-object-kind',
    'Pod',
    '--bound-object-name',
    'nope',
  ])
  t.is(absent.stderr.trim(), 'error: failed to create token: pods "nope" not found')
})

test("the cluster's own roles are there, and come with Kubernetes's names", async t => {
  const names = (await cluster.run(t, ['get', 'clusterroles', '-o', 'name'])).split('\n')
  for (const name of ['admin', 'cluster-admin', 'edit', 'view', 'system:coredns', 'system:node', 'system:discovery'])
    t.true(names.includes(`clusterrole.rbac.authorization.k8s.io/${name}`), name)
  t.is(
    await cluster.run(t, ['auth', 'can-i', 'list', 'pods', '--as', 'system:serviceaccount:kube-system:coredns', '-A']),
    'yes',
  )
})

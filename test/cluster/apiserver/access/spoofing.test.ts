/** What nobody gets by the wrong door: status by the object, the object by its status, who one is by what one writes. */
import test from 'ava'
import { makeRequest } from '../../../support/certificate-request.ts'
import { pod, startWorld, type World } from './world.ts'

const CORE = '/api/v1'
const A = `${CORE}/namespaces/a`
const APPS = '/apis/apps/v1/namespaces/a/deployments'
const HOOKS = '/apis/admissionregistration.k8s.io/v1'
const REQUESTS = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
const MERGE = { 'content-type': 'application/merge-patch+json' }

const start = async (t: Parameters<World['make']>[0]): Promise<World> => {
  const world = await startWorld(t)
  await world.make(t, `${CORE}/namespaces`, { metadata: { name: 'a' } })
  const labels = { app: 'x' }
  const template = { metadata: { labels }, spec: pod('x').spec }
  await world.make(t, `${A}/pods`, pod('p'))
  await world.make(t, APPS, { metadata: { name: 'd' }, spec: { selector: { matchLabels: labels }, template } })
  const all = ['get', 'update', 'patch']
  await world.role(t, undefined, 'spec', [
    { verbs: all, apiGroups: [''], resources: ['pods'] },
    { verbs: all, apiGroups: ['apps'], resources: ['deployments'] },
    { verbs: [...all, 'create'], apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests'] },
  ])
  await world.role(t, undefined, 'status', [
    { verbs: all, apiGroups: [''], resources: ['pods/status'] },
    { verbs: all, apiGroups: ['apps'], resources: ['deployments/status'] },
    { verbs: all, apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/status'] },
    { verbs: all, apiGroups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/approval'] },
  ])
  await world.bind(t, undefined, 'ClusterRole/spec', 'user:sam')
  await world.bind(t, undefined, 'ClusterRole/status', 'user:stella')
  return world
}

test('who may write an object writes no status, node or look into it by that', async t => {
  const { server } = await start(t)
  const patch = (as: string, path: string, body: unknown) =>
    server.fetch(path, { method: 'PATCH', as, headers: MERGE, body })
  const spoofed = await patch('sam', `${A}/pods/p`, { status: { phase: 'Running', podIP: '192.0.2.1' } })
  t.is(spoofed.json.status.phase, 'Pending')
  t.is(spoofed.json.status.podIP, undefined)
  const counted = await patch('sam', `${APPS}/d`, { status: { replicas: 7 }, metadata: { generation: 99 } })
  t.deepEqual([counted.json.status.replicas, counted.json.metadata.generation], [undefined, 1])
  const ephemeralContainers = [{ name: 'look', image: 'i' }]
  const refused: readonly (readonly [string, string, unknown, number])[] = [
    ['PATCH', `${A}/pods/p`, { spec: { nodeName: 'n1' } }, 422],
    ['PATCH', `${A}/pods/p`, { spec: { ephemeralContainers } }, 422],
    ['PATCH', `${A}/pods/p`, { spec: { serviceAccountName: 'admin' } }, 422],
    ['PATCH', `${A}/pods/p`, { metadata: { uid: '00000000-0000-0000-0000-000000000000' } }, 422],
    ['PATCH', `${A}/pods/p/status`, { status: { phase: 'Running' } }, 403],
    ['PATCH', `${A}/pods/p/ephemeralcontainers`, { spec: { ephemeralContainers } }, 403],
    ['PATCH', `${A}/pods/p/resize`, { spec: {} }, 403],
    ['POST', `${A}/pods/p/binding`, { target: { kind: 'Node', name: 'n1' } }, 403],
    ['POST', `${A}/pods/p/eviction`, { metadata: { name: 'p' } }, 403],
    ['PATCH', `${APPS}/d/scale`, { spec: { replicas: 9 } }, 403],
    ['DELETE', `${A}/pods/p`, undefined, 403],
  ]
  for (const [method, path, body, code] of refused) {
    const headers = method === 'PATCH' ? MERGE : {}
    const reply = await server.fetch(path, { method, as: 'sam', headers, ...(body ? { body } : {}) })
    t.is(reply.code, code, `${method} ${path}: ${reply.text}`)
  }
})

test('who may write a status writes nothing else by that', async t => {
  const { server } = await start(t)
  const before = (await server.fetch(`${APPS}/d`)).json
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Namespace', name: 'a', uid: 'u' }]
  const body = {
    ...before,
    metadata: { ...before.metadata, labels: { mine: 'yes' }, ownerReferences, finalizers: ['example.com/x'] },
    spec: { ...before.spec, replicas: 99 },
    status: { replicas: 3 },
  }
  const written = await server.fetch(`${APPS}/d/status`, { method: 'PUT', as: 'stella', body })
  t.is(written.code, 200, written.text)
  t.is(written.json.status.replicas, 3)
  t.is(written.json.spec.replicas, 1)
  t.is(written.json.metadata.generation, 1)
  t.is(written.json.metadata.labels, undefined, 'deployments/status resets labels')
  const put = await server.fetch(`${A}/pods/p/status`, {
    method: 'PATCH',
    as: 'stella',
    headers: MERGE,
    body: { spec: { containers: [{ name: 'c', image: 'evil' }], nodeName: 'n1' }, metadata: { ownerReferences } },
  })
  t.is(put.json.spec.containers[0].image, 'i')
  t.is(put.json.spec.nodeName, undefined)
  t.is(put.json.metadata.ownerReferences, undefined)
  t.is((await server.fetch(`${A}/pods/p`, { method: 'PATCH', as: 'stella', headers: MERGE, body: {} })).code, 403)
})

test('nobody says who they are, approves or signs by the wrong door', async t => {
  const { server } = await start(t)
  const spec = {
    request: (await makeRequest({ commonName: 'sam' })).base64,
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
  }
  const condition = { type: 'Approved', status: 'True', reason: 'x' }
  const certificate = Buffer.from(server.tls.cert).toString('base64')
  const made = await server.fetch(REQUESTS, {
    method: 'POST',
    as: 'sam',
    body: {
      metadata: { name: 'sam' },
      spec: { ...spec, username: 'kubernetes-admin', groups: ['system:masters'], uid: '1', extra: { a: ['b'] } },
      status: { conditions: [condition] },
    },
  })
  t.is(made.code, 201, made.text)
  t.like(made.json.spec, { username: 'sam', groups: ['system:authenticated'] })
  t.deepEqual(made.json.status, {})
  const patch = (as: string, part: string, body: unknown) =>
    server.fetch(`${REQUESTS}/sam${part}`, { method: 'PATCH', as, headers: MERGE, body })
  const approve = { status: { conditions: [condition] } }
  t.is((await patch('sam', '', { ...approve, spec: { groups: ['system:masters'] } })).json.status.conditions, undefined)
  t.is((await patch('sam', '/approval', approve)).code, 403, 'without a right on the subresource')
  t.is((await patch('stella', '/approval', approve)).code, 403, 'with it, but without the signer')
  t.is((await patch('stella', '/status', { status: { certificate } })).code, 403, 'nor may she sign')
  t.is((await server.fetch(`${REQUESTS}/sam`)).json.spec.username, 'sam')
  const { base64: request } = await makeRequest({ commonName: 'sam', organizations: ['system:masters'] })
  const masters = { metadata: { name: 'm' }, spec: { ...spec, request } }
  t.is((await server.fetch(REQUESTS, { method: 'POST', as: 'sam', body: masters })).code, 403)
})

test('a webhook or a policy that refuses all cannot keep its owner from taking it away', async t => {
  const { server } = await start(t)
  const { code: made, text } = await server.fetch(`${HOOKS}/validatingwebhookconfigurations`, {
    method: 'POST',
    body: {
      metadata: { name: 'locked' },
      webhooks: [
        {
          name: 'locked.example.com',
          clientConfig: { url: 'https://127.0.0.1:1/' },
          rules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], operations: ['*'], scope: '*' }],
          failurePolicy: 'Fail',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          timeoutSeconds: 1,
        },
      ],
    },
  })
  t.is(made, 201, text)
  const settings = (name: string) => server.fetch(`${A}/configmaps`, { method: 'POST', body: { metadata: { name } } })
  t.is((await settings('one')).code, 500, 'the webhook is away')
  const patched = await server.fetch(`${HOOKS}/validatingwebhookconfigurations/locked`, {
    method: 'PATCH',
    headers: MERGE,
    body: { metadata: { labels: { a: 'b' } } },
  })
  t.is(patched.code, 200, patched.text)
  t.is((await server.fetch(`${HOOKS}/validatingwebhookconfigurations/locked`, { method: 'DELETE' })).code, 200)
  t.is((await settings('two')).code, 201)

  const policy = {
    metadata: { name: 'locked' },
    spec: {
      matchConstraints: {
        resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], operations: ['*'] }],
      },
      validations: [{ expression: 'false' }],
    },
  }
  const binding = { metadata: { name: 'locked' }, spec: { policyName: 'locked', validationActions: ['Deny'] } }
  t.is((await server.fetch(`${HOOKS}/validatingadmissionpolicies`, { method: 'POST', body: policy })).code, 201)
  t.is((await server.fetch(`${HOOKS}/validatingadmissionpolicybindings`, { method: 'POST', body: binding })).code, 201)
  const denied = await settings('three')
  t.is(denied.code, 422, denied.text)
  const path = `${HOOKS}/validatingadmissionpolicybindings/locked`
  t.is((await server.fetch(path, { method: 'DELETE' })).code, 200)
  t.is((await settings('four')).code, 201)
})

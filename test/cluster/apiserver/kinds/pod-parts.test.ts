/** What is done to a Pod by its subresources: binding, eviction, ephemeral containers, resize. */
import test from 'ava'
import { type RunningApiserver, startApiserver } from '../../../support/apiserver.ts'

const PODS = '/api/v1/namespaces/default/pods'
const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'

const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } }
const pod = (name: string, spec: object = {}) => ({
  metadata: { name, labels: { app: 'a' } },
  spec: { containers: [{ name: 'c', image: 'i', resources }], ...spec },
})

const post = ({ fetch }: RunningApiserver, path: string, body: unknown) => fetch(path, { method: 'POST', body })

test('a Pod is bound once, by its own subresource or by bindings of old', async t => {
  const server = await startApiserver(t)
  for (const name of ['a', 'b', 'c']) await post(server, PODS, pod(name))
  await post(server, PODS, pod('gated', { schedulingGates: [{ name: 'example.com/wait' }] }))
  const binding = (name: string, target: object = { kind: 'Node', name: 'n1' }) => ({
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, annotations: { placed: 'here' } },
    target,
  })
  const dry = await post(server, `${PODS}/a/binding?dryRun=All`, binding('a'))
  t.is(dry.code, 201, dry.text)
  t.is((await server.fetch(`${PODS}/a`)).json.spec.nodeName, undefined)
  const bound = await post(server, `${PODS}/a/binding`, binding('a'))
  t.deepEqual(bound.json, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
  const { json } = await server.fetch(`${PODS}/a`)
  t.like(json, { metadata: { annotations: { placed: 'here' }, labels: { app: 'a' } }, spec: { nodeName: 'n1' } })
  t.like(json.status.conditions[0], { type: 'PodScheduled', status: 'True' })
  const again = await post(server, `${PODS}/a/binding`, binding('a', { name: 'n2' }))
  t.is(again.code, 409)
  t.is(again.json.message, 'Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "n1"')
  t.is((await post(server, '/api/v1/namespaces/default/bindings', binding('b'))).code, 201)
  t.is((await server.fetch(`${PODS}/b`)).json.spec.nodeName, 'n1')
  const stale = { ...binding('c'), metadata: { name: 'c', uid: 'another' } }
  t.is((await post(server, `${PODS}/c/binding`, stale)).code, 409)
  const gated = await post(server, `${PODS}/gated/binding`, binding('gated'))
  t.regex(gated.json.message, /pod gated has non-empty .spec.schedulingGates$/)
  const wrong = await post(server, `${PODS}/c/binding`, binding('c', { kind: 'Moon' }))
  t.deepEqual(
    wrong.json.details.causes.map(({ field }: { field: string }) => field),
    ['target.kind', 'target.name'],
  )
  t.is((await post(server, `${PODS}/none/binding`, binding('none'))).code, 404)
  t.is((await post(server, `${PODS}/c/binding`, binding('d'))).code, 400)
})

const evict = (server: RunningApiserver, name: string, rest: object = {}) =>
  post(server, `${PODS}/${name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, ...rest })

/** A Pod that runs, and is ready or not. */
const running = async (server: RunningApiserver, name: string, ready = true): Promise<void> => {
  const { json } = await post(server, PODS, pod(name, { terminationGracePeriodSeconds: 0, nodeName: 'n' }))
  const status = { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] }
  await server.fetch(`${PODS}/${name}/status`, { method: 'PUT', body: { ...json, status } })
}

const allow = async (server: RunningApiserver, disruptionsAllowed: number, rest: object = {}): Promise<void> => {
  const { json } = await server.fetch(`${BUDGETS}/keep`)
  const status = {
    observedGeneration: 1,
    disruptionsAllowed,
    currentHealthy: 2,
    desiredHealthy: 2,
    expectedPods: 3,
    ...rest,
  }
  await server.fetch(`${BUDGETS}/keep/status`, { method: 'PUT', body: { ...json, status } })
}

test('a Pod goes if its budget allows, and the budget is counted down', async t => {
  const server = await startApiserver(t)
  for (const name of ['free', 'p', 'q']) await running(server, name)
  t.deepEqual((await evict(server, 'free')).json, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    code: 201,
  })
  t.is((await server.fetch(`${PODS}/free`)).code, 404)

  const budget = { metadata: { name: 'keep' }, spec: { minAvailable: 2, selector: { matchLabels: { app: 'a' } } } }
  await post(server, BUDGETS, budget)
  const unknown = await evict(server, 'p')
  t.is(unknown.code, 429)
  t.is(unknown.headers['retry-after'], '10')
  t.is(unknown.json.message, "Cannot evict pod as it would violate the pod's disruption budget.")
  t.deepEqual(unknown.json.details.causes, [
    { reason: 'DisruptionBudget', message: 'The disruption budget keep is still being processed by the server.' },
  ])
  await allow(server, 0)
  const none = await evict(server, 'p')
  t.is(none.json.details.causes[0].message, 'The disruption budget keep needs 2 healthy pods and has 2 currently')
  await allow(server, 1)
  t.is((await evict(server, 'p', { deleteOptions: { dryRun: ['All'] } })).code, 201)
  t.is((await server.fetch(`${PODS}/p`)).code, 200, 'a dry run')
  t.is((await evict(server, 'p', { deleteOptions: { preconditions: { uid: 'another' } } })).code, 409)
  await allow(server, 1)
  const both = await Promise.all([evict(server, 'p'), evict(server, 'q')])
  t.deepEqual(both.map(({ code }) => code).sort(), [201, 429], 'one of two')
  const { status } = (await server.fetch(`${BUDGETS}/keep`)).json
  t.is(status.disruptionsAllowed, 0)
  t.is(Object.keys(status.disruptedPods).length, 1)
})

test('a Pod that does no work goes without its budget; two budgets are one too many', async t => {
  const server = await startApiserver(t)
  await running(server, 'sick', false)
  await running(server, 'well')
  await post(server, PODS, pod('idle'))
  const selector = { matchLabels: { app: 'a' } }
  await post(server, BUDGETS, { metadata: { name: 'keep' }, spec: { minAvailable: 2, selector } })
  await allow(server, 0)
  t.is((await evict(server, 'idle')).code, 201)
  t.is((await evict(server, 'sick')).code, 201, 'the others are healthy enough')
  await post(server, BUDGETS, { metadata: { name: 'more' }, spec: { minAvailable: 1, selector } })
  const two = await evict(server, 'well')
  t.is(two.code, 500)
  t.is(
    two.json.message,
    'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
  )
  t.is((await evict(server, 'none')).code, 404)
})

const causes = (reply: { json: { details: { causes: { field: string; message: string }[] } } }) =>
  reply.json.details.causes.map(({ field, message }) => `${field}: ${message}`)

test('ephemeral containers come, and neither change nor go; nothing else changes with them', async t => {
  const server = await startApiserver(t)
  await post(server, PODS, pod('p'))
  const patch = (body: object) =>
    server.fetch(`${PODS}/p/ephemeralcontainers`, {
      method: 'PATCH',
      body: { spec: body },
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
    })
  const added = await patch({
    ephemeralContainers: [{ name: 'look', image: 'busybox' }],
    containers: [{ name: 'c', image: 'other' }],
  })
  t.is(added.code, 200, added.text)
  t.like(added.json.spec.ephemeralContainers[0], { name: 'look', imagePullPolicy: 'Always' })
  t.is(added.json.spec.containers[0].image, 'i')
  t.deepEqual(causes(await patch({ ephemeralContainers: [{ name: 'look', image: 'changed' }] })), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "look" may not be changed\n',
  ])
  t.deepEqual(causes(await patch({ ephemeralContainers: [{ name: 'look', $patch: 'delete' }] })), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "look" may not be removed\n',
  ])
  const more = { name: 'more', image: 'i', ports: [{ containerPort: 80 }], targetContainerName: 'nobody' }
  t.deepEqual(causes(await patch({ ephemeralContainers: [more] })), [
    'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
    'spec.ephemeralContainers[0].targetContainerName: Not found: "nobody"',
  ])
  const label = { metadata: { labels: { a: 'b' } } }
  const headers = { 'content-type': 'application/merge-patch+json' }
  t.is((await server.fetch(`${PODS}/p`, { method: 'PATCH', body: label, headers })).code, 200, 'all else goes on')
  const born = await post(server, PODS, pod('born', { ephemeralContainers: [{ name: 'look', image: 'i' }] }))
  t.deepEqual(causes(born), ['spec.ephemeralContainers: Forbidden: cannot be set on create'])
})

test('resize changes processor and memory, and no class of service', async t => {
  const server = await startApiserver(t)
  await post(server, PODS, pod('p'))
  const resize = (wanted: object) =>
    server.fetch(`${PODS}/p/resize`, {
      method: 'PATCH',
      body: { spec: { containers: [{ name: 'c', image: 'other', resources: wanted }] } },
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
    })
  const resized = await resize({ requests: { cpu: '200m' } })
  t.is(resized.code, 200, resized.text)
  t.like(resized.json, {
    metadata: { generation: 2 },
    spec: { containers: { 0: { image: 'i', resources: { requests: { cpu: '200m' } } } } },
  })
  const guaranteed = await resize({ requests: { cpu: '1', memory: '128Mi' } })
  t.deepEqual(causes(guaranteed), [
    'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
  ])
  t.true(
    causes(await resize({ requests: { 'ephemeral-storage': '1Gi' } })).includes(
      'spec: Forbidden: only cpu and memory resources are mutable',
    ),
  )
})

test('discovery tells of them as Kubernetes does', async t => {
  const { fetch } = await startApiserver(t)
  const { resources: all } = (await fetch('/api/v1')).json as {
    resources: { name: string; kind: string; verbs: string[]; group?: string }[]
  }
  const told = all
    .filter(({ name }) => name === 'bindings' || name.startsWith('pods/'))
    .map(({ name, group = '', kind, verbs }) => `${name} ${group} ${kind} ${verbs}`)
  t.deepEqual(told, [
    'bindings  Binding create',
    'pods/binding  Binding create',
    'pods/ephemeralcontainers  Pod get,patch,update',
    'pods/eviction policy Eviction create',
    'pods/resize  Pod get,patch,update',
    'pods/status  Pod get,patch,update',
  ])
})

/** What kube-apiserver 1.35 was seen to answer, and this server did not. */
import test from 'ava'
import { type RunningApiserver, startApiserver } from '../../../support/apiserver.ts'

const MERGE = { 'content-type': 'application/merge-patch+json' }
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
const APPS = '/apis/apps/v1/namespaces/default'

let server: RunningApiserver
test.before(async () => {
  server = await startApiserver()
})
test.after.always(() => server.close())

const create = async (path: string, body: object) => (await server.fetch(path, { method: 'POST', body })).json
const patch = (path: string, body: object) => server.fetch(path, { method: 'PATCH', headers: MERGE, body })
const labelled = { metadata: { labels: { a: 'b' } } }

test('what cannot change is as it was, also where a field is null', async t => {
  const claims = '/api/v1/namespaces/default/persistentvolumeclaims'
  const source = { kind: 'PersistentVolumeClaim', name: 'other' }
  await create(claims, {
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], dataSource: source, resources: { requests: { storage: '1Gi' } } },
  })
  const claim = await patch(`${claims}/c`, labelled)
  t.deepEqual([claim.code, claim.json.spec.dataSourceRef.name], [200, 'other'], claim.text)
  const nodes = '/apis/storage.k8s.io/v1/csinodes'
  await create(nodes, { metadata: { name: 'n' }, spec: { drivers: [{ name: 'd', nodeID: 'n' }] } })
  t.is((await patch(`${nodes}/n`, labelled)).code, 200)
})

const JOBS = '/apis/batch/v1/namespaces/default/jobs'
const PODS = '/api/v1/namespaces/default/pods'
const ofOne = { containers: [{ name: 'c', image: 'i:1' }] }

test('a Job that brings a selector gets its own besides, and may not choose what it does not make', async t => {
  const once = { spec: { ...ofOne, restartPolicy: 'Never' } }
  const named = { matchLabels: { 'job-name': 'chosen' } }
  const taken = await create(JOBS, { metadata: { name: 'chosen' }, spec: { selector: named, template: once } })
  t.deepEqual(Object.keys(taken.spec.selector.matchLabels), ['batch.kubernetes.io/controller-uid', 'job-name'])
  const other = await create(JOBS, {
    metadata: { name: 'other' },
    spec: {
      selector: { matchLabels: { z: 'y' } },
      template: { ...once, metadata: { labels: { 'job-name': 'mine' } } },
    },
  })
  t.deepEqual(
    other.details.causes.map(({ field }: { field: string }) => field),
    ['spec.template.metadata.labels[job-name]', 'spec.selector', 'spec.template.metadata.labels'],
  )
  t.regex(
    other.details.causes[1].message,
    /^Invalid value: {"matchLabels":{"batch.kubernetes.io\/controller-uid":".*","z":"y"}}/,
  )
  const long = 'x'.repeat(62)
  const template = { ...once, metadata: { labels: { a: 'b' } } }
  const spec = { template, completionMode: 'Indexed', completions: 1 }
  const hosts = await create(JOBS, { metadata: { name: long }, spec })
  t.is(
    hosts.details.causes[0].message,
    `Invalid value: "${long}": will not able to create pod with invalid DNS label: ${long}-0`,
  )
})

test('a Pod that is deleted at once is told as one that was marked, also where nothing is done', async t => {
  await create(PODS, { metadata: { name: 'gone' }, spec: ofOne })
  for (const query of ['?dryRun=All', '?dryRun=All&gracePeriodSeconds=5', '']) {
    const { metadata } = (await server.fetch(`${PODS}/gone${query}`, { method: 'DELETE' })).json
    t.like(metadata, { deletionGracePeriodSeconds: 0, generation: 2 }, query)
    t.truthy(metadata.deletionTimestamp)
  }
  t.is((await server.fetch(`${PODS}/gone`)).code, 404)
})

test('binding is recorded as nobody’s doing, and takes the name of the Pod that it binds', async t => {
  await create(PODS, { metadata: { name: 'bound' }, spec: ofOne })
  const target = { kind: 'Node', name: 'n1' }
  for (const metadata of [{}, { name: 'other' }]) {
    const nameless = await server.fetch(`${PODS}/bound/binding`, { method: 'POST', body: { metadata, target } })
    t.deepEqual([nameless.code, nameless.json.message], [400, 'name in URL does not match name in Binding object'])
    const evicted = await server.fetch(`${PODS}/bound/eviction`, { method: 'POST', body: { metadata } })
    t.deepEqual([evicted.code, evicted.json.message], [400, 'name in URL does not match name in Eviction object'])
  }
  const elsewhere = { metadata: { name: 'bound', namespace: 'other' }, target }
  t.is((await server.fetch(`${PODS}/bound/binding`, { method: 'POST', body: elsewhere })).code, 400)
  t.is((await create('/api/v1/namespaces/default/bindings', { target })).message, 'Name parameter required.')
  t.is((await create(`${PODS}/bound/binding`, { metadata: { name: 'bound' }, target })).status, 'Success')
  const { metadata, spec } = (await server.fetch(`${PODS}/bound`)).json
  t.deepEqual([spec.nodeName, metadata.generation, metadata.managedFields.length], ['n1', 1, 1])
})

test('tokens among the attributes of volumes are warned of, and go to secrets only where there are some', async t => {
  const drivers = '/apis/storage.k8s.io/v1/csidrivers'
  const post = (name: string, spec: object) =>
    server.fetch(drivers, { method: 'POST', body: { metadata: { name }, spec } })
  const tokenRequests = [{ audience: 'a' }]
  const warned = await post('a.io', { tokenRequests })
  t.regex(String(warned.headers.warning), /spec.serviceAccountTokenInSecrets is unset/)
  t.is((await patch(`${drivers}/a.io`, labelled)).headers.warning, undefined)
  const changed = await patch(`${drivers}/a.io`, {
    spec: { tokenRequests: [{ audience: 'b' }], fsGroupPolicy: 'File' },
  })
  t.deepEqual([changed.code, changed.headers.warning === undefined], [200, false], changed.text)
  t.is((await post('b.io', { tokenRequests, serviceAccountTokenInSecrets: true })).headers.warning, undefined)
  t.deepEqual((await post('c.io', { serviceAccountTokenInSecrets: false })).json.details.causes, [
    {
      reason: 'FieldValueInvalid',
      message: 'Invalid value: false: serviceAccountTokenInSecrets is set but no tokenRequests are specified',
      field: 'spec.serviceAccountTokenInSecrets',
    },
  ])
})

test('templates are warned of as Pods are, when they are new and when they change', async t => {
  const env = [
    { name: 'A', value: '1' },
    { name: 'A', value: '2' },
  ]
  const twice = { ...template, spec: { containers: [{ name: 'c', image: 'i', env }] } }
  const post = (path: string, spec: object) =>
    server.fetch(path, { method: 'POST', body: { metadata: { name: 'warned' }, spec } })
  const text = (at: string) =>
    `299 - "${at}.spec.containers[0].env[1]: hides previous definition of \\"A\\", which may be dropped when using apply"`
  const made = await post(`${APPS}/deployments`, { ...workload, template: twice })
  t.is(made.headers.warning, text('spec.template'))
  t.is((await patch(`${APPS}/deployments/warned`, labelled)).headers.warning, undefined)
  t.is((await patch(`${APPS}/deployments/warned`, { spec: { replicas: 2 } })).headers.warning, text('spec.template'))
  const once = { ...twice, spec: { ...twice.spec, restartPolicy: 'Never' } }
  const jobTemplate = { spec: { template: once } }
  const cron = await post('/apis/batch/v1/namespaces/default/cronjobs', { schedule: '@daily', jobTemplate })
  t.is(cron.headers.warning, text('spec.jobTemplate.spec.template'))
})

test('a Pod is warned of when it is made, and left alone when it changes', async t => {
  const nodeSelector = { 'failure-domain.beta.kubernetes.io/zone': 'a' }
  const ports = [{ name: 'http', containerPort: 80 }]
  const containers = ['a', 'b'].map(name => ({ name, image: 'i', ports }))
  const body = { metadata: { name: 'warned' }, spec: { nodeSelector, containers } }
  const made = await server.fetch('/api/v1/namespaces/default/pods', { method: 'POST', body })
  t.is(made.code, 201, made.text)
  t.is(
    made.headers.warning,
    [
      'spec.nodeSelector[failure-domain.beta.kubernetes.io/zone]: deprecated since v1.17; use \\"topology.kubernetes.io/zone\\" instead',
      'spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]',
      'spec.containers[1].ports[0]: duplicate port name \\"http\\" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ]
      .map(text => `299 - "${text}"`)
      .join(', '),
  )
  const changed = await patch('/api/v1/namespaces/default/pods/warned', { metadata: { labels: { a: 'b' } } })
  t.deepEqual([changed.code, changed.headers.warning], [200, undefined])
})

test('a watch whose time is over before it begins ends at once', async t => {
  const { code, text } = await server.fetch(`${PODS}?watch=1&timeoutSeconds=-1`)
  t.is(code, 200)
  // What is there may be told, nothing is waited for.
  t.false(text.includes('ERROR'))
})

test('methods that no path of a built-in kind has, and a Scale without a name', async t => {
  await create(`${APPS}/deployments`, { metadata: { name: 'scaled' }, spec: workload })
  const no = 'the server does not allow this method on the requested resource'
  const wrong = [
    ['PUT', PODS],
    ['POST', `${PODS}/x`],
    ['PROPFIND', `${PODS}/x`],
    ['GET', '/apis/authorization.k8s.io/v1/subjectaccessreviews'],
  ] as const
  for (const [method, path] of wrong) {
    const { code, json } = await server.fetch(path, { method })
    t.deepEqual([code, json.message, json.details], [405, no, {}], `${method} ${path}`)
  }
  const scale = await server.fetch(`${APPS}/deployments/scaled/scale`, {
    method: 'PUT',
    body: { spec: { replicas: 2 } },
  })
  t.deepEqual(
    [scale.code, scale.json.message],
    [400, 'the name of the object (scaled based on URL) was undeterminable: name must be provided'],
  )
  const many = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'Deployment' }))
  const headers = { 'content-type': 'application/json-patch+json' }
  const patched = await server.fetch(`${APPS}/deployments/scaled`, { method: 'PATCH', headers, body: many })
  t.deepEqual(
    [patched.code, patched.json.message],
    [413, 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001'],
  )
})

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } }
const workload = { selector: { matchLabels: { app: 'a' } }, template }
const GENERATION = 'deprecated.daemonset.template.generation'

test('a DaemonSet says how often its template has changed, whatever a client says', async t => {
  const made = await create(`${APPS}/daemonsets`, { metadata: { name: 'd' }, spec: workload })
  t.is(made.metadata.annotations[GENERATION], '1')
  const said = await patch(`${APPS}/daemonsets/d`, { metadata: { annotations: { [GENERATION]: '9' } } })
  t.is(said.json.metadata.annotations[GENERATION], '1')
  const changed = await patch(`${APPS}/daemonsets/d`, { spec: { template: { metadata: { annotations: { x: 'y' } } } } })
  t.is(changed.json.metadata.annotations[GENERATION], '2')
})

test("a StatefulSet's Pods have the volumes of its claims", async t => {
  const mounted = {
    ...template,
    spec: { containers: [{ name: 'c', image: 'i:1', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
  }
  const claim = (name: string) => ({
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  })
  const spec = { ...workload, template: mounted }
  const made = await create(`${APPS}/statefulsets`, {
    metadata: { name: 's' },
    spec: { ...spec, volumeClaimTemplates: [claim('v')] },
  })
  t.is(made.kind, 'StatefulSet', made.message)
  const refused = await create(`${APPS}/statefulsets`, { metadata: { name: 'r' }, spec })
  t.regex(refused.message, /volumeMounts\[0\]\.name: Not found: "v"/)
})

test('a Namespace that goes is marked by a time alone', async t => {
  await create('/api/v1/namespaces', { metadata: { name: 'going' } })
  const { json } = await server.fetch('/api/v1/namespaces/going', { method: 'DELETE' })
  t.truthy(json.metadata.deletionTimestamp)
  t.is(json.metadata.deletionGracePeriodSeconds, undefined)
})

test('Endpoints are deprecated, for readers as well', async t => {
  const { headers } = await server.fetch('/api/v1/namespaces/default/endpoints')
  t.regex(String(headers.warning), /v1 Endpoints is deprecated in v1\.33\+/)
})

test('columns have the types of 1.35', async t => {
  const columnsAt = async (path: string) => {
    const { json } = await server.fetch(path, { headers: TABLE })
    return (json.columnDefinitions as { name: string; type: string }[]).map(({ name, type }) => `${name} ${type}`)
  }
  const [name, age] = ['Name string', 'Age string']
  const core = '/api/v1/namespaces/default'
  t.deepEqual(await columnsAt(`${core}/serviceaccounts`), [name, age])
  t.deepEqual(await columnsAt(`${core}/limitranges`), [name, 'Created At date'])
  t.deepEqual(await columnsAt(`${core}/configmaps`), [name, 'Data string', age])
  t.deepEqual(await columnsAt('/apis/networking.k8s.io/v1/ipaddresses'), [name, 'ParentRef string'])
  const classes = await columnsAt('/apis/scheduling.k8s.io/v1/priorityclasses')
  t.true(classes.includes('Global-Default boolean'))
})

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

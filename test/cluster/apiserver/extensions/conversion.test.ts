/** Two versions of a kind that a webhook converts: all verbs in both, what its author may get wrong, and its silence. */
import test from 'ava'
import { prefixRange } from '#cluster/store/kv.ts'
import { type RunningApiserver, startApiserver } from '../../../support/apiserver.ts'
import {
  backend,
  backends,
  converted,
  DEFINITION,
  define,
  type Json,
  serveBackends,
  until,
  V1,
  V2,
} from '../../../support/conversion.ts'
import { openWatch } from '../../../support/watch-lines.ts'
import { type Answer, type Review, startWebhookServer } from '../../../support/webhook-server.ts'

const MERGE = { 'content-type': 'application/merge-patch+json' }
const APPLY = { 'content-type': 'application/apply-patch+yaml' }
const AS_TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }

const post = (server: RunningApiserver, path: string, body: Json) => server.fetch(path, { method: 'POST', body })

const storedAs = async ({ store }: RunningApiserver, name: string): Promise<Json> => {
  const { keyValues } = await store.range(prefixRange('/registry/backends.stable.example.com/'))
  return JSON.parse(Buffer.from(keyValues.find(({ key }) => key.endsWith(`/${name}`))!.value).toString())
}

test('an object is written and read in either version, and stored in one', async t => {
  const server = await startApiserver(t)
  const webhook = await serveBackends(t, server)
  const made = await post(server, V2, backend('v2', 'a', { host: 'h', port: 80 }))
  t.is(made.code, 201, made.text)
  t.like(made.json, { apiVersion: 'stable.example.com/v2', spec: { host: 'h', port: 80, weight: 1 } })
  t.like(await storedAs(server, 'a'), { apiVersion: 'stable.example.com/v1', spec: { hostPort: 'h:80', weight: 1 } })
  t.deepEqual((await server.fetch(`${V1}/a`)).json.spec, { hostPort: 'h:80', weight: 1 })
  const { json } = await server.fetch(`${V2}/a`)
  t.deepEqual([json.spec, json.metadata.uid], [{ host: 'h', port: 80, weight: 1 }, made.json.metadata.uid])
  t.is(json.metadata.resourceVersion, made.json.metadata.resourceVersion)
  t.like(webhook.requests[0], { path: '/convert', desiredAPIVersion: 'stable.example.com/v1' })

  const patched = await server.fetch(`${V2}/a`, { method: 'PATCH', body: { spec: { port: 81 } }, headers: MERGE })
  t.deepEqual([patched.code, patched.json.spec.port, patched.json.metadata.generation], [200, 81, 2])
  const first = (await server.fetch(`${V1}/a`)).json
  t.is(first.spec.hostPort, 'h:81')
  const put = await server.fetch(`${V1}/a`, { method: 'PUT', body: { ...first, spec: { hostPort: 'i:82' } } })
  t.deepEqual([put.code, put.json.apiVersion], [200, 'stable.example.com/v1'])
  const second = (await server.fetch(`${V2}/a`)).json
  t.deepEqual(second.spec, { host: 'i', port: 82, weight: 1 })
  const stale = await server.fetch(`${V2}/a`, { method: 'PUT', body: json })
  t.is(stale.code, 409)
  const invalid = await server.fetch(`${V2}/a`, { method: 'PATCH', body: { spec: { port: 70_000 } }, headers: MERGE })
  t.is(invalid.code, 422)

  const status = await server.fetch(`${V2}/a/status`, { method: 'PUT', body: { ...second, status: { ready: true } } })
  t.deepEqual([status.code, status.json.spec.port, status.json.status], [200, 82, { ready: true }])
  t.deepEqual((await server.fetch(`${V1}/a`)).json.status, { ready: true })
  const same = await server.fetch(`${V2}/a`, { method: 'PUT', body: status.json })
  t.is(same.json.metadata.resourceVersion, status.json.metadata.resourceVersion)

  t.is((await server.fetch(`${V2}/a`, { method: 'DELETE' })).code, 200)
  t.is((await server.fetch(`${V1}/a`)).code, 404)
})

test('a dry run says what would be, and writes nothing', async t => {
  const server = await startApiserver(t)
  await serveBackends(t, server)
  const made = await post(server, `${V2}?dryRun=All`, backend('v2', 'a', { host: 'h', port: 80 }))
  t.deepEqual([made.code, made.json.spec], [201, { host: 'h', port: 80, weight: 1 }])
  t.is((await server.fetch(`${V2}/a`)).code, 404)
})

test('a list is converted by one review, once; selectors and columns are of the version that is asked for', async t => {
  const server = await startApiserver(t)
  const webhook = await serveBackends(t, server)
  const names = Array.from({ length: 30 }, (_, index) => `b${String(index).padStart(2, '0')}`)
  for (const [index, name] of names.entries()) {
    const labels = { half: index < 15 ? 'first' : 'second' }
    t.is((await post(server, V1, backend('v1', name, { hostPort: `h${index % 3}:${index}` }, { labels }))).code, 201)
  }
  t.is(webhook.requests.length, 0)
  const { items } = (await server.fetch(V2)).json
  t.deepEqual(
    items.map(({ spec }: Json) => [spec.host, spec.port]),
    names.map((_, index) => [`h${index % 3}`, index]),
  )
  t.deepEqual([webhook.requests.length, webhook.requests[0].objects.length], [1, 30])
  const selected = (await server.fetch(`${V2}?fieldSelector=spec.host%3Dh1&labelSelector=half%3Dsecond`)).json.items
  t.deepEqual(
    selected.map(({ spec }: Json) => spec.port),
    [16, 19, 22, 25, 28],
  )
  const table = (await server.fetch(V2, { headers: AS_TABLE })).json
  t.deepEqual(table.columnDefinitions.map(({ name }: Json) => name).slice(0, 3), ['Name', 'host', 'port'])
  t.deepEqual(table.rows[4].cells.slice(0, 3), ['b04', 'h1', 4])
  t.is(webhook.requests.length, 1)

  const page = (await server.fetch(`${V2}?limit=20`)).json
  await post(server, V1, backend('v1', 'later', { hostPort: 'h:1' }))
  const rest = (await server.fetch(`${V2}?limit=20&continue=${page.metadata.continue}`)).json
  t.deepEqual(
    [...page.items, ...rest.items].map(({ spec }: Json) => spec.port),
    names.map((_, index) => index),
  )
  t.is((await server.fetch(V2, { method: 'DELETE' })).code, 200)
  t.deepEqual((await server.fetch(V1)).json.items, [])
})

test('a watch gives each change converted, in order, however long the webhook takes', async t => {
  const server = await startApiserver(t)
  let turn = 0
  // Later reviews are answered sooner than earlier ones, as far as they are under way together.
  const webhook = await serveBackends(t, server, async request => {
    if (turn++ % 3 === 0) await new Promise(resolve => setTimeout(resolve, 20))
    return converted(request)
  })
  await post(server, V1, backend('v1', 'first', { hostPort: 'h:0' }))
  const watch = await openWatch(t, server, `${V2}?watch=1`)
  const narrow = await openWatch(t, server, `${V2}?watch=1&fieldSelector=spec.host%3Dhere`)
  await watch.take(1)
  const hosts = ['there', 'here', 'here', 'there', 'here']
  await post(server, V1, backend('v1', 'moving', { hostPort: 'there:0' }))
  for (const [index, host] of hosts.entries()) {
    const body = { spec: { hostPort: `${host}:${index}` } }
    await server.fetch(`${V1}/moving`, { method: 'PATCH', body, headers: MERGE })
  }
  await server.fetch(`${V1}/moving`, { method: 'DELETE' })
  const seen = await watch.take(2 + hosts.length)
  t.deepEqual(
    seen.map(({ type, object }) => [type, object.apiVersion, object.spec.host, object.spec.port]),
    [
      ['ADDED', 'stable.example.com/v2', 'h', 0],
      ['ADDED', 'stable.example.com/v2', 'there', 0],
      // The first patch changes nothing.
      ...hosts.map((host, index) => ['MODIFIED', 'stable.example.com/v2', host, index]).slice(1),
      ['DELETED', 'stable.example.com/v2', 'here', 4],
    ],
  )
  const revisions = seen.map(({ object }) => Number(object.metadata.resourceVersion))
  t.deepEqual(
    revisions,
    revisions.toSorted((a, b) => a - b),
  )
  t.deepEqual(
    (await narrow.take(5)).map(({ type, object }) => [type, object.spec.port]),
    [
      ['ADDED', 1],
      ['MODIFIED', 2],
      ['DELETED', 2],
      ['ADDED', 4],
      ['DELETED', 4],
    ],
  )
  const since = await openWatch(t, server, `${V2}?watch=1&resourceVersion=${revisions[0]}`)
  t.deepEqual(
    (await since.take(seen.length - 1)).map(({ type, object }) => [type, object.spec]),
    seen.slice(1).map(({ type, object }) => [type, object.spec]),
  )
  t.true(webhook.requests.length > 0)
})

const FAILED = 'conversion webhook for stable.example.com/v1, Kind=Backend'

const lies: Readonly<Record<string, readonly [(honest: Json, request: Review) => Answer, string]>> = {
  'a refusal': [
    () => ({ result: { status: 'Failure', message: 'not today' }, convertedObjects: [] }),
    `${FAILED} failed: not today`,
  ],
  'a refusal without words': [
    () => ({ result: { status: 'Failure' } }),
    `${FAILED} failed: response.result.status was 'Failure', not 'Success'`,
  ],
  'no result': [() => ({}), `${FAILED} failed: response.result.status was '', not 'Success'`],
  'too few': [honest => ({ ...honest, convertedObjects: [] }), `${FAILED} returned 0 objects, expected 1`],
  'another version': [
    (honest, { objects }) => ({ ...honest, convertedObjects: objects }),
    `${FAILED} returned invalid object at index 0: invalid groupVersion (expected stable.example.com/v2, received stable.example.com/v1)`,
  ],
  'another name': [
    honest => {
      honest.convertedObjects[0].metadata.name = 'b'
      return honest
    },
    `${FAILED} returned invalid object: must have the same name: a != b`,
  ],
  'no metadata': [
    honest => {
      delete honest.convertedObjects[0].metadata
      return honest
    },
    `${FAILED} returned invalid object: must have the same name: a != `,
  ],
  'labels that are none': [
    honest => {
      honest.convertedObjects[0].metadata.labels = { a: 1 }
      return honest
    },
    `${FAILED} returned invalid metadata: metadata.labels[a] must be a string, but is int64 in converted object`,
  ],
}

test('what a webhook gets wrong is a 500 in Kubernetes’s words; the stored version is served all the same', async t => {
  const server = await startApiserver(t)
  let lie: string | undefined
  await serveBackends(t, server, request => {
    const honest = converted(request)
    return lie === undefined ? honest : lies[lie]![0](structuredClone(honest), request)
  })
  await post(server, V1, backend('v1', 'a', { hostPort: 'h:1' }))
  for (lie of Object.keys(lies)) {
    const { code, json } = await server.fetch(`${V2}/a`)
    t.deepEqual([code, json.message], [500, lies[lie]![1]], lie)
  }
  t.is((await server.fetch(V2)).code, 500)
  const watch = await openWatch(t, server, `${V2}?watch=1`)
  await watch.untilEnd()
  t.like(watch.seen, { 0: { type: 'ERROR', object: { kind: 'Status', code: 500 } }, length: 1 })
  const refused = await post(server, V2, backend('v2', 'b', { host: 'h', port: 1 }))
  t.is(refused.code, 500)
  t.is((await server.fetch(`${V1}/b`)).code, 404)
  t.is((await server.fetch(`${V1}/a`)).code, 200)
  lie = undefined
  t.deepEqual((await server.fetch(`${V2}/a`)).json.spec, { host: 'h', port: 1, weight: 1 })
})

test('labels and annotations are the webhook’s to change, the rest of metadata and unknown fields are not', async t => {
  const server = await startApiserver(t)
  await serveBackends(t, server, request => {
    const honest: Json = converted(request)
    for (const { metadata, spec } of honest.convertedObjects) {
      metadata.labels = { converted: 'yes' }
      metadata.generation = 99
      metadata.finalizers = ['example.com/mine']
      spec.unknown = true
    }
    return honest
  })
  await post(server, V1, backend('v1', 'a', { hostPort: 'h:1' }))
  const { json } = await server.fetch(`${V2}/a`)
  t.deepEqual([json.metadata.labels, json.metadata.generation], [{ converted: 'yes' }, 1])
  t.deepEqual([json.metadata.finalizers, json.spec.unknown], [undefined, undefined])
  t.is((await server.fetch(`${V2}?labelSelector=converted%3Dyes`)).json.items.length, 1)
  t.is((await server.fetch(`${V1}?labelSelector=converted%3Dyes`)).json.items.length, 0)
})

test('a webhook that is away is named, and a live watch ends with what went wrong', async t => {
  const server = await startApiserver(t)
  let away = false
  const webhook = await serveBackends(t, server, request => (away ? 503 : converted(request)))
  await post(server, V1, backend('v1', 'a', { hostPort: 'h:1' }))
  const watch = await openWatch(t, server, `${V2}?watch=1`)
  await watch.take(1)
  away = true
  await post(server, V1, backend('v1', 'b', { hostPort: 'h:2' }))
  await watch.untilEnd()
  const { url } = webhook.config('/convert')
  const message = `${FAILED} failed: Post "${url}?timeout=30s": the server answered 503`
  t.like(watch.seen[1], { type: 'ERROR', object: { code: 500, message } })
  // What was converted before is known.
  t.is((await server.fetch(`${V2}/a`)).code, 200)
  t.is((await server.fetch(`${V2}/b`)).json.message, message)
  away = false
  t.is((await server.fetch(`${V2}/b`)).json.spec.port, 2)
})

test('the stored version changes: what was written before is converted when read, and rewritten when written', async t => {
  const server = await startApiserver(t)
  await serveBackends(t, server)
  await post(server, V1, backend('v1', 'old', { hostPort: 'h:1' }))
  const watch = await openWatch(t, server, `${V1}?watch=1`)
  const { json } = await server.fetch(DEFINITION)
  for (const version of json.spec.versions) version.storage = !version.storage
  const changed = await server.fetch(DEFINITION, { method: 'PUT', body: json })
  t.is(changed.code, 200, changed.text)
  t.deepEqual(changed.json.status.storedVersions, ['v1', 'v2'])
  await watch.untilEnd()
  t.deepEqual((await server.fetch(`${V2}/old`)).json.spec, { host: 'h', port: 1, weight: 1 })
  t.is((await storedAs(server, 'old')).apiVersion, 'stable.example.com/v1')
  await post(server, V1, backend('v1', 'new', { hostPort: 'h:2' }))
  t.like(await storedAs(server, 'new'), { apiVersion: 'stable.example.com/v2', spec: { host: 'h', port: 2 } })
  t.deepEqual(
    (await server.fetch(V1)).json.items.map(({ spec }: Json) => spec.hostPort),
    ['h:2', 'h:1'],
  )
  // A storage migration writes each object as it is.
  const old = (await server.fetch(`${V1}/old`)).json
  t.is((await server.fetch(`${V1}/old`, { method: 'PUT', body: old })).code, 200)
  t.like(await storedAs(server, 'old'), { apiVersion: 'stable.example.com/v2', spec: { host: 'h', port: 1 } })
})

test('who owns a field owns what the other version makes of it', async t => {
  const server = await startApiserver(t)
  await serveBackends(t, server)
  const apply = (path: string, manager: string, body: Json) =>
    server.fetch(`${path}/a?fieldManager=${manager}`, { method: 'PATCH', body, headers: APPLY })
  t.is((await apply(V1, 'one', backend('v1', 'a', { hostPort: 'h:1' }))).code, 201)
  const conflict = await apply(V2, 'two', backend('v2', 'a', { port: 2 }))
  t.is(conflict.code, 409, conflict.text)
  t.is(conflict.json.message, 'Apply failed with 1 conflict: conflict with "one": .spec.hostPort')
  const shared = await apply(V2, 'two', backend('v2', 'a', { host: 'h', port: 1 }))
  t.is(shared.code, 200, shared.text)
  const owners = ({ metadata }: Json) =>
    metadata.managedFields.map((each: Json) => [each.manager, each.apiVersion]).sort()
  t.deepEqual(owners(shared.json), [
    ['one', 'stable.example.com/v1'],
    ['two', 'stable.example.com/v2'],
  ])
  const forced = await server.fetch(`${V2}/a?fieldManager=three`, {
    method: 'PATCH',
    body: { spec: { port: 3 } },
    headers: MERGE,
  })
  t.is(forced.code, 200)
  const left = Object.fromEntries(
    forced.json.metadata.managedFields.map((each: Json) => [each.manager, each.fieldsV1['f:spec']]),
  )
  t.deepEqual(left, { two: { 'f:host': {} }, three: { 'f:port': {} } })
})

test('policies and webhooks of admission see the version that they ask for', async t => {
  const server = await startApiserver(t)
  await serveBackends(t, server)
  const admission = await startWebhookServer(t, ({ object }: Review) => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(
      JSON.stringify([{ op: 'replace', path: '/spec/hostPort', value: `${object.spec.hostPort}1` }]),
    ).toString('base64'),
  }))
  const rules = [{ operations: ['CREATE'], apiGroups: ['stable.example.com'], apiVersions: ['v1'], resources: ['*'] }]
  const configured = await post(server, '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', {
    metadata: { name: 'ports' },
    webhooks: [
      {
        name: 'ports.example.com',
        clientConfig: admission.config(),
        rules,
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  })
  t.is(configured.code, 201, configured.text)
  const made = await post(server, V2, backend('v2', 'a', { host: 'h', port: 8 }))
  t.is(made.code, 201, made.text)
  t.deepEqual(made.json.spec, { host: 'h', port: 81, weight: 1 })
  t.like(admission.requests[0], {
    kind: { version: 'v1' },
    requestKind: { version: 'v2' },
    object: { apiVersion: 'stable.example.com/v1', spec: { hostPort: 'h:8' } },
  })
})

test('a definition goes with its objects though its webhook has gone before it', async t => {
  const server = await startApiserver(t)
  await serveBackends(t, server, () => 500)
  await post(server, V1, backend('v1', 'a', { hostPort: 'h:1' }))
  t.is((await server.fetch(DEFINITION, { method: 'DELETE' })).code, 200)
  await until(async () => (await server.fetch(DEFINITION)).code === 404)
  const webhook = await startWebhookServer(t, converted)
  await define(t, server, backends(webhook.config(), ['v1beta1']))
  t.deepEqual((await server.fetch(V2)).json.items, [])
  await post(server, V1, backend('v1', 'a', { hostPort: 'h:1' }))
  t.is((await server.fetch(`${V2}/a`)).json.spec.port, 1)
})

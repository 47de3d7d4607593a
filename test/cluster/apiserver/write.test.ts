import test from 'ava'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { type RunningApiserver, startApiserver } from '../../support/apiserver.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const MERGE = { 'content-type': 'application/merge-patch+json' }
const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' }
const JSON_PATCH = { 'content-type': 'application/json-patch+json' }

const make = async ({ fetch }: RunningApiserver, metadata: object, data: object = {}) =>
  (await fetch(MAPS, { method: 'POST', body: { metadata, data } })).json

test('create fills metadata and refuses what Kubernetes refuses', async t => {
  const server = await startApiserver(t)
  const { fetch } = server
  const made = await make(server, { name: 'a', uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z', generation: 9 })
  t.regex(made.metadata.uid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  t.not(made.metadata.creationTimestamp, '2001-01-01T00:00:00Z')
  t.is(made.metadata.generation, undefined)
  t.is(made.metadata.namespace, 'default')
  const cases: [body: unknown, code: number, reason: string | undefined, message: RegExp, path?: string][] = [
    [{ metadata: { name: 'a' } }, 409, 'AlreadyExists', /^configmaps "a" already exists$/],
    [
      { metadata: { name: 'b', namespace: 'x' } },
      400,
      'BadRequest',
      /does not match the namespace sent on the request/,
    ],
    [{ metadata: {} }, 422, 'Invalid', /name or generateName is required/],
    [{ metadata: { name: 'B_' } }, 422, 'Invalid', /RFC 1123 subdomain/],
    [{ metadata: { name: 'b', resourceVersion: '1' } }, 500, undefined, /resourceVersion should not be set/],
    [{ kind: 'Service', metadata: { name: 'b' } }, 400, 'BadRequest', /./],
    [{ apiVersion: 'v2', metadata: { name: 'b' } }, 400, 'BadRequest', /does not match the expected API version/],
    ['{"a', 400, 'BadRequest', /couldn't get version\/kind/],
    [
      { metadata: { name: 'b' } },
      404,
      'NotFound',
      /^namespaces "nope" not found$/,
      '/api/v1/namespaces/nope/configmaps',
    ],
    [{ metadata: { name: 'b' } }, 405, 'MethodNotAllowed', /./, '/api/v1/configmaps'],
  ]
  for (const [body, code, reason, message, path = MAPS] of cases) {
    const { json } = await fetch(path, { method: 'POST', body })
    t.deepEqual([json.code, json.reason], [code, reason], JSON.stringify(json))
    t.regex(json.message, message)
  }
})

test('names are generated, five characters without vowels', async t => {
  const server = await startApiserver(t)
  const names = new Set<string>()
  for (let n = 0; n < 20; n++) {
    const { metadata } = await make(server, { generateName: 'job-' })
    t.regex(metadata.name, /^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    names.add(metadata.name)
  }
  t.is(names.size, 20)
})

test('field validation: Strict refuses, Warn tells, Ignore is silent', async t => {
  const { fetch } = await startApiserver(t)
  const body = '{"metadata":{"name":"a"},"foo":1,"data":{"x":"1","x":"2"}}'
  const create = (validation: string) =>
    fetch(`${MAPS}?dryRun=All&fieldValidation=${validation}`, { method: 'POST', body })
  const strict = await create('Strict')
  t.is(strict.code, 400)
  t.regex(strict.json.message, /strict decoding error: duplicate field "data\.x", unknown field "foo"$/)
  const warned = await create('Warn')
  t.is(warned.code, 201)
  t.is(warned.headers.warning, '299 - "duplicate field \\"data.x\\"", 299 - "unknown field \\"foo\\""')
  t.is((await create('Ignore')).headers.warning, undefined)
  t.regex((await create('Foo')).json.message, /^CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported/)
})

test('dry runs answer as the write would and write nothing', async t => {
  const server = await startApiserver(t)
  const { fetch, store } = server
  const before = await store.revision()
  t.is((await fetch(`${MAPS}?dryRun=All`, { method: 'POST', body: { metadata: { name: 'a' } } })).code, 201)
  t.is((await fetch(`${MAPS}/a`)).code, 404)
  t.is(await store.revision(), before)
  const made = await make(server, { name: 'a' })
  const put = await fetch(`${MAPS}/a?dryRun=All`, {
    method: 'PUT',
    body: { metadata: { name: 'a' }, data: { x: '1' } },
  })
  t.deepEqual([put.json.data, put.json.metadata.resourceVersion], [{ x: '1' }, made.metadata.resourceVersion])
  const deleted = await fetch(`${MAPS}/a?dryRun=All`, { method: 'DELETE' })
  t.is(deleted.json.status, 'Success')
  t.deepEqual((await fetch(`${MAPS}/a`)).json, made)
})

test('update: versions, uids, names; what changes nothing is not written', async t => {
  const server = await startApiserver(t)
  const { fetch, store } = server
  const made = await make(server, { name: 'a' }, { x: '1' })
  const put = (metadata: object, more: object = {}, query = '') =>
    fetch(`${MAPS}/a${query}`, {
      method: 'PUT',
      body: { metadata: { name: 'a', ...metadata }, data: { x: '1' }, ...more },
    })
  const revision = await store.revision()
  t.is((await put({})).json.metadata.resourceVersion, made.metadata.resourceVersion)
  t.is(await store.revision(), revision)
  const changed = await put({ resourceVersion: made.metadata.resourceVersion }, { data: { x: '2' } })
  t.is(changed.code, 200)
  t.is(changed.json.metadata.uid, made.metadata.uid)
  const stale = await put({ resourceVersion: made.metadata.resourceVersion }, { data: { x: '3' } })
  t.is(stale.code, 409)
  t.is(
    stale.json.message,
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  )
  t.deepEqual(stale.json.details, { name: 'a', kind: 'configmaps' })
  t.is((await put({ uid: 'other' })).code, 409)
  t.is((await put({ resourceVersion: 'abc' })).code, 500)
  t.regex(
    (await put({ name: 'b' })).json.message,
    /^the name of the object \(b\) does not match the name on the URL \(a\)$/,
  )
  t.is((await fetch(`${MAPS}/nope`, { method: 'PUT', body: { metadata: { name: 'nope' } } })).code, 404)
  t.is((await fetch(MAPS, { method: 'PUT', body: {} })).code, 405)
})

test('concurrent updates without a version all take; with one, one does', async t => {
  const server = await startApiserver(t)
  const made = await make(server, { name: 'a' }, {})
  const patches = await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      server.fetch(`${MAPS}/a`, { method: 'PATCH', headers: MERGE, body: { data: { [`k${n}`]: 'x' } } }),
    ),
  )
  t.deepEqual([...new Set(patches.map(({ code }) => code))], [200])
  const { json } = await server.fetch(`${MAPS}/a`)
  t.is(Object.keys(json.data).length, 30)
  const { resourceVersion } = json.metadata
  t.not(resourceVersion, made.metadata.resourceVersion)
  const races = await Promise.all(
    Array.from({ length: 10 }, (_, n) =>
      server.fetch(`${MAPS}/a`, {
        method: 'PUT',
        body: { metadata: { name: 'a', resourceVersion }, data: { n: `${n}` } },
      }),
    ),
  )
  t.deepEqual(races.map(({ code }) => code).sort(), [200, ...Array(9).fill(409)])
})

test('patches: three formats, stale versions, wrong formats', async t => {
  const server = await startApiserver(t)
  const { fetch } = server
  const made = await make(server, { name: 'a' }, { x: '1', y: '2' })
  const patch = (headers: Record<string, string>, body: unknown) =>
    fetch(`${MAPS}/a`, { method: 'PATCH', headers, body })
  t.deepEqual((await patch(MERGE, { data: { x: null, z: '3' } })).json.data, { y: '2', z: '3' })
  t.deepEqual((await patch(STRATEGIC, { data: { $patch: 'replace', w: '1' } })).json.data, { w: '1' })
  t.deepEqual((await patch(JSON_PATCH, [{ op: 'add', path: '/data/v', value: '5' }])).json.data, { v: '5', w: '1' })
  t.is((await patch(JSON_PATCH, [{ op: 'test', path: '/data/v', value: '6' }])).code, 422)
  t.is(
    (await patch(MERGE, { metadata: { resourceVersion: made.metadata.resourceVersion }, data: { q: '1' } })).code,
    409,
  )
  t.is((await patch(MERGE, { metadata: { name: 'b' } })).code, 400)
  const uid = await patch(MERGE, { metadata: { uid: 'b' } })
  t.is(uid.code, 422)
  t.is(uid.json.details.causes[0].field, 'metadata.uid')
  t.is((await patch({ 'content-type': 'application/json' }, {})).code, 415)
  const apply = await patch({ 'content-type': 'application/apply-patch+yaml' }, '{}')
  t.is(apply.code, 422)
  t.regex(apply.json.message, /fieldManager: Required value: is required for apply patch/)
  const cbor = await patch({ 'content-type': 'application/apply-patch+cbor' }, '')
  t.is(cbor.code, 415)
  t.regex(cbor.json.message, /accepted media types include: .*application\/apply-patch\+yaml$/)
  const force = await fetch(`${MAPS}/a?force=true`, { method: 'PATCH', headers: MERGE, body: {} })
  t.regex(force.json.message, /force: Forbidden: may not be specified for non-apply patch/)
})

test('delete: preconditions, finalizers, policies', async t => {
  const server = await startApiserver(t)
  const { fetch } = server
  const made = await make(server, { name: 'a', finalizers: ['x.io/a'] })
  const remove = (body?: object, query = '') => fetch(`${MAPS}/a${query}`, { method: 'DELETE', body })
  const uid = await remove({ preconditions: { uid: 'zz' } })
  t.is(uid.code, 409, uid.text)
  t.true(
    uid.json.message.includes(
      `the UID in the precondition (zz) does not match the UID in record (${made.metadata.uid})`,
    ),
  )
  t.is((await remove({ preconditions: { resourceVersion: '1' } })).code, 409)
  t.regex(
    (await remove({ propagationPolicy: 'Foo' })).json.message,
    /^DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy/,
  )
  t.is((await remove({ kind: 'Foo' })).code, 400)
  const waiting = await remove()
  t.is(waiting.code, 200)
  t.is(waiting.json.kind, 'ConfigMap')
  t.is(waiting.json.metadata.deletionGracePeriodSeconds, 0)
  t.truthy(waiting.json.metadata.deletionTimestamp)
  t.deepEqual((await remove()).json, waiting.json)
  const added = await fetch(`${MAPS}/a`, {
    method: 'PATCH',
    headers: MERGE,
    body: { metadata: { finalizers: ['x.io/a', 'x.io/b'] } },
  })
  t.is(added.code, 422)
  t.regex(added.json.message, /no new finalizers can be added if the object is being deleted/)
  t.is(
    (await fetch(`${MAPS}/a`, { method: 'PATCH', headers: MERGE, body: { metadata: { finalizers: null } } })).code,
    200,
  )
  t.is((await fetch(`${MAPS}/a`)).code, 404)

  const b = await make(server, { name: 'a' })
  t.deepEqual((await remove(undefined, '?propagationPolicy=Foreground')).json.metadata.finalizers, [
    'foregroundDeletion',
  ])
  t.deepEqual((await remove(undefined, '?propagationPolicy=Orphan')).json.metadata.finalizers, ['orphan'])
  const gone = await remove({ propagationPolicy: 'Background' })
  t.deepEqual(gone.json, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'a', kind: 'configmaps', uid: b.metadata.uid },
  })
})

test('deletecollection deletes what it lists', async t => {
  const server = await startApiserver(t)
  for (let n = 0; n < 40; n++) await make(server, { name: `m${n}`, labels: { odd: n % 2 === 1 ? 'yes' : 'no' } })
  const reply = await server.fetch(`${MAPS}?labelSelector=odd%3Dyes`, { method: 'DELETE' })
  t.is(reply.code, 200)
  t.is(reply.json.items.length, 20)
  const left = await server.fetch(MAPS)
  t.is(left.json.items.length, 20)
  t.true(left.json.items.every((item: { metadata: { labels: { odd: string } } }) => item.metadata.labels.odd === 'no'))
  t.is((await server.fetch('/api/v1/namespaces', { method: 'DELETE' })).code, 405)
})

test('status is a subresource of its own', async t => {
  const { fetch } = await startApiserver(t)
  const path = '/api/v1/namespaces/default/services'
  const made = await fetch(path, { method: 'POST', body: { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } } })
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] } }
  const body = { ...made.json, spec: { ...made.json.spec, type: 'LoadBalancer' }, status }
  const whole = await fetch(`${path}/s`, { method: 'PUT', body })
  t.deepEqual(whole.json.status, { loadBalancer: {} })
  t.is(whole.json.spec.type, 'LoadBalancer')
  const part = await fetch(`${path}/s/status`, {
    method: 'PUT',
    body: { ...whole.json, spec: { ...whole.json.spec, sessionAffinity: 'ClientIP' }, status },
  })
  t.is(part.code, 200, part.text)
  t.deepEqual(part.json.status, status)
  t.is(part.json.spec.sessionAffinity, 'None')
  t.deepEqual((await fetch(`${path}/s/status`)).json, part.json)
  t.is((await fetch(`${path}/s/status`, { method: 'DELETE' })).code, 405)
  t.is((await fetch(`${MAPS}/s/status`)).code, 404)
})

test('generations count changes of what is wanted', async t => {
  const { fetch } = await startApiserver(t)
  const path = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices'
  const slice = {
    metadata: { name: 'e' },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['192.0.2.1'] }],
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
  }
  t.is((await fetch(path, { method: 'POST', body: slice })).json.metadata.generation, 1)
  const patch = (body: object) => fetch(`${path}/e`, { method: 'PATCH', headers: MERGE, body })
  t.is((await patch({ metadata: { annotations: { a: 'b' } } })).json.metadata.generation, 1)
  // Labels say whose it is.
  t.is((await patch({ metadata: { labels: { a: 'b' } } })).json.metadata.generation, 2)
  t.is((await patch({ endpoints: [{ addresses: ['192.0.2.2'] }] })).json.metadata.generation, 3)
})

test('PUT makes an absent object of the kinds that allow it', async t => {
  const { fetch } = await startApiserver(t)
  const path = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l'
  const body = { metadata: { name: 'l' }, spec: { holderIdentity: 'me' } }
  t.is((await fetch(path, { method: 'PUT', body })).code, 201)
  const again = await fetch(path, { method: 'PUT', body })
  t.is(again.code, 422)
  t.is(again.json.details.causes[0].field, 'metadata.resourceVersion')
})

test('a namespace that goes takes nothing new and waits for its finalizer', async t => {
  const { fetch, client } = await startApiserver(t)
  await fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'n' } } })
  const going = await fetch('/api/v1/namespaces/n', { method: 'DELETE' })
  t.deepEqual([going.code, going.json.status.phase, going.json.spec.finalizers], [200, 'Terminating', ['kubernetes']])
  const late = await fetch('/api/v1/namespaces/n/configmaps', { method: 'POST', body: { metadata: { name: 'a' } } })
  t.is(late.code, 403)
  t.is(
    late.json.message,
    'configmaps "a" is forbidden: unable to create new content in namespace n because it is being terminated',
  )
  t.deepEqual(late.json.details.causes, [
    { reason: 'NamespaceTerminating', message: 'namespace n is being terminated', field: 'metadata.namespace' },
  ])
  const finalized = await fetch('/api/v1/namespaces/n/finalize', {
    method: 'PUT',
    body: { ...going.json, spec: { finalizers: [] } },
  })
  t.is(finalized.code, 200, finalized.text)
  t.is((await fetch('/api/v1/namespaces/n')).code, 404)
  const made = await client.create(configMapKind, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'n' },
  })
  t.is(made.ok ? 201 : made.problem.code, 404)
})

test('the first namespaces stay', async t => {
  const { fetch } = await startApiserver(t)
  const refused = await fetch('/api/v1/namespaces/default', { method: 'DELETE' })
  t.deepEqual(
    [refused.code, refused.json.message],
    [403, 'namespaces "default" is forbidden: this namespace may not be deleted'],
  )
})

test('no object outlives the emptying of its namespace, however creations race with it', async t => {
  const { fetch, store } = await startApiserver(t)
  await fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'n' } } })
  const creations = Array.from({ length: 50 }, (_, n) =>
    fetch('/api/v1/namespaces/n/configmaps', { method: 'POST', body: { metadata: { name: `m${n}` } } }),
  )
  const going = await fetch('/api/v1/namespaces/n', { method: 'DELETE' })
  t.is(going.code, 200)
  // Whoever sees the namespace Terminating sees all that will ever be in it.
  const seen = await fetch('/api/v1/namespaces/n/configmaps')
  const codes = (await Promise.all(creations)).map(({ code }) => code)
  t.is(seen.json.items.length, codes.filter(code => code === 201).length)
  t.true(codes.every(code => code === 201 || code === 403))
  t.true((await store.revision()) > 0)
})

test('bodies: YAML in, too large, unknown formats', async t => {
  const { fetch } = await startApiserver(t)
  const yaml = await fetch(MAPS, {
    method: 'POST',
    headers: { 'content-type': 'application/yaml' },
    body: 'metadata: {name: yaml}\ndata: {x: "1"}\n',
  })
  t.deepEqual([yaml.code, yaml.json.data], [201, { x: '1' }])
  const large = await fetch(MAPS, {
    method: 'POST',
    body: { metadata: { name: 'l' }, data: { x: 'x'.repeat(4 << 20) } },
  })
  t.deepEqual([large.code, large.json.reason], [413, 'RequestEntityTooLarge'])
  const odd = await fetch(MAPS, { method: 'POST', headers: { 'content-type': 'text/foo' }, body: 'x' })
  t.is(odd.code, 415)
  t.regex(odd.json.message, /^the body of the request was in an unknown format - accepted media types include: /)
})

test('Events go by themselves after an hour; their writers share leases', async t => {
  const { fetch, store } = await startApiserver(t)
  const path = '/api/v1/namespaces/default/events'
  const make = (name: string) =>
    fetch(path, {
      method: 'POST',
      body: { metadata: { name }, involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' }, reason: 'Tested' },
    })
  t.is((await make('a')).code, 201)
  t.is((await make('b')).code, 201)
  const [a, b] = await Promise.all(['a', 'b'].map(name => store.get(`/registry/events/default/${name}`)))
  t.true((a?.lease ?? 0) > 0)
  t.is(a?.lease, b?.lease)
  await store.revokeLease(a!.lease)
  t.deepEqual((await fetch(path)).json.items, [])
  const made = await make('c')
  t.is(made.code, 201, made.text)
})

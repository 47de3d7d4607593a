import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectSecond } from 'node:http2'
import { connect } from 'node:tls'
import test from 'ava'
import { ensurePki } from '#cluster/pki/pki.ts'
import { type Clock, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { startApiserver } from '../../support/apiserver.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { openWatch } from '../../support/watch-lines.ts'

test('without a credential: health alone, else 401', async t => {
  const { fetch } = await startApiserver(t)
  for (const path of ['/healthz', '/livez', '/readyz', '/readyz?verbose'])
    t.is((await fetch(path, { anonymous: true })).code, 200, path)
  for (const path of [
    '/',
    '/api',
    '/apis',
    '/api/v1/pods',
    '/metrics',
    '/openapi/v3',
    '/healthzz',
    '/readyz/ping',
    '/version',
  ]) {
    const { code, json } = await fetch(path, { anonymous: true })
    t.is(code, 401, path)
    t.deepEqual(json, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    })
  }
})

test('a certificate of another CA is no certificate', async t => {
  const { url, tls } = await startApiserver(t)
  const directory = temporaryFolder(t)
  const stranger = await ensurePki({ directory, clock: systemClock, logger: silentLogger })
  const { certificate, key } = await stranger.serving(['localhost'])
  const session = connectSecond(url, { ca: tls.ca, cert: certificate, key })
  t.teardown(() => session.destroy())
  const code = await new Promise<unknown>((resolve, reject) => {
    session.on('error', reject)
    const stream = session.request({ ':path': '/api/v1/secrets' })
    stream.on('response', headers => resolve(headers[':status']))
    stream.resume()
  })
  t.is(code, 401)
})

test('a connection is nobody’s any more when the certificate that it began with has ended', async t => {
  let ahead = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead }
  const { url, tls } = await startApiserver(t, { clock })
  const session = connectSecond(url, tls)
  t.teardown(() => session.destroy())
  const code = () =>
    new Promise<unknown>((resolve, reject) => {
      session.on('error', reject)
      const stream = session.request({ ':path': '/api/v1/secrets' })
      stream.on('response', headers => resolve(headers[':status']))
      stream.resume()
    })
  t.is(await code(), 200)
  const { validTo } = new X509Certificate(tls.cert)
  ahead = Date.parse(validTo) - Date.now() - 60_000
  t.is(await code(), 200)
  ahead += 120_000
  t.is(await code(), 401)
})

test('checks can be looked at one by one', async t => {
  const { fetch, store } = await startApiserver(t)
  const { text } = await fetch('/readyz?verbose')
  t.regex(text, /^\[\+\]ping ok\n/)
  t.regex(text, /readyz check passed\n$/)
  t.regex((await fetch('/livez?verbose&exclude=etcd')).text, /^\[\+\]etcd excluded: ok$/m)
  t.is((await fetch('/livez/etcd')).text, 'ok')
  t.is((await fetch('/livez/nope')).code, 404)
  await store.close()
  const broken = await fetch('/livez')
  t.is(broken.code, 500)
  t.regex(broken.text, /^\[-\]etcd failed: /m)
  t.is((await fetch('/livez?exclude=etcd')).code, 200)
})

test('discovery: legacy, aggregated, unchanged', async t => {
  const { fetch } = await startApiserver(t)
  t.deepEqual((await fetch('/api')).json.versions, ['v1'])
  const groups = (await fetch('/apis')).json.groups.map((group: { name: string }) => group.name)
  const known = ['apps', 'events.k8s.io', 'batch', 'networking.k8s.io', 'storage.k8s.io', 'discovery.k8s.io']
  t.deepEqual(
    groups.filter((group: string) => known.includes(group)),
    known,
    'in the order of kube-apiserver',
  )
  const core = (await fetch('/api/v1')).json
  t.is(core.groupVersion, 'v1')
  const services = core.resources.find((resource: { name: string }) => resource.name === 'services')
  t.deepEqual([services.kind, services.namespaced, services.shortNames], ['Service', true, ['svc']])
  t.true(core.resources.some((resource: { name: string }) => resource.name === 'services/status'))
  t.is((await fetch('/apis/discovery.k8s.io')).json.preferredVersion.version, 'v1')
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'
  const aggregated = await fetch('/apis', { headers: { accept } })
  t.is(aggregated.headers['content-type'], 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
  t.deepEqual(
    aggregated.json.items.map((item: { metadata: { name: string } }) => item.metadata.name),
    groups,
  )
  const again = await fetch('/apis', { headers: { accept, 'if-none-match': aggregated.headers.etag ?? '' } })
  t.deepEqual([again.code, again.text], [304, ''])
})

test('OpenAPI: the index names documents by hash, which may be kept', async t => {
  const { fetch } = await startApiserver(t)
  const { paths } = (await fetch('/openapi/v3')).json
  const { serverRelativeURL } = paths['api/v1']
  const document = await fetch(serverRelativeURL)
  t.is(document.json.openapi, '3.0.0')
  t.regex(document.headers['cache-control'] ?? '', /immutable/)
  t.notRegex((await fetch('/openapi/v3/api/v1?hash=OLD')).headers['cache-control'] ?? '', /immutable/)
  t.is((await fetch('/openapi/v3/api/v2')).code, 404)
  const kept = await fetch(serverRelativeURL, { headers: { 'if-none-match': document.headers.etag ?? '' } })
  t.is(kept.code, 304)
})

const ABSENT = 'the server could not find the requested resource'

test('paths that are not there', async t => {
  const { fetch } = await startApiserver(t)
  for (const path of ['/apis/x.io/v1', '/apis/x.io/v1/foos', '/apis/x.io/v1/namespaces/a/foos/b'])
    t.deepEqual([(await fetch(path)).code, (await fetch(path)).text], [404, '404 page not found\n'], path)
  for (const path of ['/api/v1/foos', '/api/v1/services/name', '/api/v1/namespaces/a/nodes', '/apis/apps/v1/foos']) {
    const { code, json } = await fetch(path)
    t.deepEqual([code, json.message, json.details], [404, ABSENT, {}], path)
  }
  t.is((await fetch('/foo')).code, 404)
  t.true((await fetch('/')).json.paths.includes('/apis/discovery.k8s.io/v1'))
  t.is((await fetch('/api/v1/%zz')).code, 400)
  t.is((await fetch('/version', { method: 'POST' })).code, 405)
})

test('what needs a kubelet is refused in words', async t => {
  const { fetch } = await startApiserver(t)
  const refused = async (path: string, init: Parameters<typeof fetch>[1]) => {
    const { code, json } = await fetch(path, init)
    t.deepEqual([code, json?.kind, json?.code], [501, 'Status', 501], path)
    return json.message
  }
  const pod = '/api/v1/namespaces/default/pods/p'
  const upgrade = { connection: 'Upgrade', upgrade: 'SPDY/3.1' }
  for (const action of ['exec', 'attach', 'portforward'])
    t.regex(await refused(`${pod}/${action}`, { method: 'POST', headers: upgrade }), /needs a kubelet/)
  t.regex(await refused(`${pod}/log`, {}), /needs a kubelet/)
  t.is((await fetch(`${pod}/nothing`)).json.message, ABSENT)
  t.is((await fetch('/api/v1/namespaces/default/services/s/log')).json.message, ABSENT)
})

test('requests and watches are counted by the names that Kubernetes gives them', async t => {
  const server = await startApiserver(t)
  const watch = await openWatch(t, server, '/api/v1/namespaces/default/configmaps?watch=1')
  await server.fetch('/api/v1/namespaces/default/configmaps', { method: 'POST', body: { metadata: { name: 'a' } } })
  await watch.take(1)
  const { text } = await server.fetch('/metrics')
  const value = (name: string, ...labels: string[]) =>
    Number(
      text
        .split('\n')
        .find(line => line.startsWith(`${name}{`) && labels.every(label => line.includes(label)))
        ?.split(' ')
        .at(-1),
    )
  t.is(value('apiserver_request_total', 'verb="CREATE"', 'resource="configmaps"', 'code="201"'), 1)
  t.is(value('apiserver_longrunning_requests', 'verb="WATCH"', 'resource="configmaps"'), 1)
  t.is(value('apiserver_watch_events_total', 'resource="configmaps"'), 1)
  t.true(value('apiserver_request_duration_seconds_count', 'verb="CREATE"', 'resource="configmaps"') === 1)
})

test('what strangers make up becomes no series', async t => {
  const server = await startApiserver(t)
  const pods = '/api/v1/namespaces/default/pods'
  t.is((await server.fetch(`${pods}/x/made-up`, { anonymous: true })).code, 401)
  t.is((await server.fetch(`${pods}/x/made-up`)).code, 404)
  t.is((await server.fetch(`${pods}/x/made-up?watch=1`)).code, 404)
  t.is((await server.fetch('/api/v1/namespaces/default/made-up')).code, 404)
  const session = connectSecond(server.url, { ca: server.tls.ca })
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': pods, ':method': 'MADE-UP' })
  stream.resume()
  await once(stream, 'close')
  const { text } = await server.fetch('/metrics')
  t.notRegex(text, /made-up/i)
  t.regex(text, /apiserver_request_total\{verb="OTHER",.*code="401"/)
})

test('a watch has no duration', async t => {
  const server = await startApiserver(t)
  await server.fetch('/api/v1/namespaces/default/pods?watch=1&timeoutSeconds=1')
  const { text } = await server.fetch('/metrics')
  t.regex(text, /apiserver_request_total\{verb="WATCH",/)
  t.notRegex(text, /apiserver_request_duration_seconds_count\{verb="WATCH",/)
})

test('a client that says nothing, or nonsense, harms nobody', async t => {
  const server = await startApiserver(t)
  const { port } = server.apiserver.address
  const socket = connect({ host: '127.0.0.1', port, ca: server.tls.ca, servername: 'localhost' })
  await new Promise(resolve => socket.once('secureConnect', resolve))
  socket.write('NONSENSE\r\n\r\n')
  const text = await new Promise<string>(resolve => socket.once('data', data => resolve(String(data))))
  t.regex(text, /^HTTP\/1\.1 400 /)
  socket.destroy()
  t.is((await server.fetch('/livez')).code, 200)
})

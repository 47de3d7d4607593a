/** Aggregation with a real extension server: registered, looked after, told of, and given its requests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { type Clock, systemClock } from '#lib/clock.ts'
import { startApiserver } from '../../../support/apiserver.ts'
import { FAR, startExtension } from '../../../support/extension-server.ts'
import { kubectl } from '../../../support/kubectl.ts'
import { APISERVICES, apiService, at, becomes, makeService, NAME, STARS, withExtension } from './world.ts'

test('requests reach the other server as the user who made them, and its answers the user', async t => {
  const { server, extension } = await withExtension(t)
  const list = await server.fetch(STARS, {
    as: 'jane',
    groups: ['system:masters', 'dev'],
    headers: { 'x-remote-user': 'mallory', 'x-remote-group': 'system:masters', 'x-remote-extra-mine': 'forged' },
  })
  t.is(list.code, 200, list.text)
  t.is(list.headers['x-far'], 'yes')
  t.deepEqual(
    list.json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ['sirius', 'vega'],
  )
  const { headers } = extension.requests.find(({ path }) => path === STARS)!
  t.is(headers['x-remote-user'], 'jane')
  t.is(headers['x-remote-group'], 'system:masters, dev, system:authenticated')
  t.is(headers['x-remote-extra-mine'], undefined)
  t.is(headers['impersonate-user'], undefined)
  t.is(headers.host, 'far.default.svc')
  const body = { apiVersion: 'far.example.com/v1', kind: 'Star', metadata: { name: 'new' } }
  const created = await server.fetch(`${STARS}?fieldManager=me`, { method: 'POST', body })
  t.is(created.code, 201)
  t.deepEqual(created.json, body)
  t.is(extension.requests.at(-1)?.path, `${STARS}?fieldManager=me`)
  t.is((await server.fetch(`${STARS}/none`)).code, 404)
  const nobody = await server.fetch(STARS, { as: 'nobody', groups: ['system:authenticated'] })
  t.is(nobody.code, 403, 'the apiserver asks whether they may')
  t.is((await server.fetch(STARS, { anonymous: true })).code, 401)
})

test('the other server learns for whom it is asked, behind those whom proxies have named, and by which name', async t => {
  const { server, extension } = await withExtension(t)
  const cases: readonly [before: Record<string, string>, forwarded: string][] = [
    [{}, '127.0.0.1'],
    [{ 'x-forwarded-for': '192.0.2.1' }, '192.0.2.1, 127.0.0.1'],
    [{ 'x-forwarded-for': '192.0.2.1, 2001:db8::1' }, '192.0.2.1, 2001:db8::1, 127.0.0.1'],
  ]
  for (const [before, forwarded] of cases) {
    const answer = await server.fetch(STARS, { headers: before })
    const { headers } = extension.requests.at(-1)!
    t.is(headers['x-forwarded-for'], forwarded)
    t.truthy(headers['audit-id'])
    t.is(headers['audit-id'], answer.headers['audit-id'])
  }
  await server.fetch(STARS, { headers: { 'audit-id': 'mine' } })
  t.is(extension.requests.at(-1)?.headers['audit-id'], 'mine')
})

test('a watch comes through as it happens, and ends with its client', async t => {
  const { server } = await withExtension(t)
  const first = await new Promise<string>((resolve, reject) => {
    const sent = get(`${server.url}${STARS}?watch=true`, { ...server.tls }, response => {
      let text = ''
      response.on('data', chunk => {
        text += chunk
        if (text.split('\n').length < 3) return
        resolve(text)
        sent.destroy()
      })
    })
    sent.on('error', reject)
  })
  t.deepEqual(
    first
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).object.metadata.name),
    ['sirius', 'vega'],
  )
})

test('whoever asks a server that says nothing is told so in time, and holds no place for good', async t => {
  let hurry = false
  const after: Clock['after'] = (delay, task) => systemClock.after(hurry && delay === 60_000 ? 1 : delay, task)
  const { server } = await withExtension(t, { clock: { ...systemClock, after } })
  hurry = true
  for (const method of ['GET', 'DELETE']) {
    const { code, json } = await server.fetch(`${STARS}/black-hole`, { method })
    t.is(code, 504)
    t.is(json.message, 'Timeout: request did not complete within the allotted timeout')
  }
  hurry = false
  t.is((await server.fetch(STARS)).code, 200)
})

test('a kept connection that the server has just closed costs no read', async t => {
  const { server, extension } = await withExtension(t)
  const count = () => extension.requests.filter(({ path }) => path.endsWith('/fickle')).length
  for (let turn = 1; turn <= 3; turn++) t.is((await server.fetch(`${STARS}/fickle`)).code, 200)
  t.true(count() > 3, 'some came to a connection that was closed on them')
  const written = await server.fetch(`${STARS}/fickle`, { method: 'POST', body: {} })
  t.is(written.code, 503, 'nobody knows whether a write was heard')
})

test('discovery and OpenAPI tell of it with the rest', async t => {
  const { server } = await withExtension(t)
  const { groups } = (await server.fetch('/apis')).json
  t.is(groups.at(-1).name, FAR.group, 'the least important')
  t.is((await server.fetch('/apis/far.example.com')).json.preferredVersion.groupVersion, 'far.example.com/v1')
  t.is((await server.fetch('/apis/far.example.com/v1')).json.resources[0].name, 'stars')
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const { items } = (await server.fetch('/apis', { headers: { accept } })).json
  t.deepEqual(items.at(-1), {
    metadata: { name: FAR.group },
    versions: [
      {
        version: 'v1',
        resources: [
          {
            resource: 'stars',
            responseKind: { ...FAR, kind: 'Star' },
            scope: 'Namespaced',
            singularResource: 'star',
            verbs: ['get', 'list', 'create', 'watch'],
            shortNames: ['st'],
            subresources: [{ subresource: 'status', responseKind: { ...FAR, kind: 'Star' }, verbs: ['get'] }],
          },
        ],
        freshness: 'Current',
      },
    ],
  })
  const { paths } = (await server.fetch('/openapi/v3')).json
  const { serverRelativeURL } = paths['apis/far.example.com/v1']
  t.is((await server.fetch(serverRelativeURL)).json.info.title, 'far')
  t.truthy(paths['apis/apps/v1'])
})

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

test('OpenAPI v2 has its part, under names that nobody else has', async t => {
  const { server, extension } = await withExtension(t)
  const { json, headers } = await server.fetch('/openapi/v2')
  const { paths, definitions } = json
  const { parameters, get: list } = paths['/apis/far.example.com/v1/namespaces/{namespace}/stars']
  t.is(parameters[0].name, 'pretty')
  t.is(list.responses[200].schema.$ref, '#/definitions/com.example.far.v1.Star')
  const { properties } = definitions['com.example.far.v1.Star']
  t.is(properties.metadata.$ref, `#/definitions/${META}_v2`)
  t.is(properties.mass.$ref, '#/definitions/io.k8s.apimachinery.pkg.api.resource.Quantity')
  t.deepEqual(properties.$ref, { type: 'string' })
  t.is(definitions[`${META}_v2`].description, 'Of far away.')
  t.truthy(definitions[META].properties.labels)
  t.is(definitions['io.k8s.apimachinery.pkg.api.resource.Quantity_v2'], undefined)
  t.is(definitions['com.example.far.v1.Unused'], undefined)
  t.not(paths['/apis/apps/v1/']?.get.operationId, 'forged')
  t.truthy(paths['/apis/apps/v1/namespaces/{namespace}/deployments'])
  const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
  t.true((await server.fetch('/openapi/v2', { headers: { accept } })).text.includes('A star is far away.'))
  const known = { headers: { 'if-none-match': String(headers.etag) } }
  t.is((await server.fetch('/openapi/v2', known)).code, 304)
  t.is(
    extension.requests.find(({ path }) => path === '/openapi/v2')?.headers['x-remote-user'],
    'system:kube-aggregator',
  )
  // Away, its word stands; gone, it does not.
  await extension.close()
  t.is((await server.fetch(STARS)).code, 503)
  await becomes(server, 'FailedDiscoveryCheck')
  t.is((await server.fetch('/openapi/v2', known)).code, 304)
  await server.fetch(`${APISERVICES}/${NAME}`, { method: 'DELETE' })
  t.is((await server.fetch('/openapi/v2')).json.definitions['com.example.far.v1.Star'], undefined)
})

test('kubectl finds it, gets it and explains it', async t => {
  const { server } = await withExtension(t)
  const home = mkdtempSync(join(tmpdir(), 'seamark-home-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await kubectl(args, { kubeconfig: server.kubeconfig, home })
    t.is(code, 0, `${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }
  t.is(await run('get', 'st', '-o', 'name'), 'star.far.example.com/sirius\nstar.far.example.com/vega')
  t.regex(await run('explain', 'stars'), /A star is far away\./)
  const services = (await run('get', 'apiservices', '--no-headers'))
    .split('\n')
    .map(line => line.split(/\s+/).slice(0, 3))
  t.deepEqual(
    services.find(([name]) => name === NAME),
    [NAME, 'default/far', 'True'],
  )
  t.deepEqual(
    services.find(([name]) => name === 'v1.apps'),
    ['v1.apps', 'Local', 'True'],
  )
  t.deepEqual(
    services.find(([name]) => name === 'v1.'),
    ['v1.', 'Local', 'True'],
  )
  t.false(services.some(([name = '']) => name.endsWith('apiregistration.k8s.io')))
})

test('it says why another server is not there, and takes nothing from the rest', async t => {
  const server = await startApiserver(t)
  const unknown = await server.fetch(APISERVICES, { method: 'POST', body: apiService({ insecureSkipTLSVerify: true }) })
  t.is(unknown.code, 201, unknown.text)
  t.like(await becomes(server, 'ServiceNotFound'), {
    status: 'False',
    message: 'service/far in "default" is not present',
  })
  const away = await server.fetch(STARS)
  t.is(away.code, 503)
  t.is(away.json.message, 'service unavailable')
  t.is((await server.fetch('/api/v1/pods')).code, 200)
  const ports = [{ name: 'https', port: 444 }]
  const services = '/api/v1/namespaces/default/services'
  await server.fetch(services, { method: 'POST', body: { metadata: { name: 'far' }, spec: { ports } } })
  t.is((await becomes(server, 'ServicePortError')).message, 'service/far in "default" is not listening on port 443')
  const merge = { 'content-type': 'application/merge-patch+json' }
  await server.fetch(`${services}/far`, {
    method: 'PATCH',
    headers: merge,
    body: { spec: { ports: [{ name: 'https', port: 443 }] } },
  })
  t.is(
    (await becomes(server, 'MissingEndpoints')).message,
    'endpoints for service/far in "default" have no addresses with port name "https"',
  )
  await server.fetch(`${services}/far`, { method: 'DELETE' })
  await makeService(server)
  t.regex(
    (await becomes(server, 'FailedDiscoveryCheck')).message,
    /^failing or missing response from \/apis\/far.example.com\/v1: /,
  )
  t.is((await server.fetch(`${APISERVICES}/${NAME}`, { method: 'DELETE' })).code, 200)
  t.is((await server.fetch(STARS)).code, 404, 'nobody serves it any more')
  t.is((await server.fetch('/apis/far.example.com')).code, 404)
})

test('a server that cannot show its name is not believed', async t => {
  const server = await startApiserver(t)
  const { data } = (await server.fetch('/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'))
    .json
  const extension = await startExtension(data['requestheader-client-ca-file'])
  t.teardown(() => extension.close())
  await makeService(server)
  await server.fetch(APISERVICES, { method: 'POST', body: apiService(at(extension.port)) })
  await becomes(server, 'FailedDiscoveryCheck')
  t.is(extension.requests.length, 0)
})

test('what is served here has its APIServices, which come back', async t => {
  const server = await startApiserver(t)
  const { json } = await server.fetch(`${APISERVICES}/v1.apps`)
  t.like(json, {
    metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
    spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17800, versionPriority: 15 },
    status: { conditions: { 0: { type: 'Available', status: 'True', reason: 'Local' } } },
  })
  t.is((await server.fetch(`${APISERVICES}/v1.apps`, { method: 'DELETE' })).code, 200)
  t.is((await server.fetch('/apis/apps/v1/deployments')).code, 200)
  const deadline = Date.now() + 60_000
  while ((await server.fetch(`${APISERVICES}/v1.apps`)).code === 404) {
    if (Date.now() > deadline) return t.fail('it did not come back')
    await server.fetch(`${APISERVICES}?watch=1&timeoutSeconds=1`)
  }
  t.pass()
})

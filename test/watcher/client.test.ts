import test from 'ava'
import { SeamarkError } from '#lib/errors.ts'
import { createRegistry } from '#lib/metrics.ts'
import { ApiStatusError } from '#watcher/api-status-error.ts'
import { RestClient } from '#watcher/client.ts'
import { requestMetrics } from '#watcher/request-observer.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventually } from './support/eventually.ts'
import {
  FreezingProxy,
  type Protocol,
  scriptedServer,
  sendJson,
  sendStatus,
  testCertificates,
  thing,
} from './support/scripted-server.ts'

const THINGS = { group: 'example.com', version: 'v1', resource: 'things' }
const PROTOCOLS: readonly Protocol[] = ['http', 'https', 'h2']

for (const protocol of PROTOCOLS) {
  test(`${protocol}: every verb asks as Kubernetes documents it`, async t => {
    const server = await scriptedServer(t, protocol, (_asked, answer) => sendJson(answer, 200, thing('a', 1)))
    const client = new RestClient({ access: server.access(), userAgent: 'tester/1' })
    t.teardown(() => client.close())
    const name = { namespace: 'default', name: 'a' }
    t.deepEqual(await client.get(THINGS, name), thing('a', 1))
    await client.create(THINGS, thing('a', 1), { query: { dryRun: 'All' } })
    await client.update(THINGS, thing('a', 1))
    await client.updateStatus(THINGS, thing('a', 1))
    await client.patch(THINGS, name, { type: 'json', body: [] })
    await client.patch(THINGS, name, { type: 'merge', body: {} }, { subresource: 'scale' })
    await client.patch(THINGS, name, { type: 'strategic', body: {} })
    await client.patch(THINGS, name, { type: 'apply', body: {} }, { query: { fieldManager: 'me', force: true } })
    await client.delete(THINGS, name, { propagationPolicy: 'Foreground', preconditions: { uid: 'u' } })
    await client.deleteCollection(THINGS, { namespace: 'default', labelSelector: 'a in (b,c)' })
    await client.list(THINGS, { fieldSelector: 'metadata.name=a', limit: 5, continue: 'x/y=' })
    const base = '/apis/example.com/v1/namespaces/default/things'
    t.deepEqual(
      server.asked.map(({ method, path, query, headers }) => [method, path, query.toString(), headers['content-type']]),
      [
        ['GET', `${base}/a`, '', undefined],
        ['POST', base, 'dryRun=All', 'application/json'],
        ['PUT', `${base}/a`, '', 'application/json'],
        ['PUT', `${base}/a/status`, '', 'application/json'],
        ['PATCH', `${base}/a`, '', 'application/json-patch+json'],
        ['PATCH', `${base}/a/scale`, '', 'application/merge-patch+json'],
        ['PATCH', `${base}/a`, '', 'application/strategic-merge-patch+json'],
        ['PATCH', `${base}/a`, 'fieldManager=me&force=true', 'application/apply-patch+yaml'],
        ['DELETE', `${base}/a`, '', 'application/json'],
        ['DELETE', base, 'labelSelector=a+in+%28b%2Cc%29', 'application/json'],
        ['GET', '/apis/example.com/v1/things', 'fieldSelector=metadata.name%3Da&limit=5&continue=x%2Fy%3D', undefined],
      ],
    )
    t.deepEqual(JSON.parse(server.asked[8]!.body), {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Foreground',
      preconditions: { uid: 'u' },
    })
    t.is(server.asked[0]!.headers['user-agent'], 'tester/1')
    t.true(server.connections <= (protocol === 'http' ? 1 : 2), `${server.connections} connections`)
  })

  test(`${protocol}: a refusal is an ApiStatusError with its reason`, async t => {
    const server = await scriptedServer(t, protocol, (_asked, answer) => sendStatus(answer, 409, 'AlreadyExists'))
    const client = new RestClient({ access: server.access() })
    t.teardown(() => client.close())
    const error = await t.throwsAsync(client.create(THINGS, thing('a', 1)), { instanceOf: ApiStatusError })
    t.deepEqual([error.code, error.isAlreadyExists, error.isConflict, error.isNotFound], [409, true, false, false])
    server.script = (_asked, answer) => {
      answer.statusCode = 404
      answer.end('404 page not found')
    }
    const plain = await t.throwsAsync(client.raw('/nothing'), { instanceOf: ApiStatusError })
    t.true(plain.isNotFound)
    t.regex(plain.message, /GET \/nothing: HTTP 404 404 page not found/)
  })

  test(`${protocol}: 429 and 503 with Retry-After are waited out, without it they are the answer`, async t => {
    const clock = new VirtualClock()
    let left = 2
    const server = await scriptedServer(t, protocol, (_asked, answer) => {
      if (left-- > 0) sendStatus(answer, left === 1 ? 429 : 503, 'TooManyRequests', { 'retry-after': '7' })
      else sendJson(answer, 200, thing('a', 1))
    })
    const client = new RestClient({ access: server.access(), clock })
    t.teardown(() => client.close())
    const startedAt = clock.monotonic()
    let done = false
    const answer = client.create(THINGS, thing('a', 1)).then(() => (done = true))
    while (!done) await clock.advance(1_000)
    await answer
    const waited = clock.monotonic() - startedAt
    t.is(server.asked.length, 3)
    t.true(waited >= 14_000 && waited < 60_000, `${waited} ms`)
    server.script = (_asked, reply) => sendStatus(reply, 503, 'ServiceUnavailable')
    await t.throwsAsync(client.get(THINGS, { name: 'a' }), { message: /ServiceUnavailable!/ })
  })

  test(`${protocol}: a call has a time limit, and a signal ends it with the signal's reason`, async t => {
    const clock = new VirtualClock()
    const server = await scriptedServer(t, protocol, () => {})
    const client = new RestClient({ access: server.access(), clock })
    t.teardown(() => client.close())
    const late = t.throwsAsync(client.raw('/slow', { timeout: 5_000 }), {
      code: 'API_UNREACHABLE',
      message: /within 5 s/,
    })
    await eventually(() => server.asked.length === 1, 'the request arrives')
    await clock.advance(5_000)
    await late
    const abort = new AbortController()
    const aborted = t.throwsAsync(client.raw('/slow', { signal: abort.signal }), { message: 'enough' })
    await eventually(() => server.asked.length === 2, 'the request arrives')
    abort.abort(new Error('enough'))
    await aborted
    await t.throwsAsync(client.raw('/', { signal: abort.signal }), { message: 'enough' })
  })

  test(`${protocol}: an answer that is cut off is a failure, not an answer`, async t => {
    const server = await scriptedServer(t, protocol, (_asked, answer) => {
      answer.setHeader('content-type', 'application/json')
      answer.write('{"kind":"Thing"')
      setImmediate(() => answer.destroy())
    })
    const client = new RestClient({ access: server.access() })
    t.teardown(() => client.close())
    await t.throwsAsync(client.get(THINGS, { name: 'a' }), { instanceOf: SeamarkError, code: 'API_UNREACHABLE' })
  })
}

test('a server that is away is API_UNREACHABLE; a name that its certificate lacks too, unless it is told', async t => {
  const server = await scriptedServer(t, 'h2', (_asked, answer) => sendJson(answer, 200, {}))
  const attempt = async (overrides: object) => {
    const client = new RestClient({ access: server.access(overrides) })
    t.teardown(() => client.close())
    return client.raw('/version')
  }
  const unused = new URL('https://127.0.0.1:1')
  await t.throwsAsync(attempt({ server: unused }), { code: 'API_UNREACHABLE', message: /ECONNREFUSED/ })
  await t.throwsAsync(attempt({ authority: async () => undefined }), { code: 'API_UNREACHABLE' })
  await t.throwsAsync(attempt({ serverName: 'other.example' }), { code: 'API_UNREACHABLE' })
  await t.notThrowsAsync(attempt({ serverName: 'named.example' }))
  await t.notThrowsAsync(attempt({ serverName: '127.0.0.1' }))
  await t.notThrowsAsync(attempt({ authority: async () => undefined, insecure: true }))
})

test('the base path of the server goes before every path', async t => {
  for (const protocol of PROTOCOLS) {
    const server = await scriptedServer(t, protocol, (_asked, answer) => sendJson(answer, 200, {}))
    const client = new RestClient({ access: server.access({ server: new URL('/clusters/c1/', server.url()) }) })
    await client.list(THINGS)
    await client.close()
    t.is(server.asked[0]?.path, '/clusters/c1/apis/example.com/v1/things')
  }
})

test('after GOAWAY requests go over a new connection, and those in flight end in their own time', async t => {
  const held: (() => void)[] = []
  const server = await scriptedServer(t, 'h2', (asked, answer) => {
    const reply = () => sendJson(answer, 200, thing('a', 1))
    if (asked.path === '/held') held.push(reply)
    else reply()
  })
  const client = new RestClient({ access: server.access() })
  t.teardown(() => client.close())
  const first = client.raw('/held')
  await eventually(() => held.length === 1, 'the first request arrives')
  for (const session of server.sessions) session.goaway(0)
  // The client must have read the GOAWAY: an answer on the same connection comes behind it.
  await eventually(() => server.connections === 1, 'one connection so far')
  for (let tries = 0; server.connections < 2 && tries < 100; tries++) await client.raw('/now')
  t.is(server.connections, 2)
  held[0]?.()
  t.regex(await first, /Thing/)
})

test('a lost connection is dialled again', async t => {
  const server = await scriptedServer(t, 'h2', (_asked, answer) => sendJson(answer, 200, {}))
  const proxy = await FreezingProxy.start(t, server.port)
  const client = new RestClient({ access: server.access({ server: server.url(proxy.port) }) })
  t.teardown(() => client.close())
  await client.raw('/one')
  proxy.cut()
  await eventually(() => server.sessions.size === 0, 'the server sees the end')
  await client.raw('/two').catch(() => client.raw('/two'))
  t.is(server.connections, 2)
})

test('a changed client certificate is presented by the next request', async t => {
  const { client: jane, another: john } = await testCertificates()
  for (const protocol of ['https', 'h2'] as const) {
    const server = await scriptedServer(t, protocol, (_asked, answer) => sendJson(answer, 200, {}))
    let pair = jane
    const credentials = { headers: async () => ({}), keyPair: async () => pair, refused: () => false }
    const client = new RestClient({ access: server.access({ credentials }) })
    t.teardown(() => client.close())
    await client.raw('/one')
    pair = john
    await client.raw('/two')
    t.deepEqual(
      server.asked.map(({ peerName }) => peerName),
      ['jane', 'john'],
      protocol,
    )
  }
})

test('after 401 the credentials are asked once more', async t => {
  const server = await scriptedServer(t, 'http', (asked, answer) =>
    asked.headers.authorization === 'Bearer new' ? sendJson(answer, 200, {}) : sendStatus(answer, 401, 'Unauthorized'),
  )
  let token = 'old'
  let renewable = true
  const credentials = {
    headers: async () => ({ authorization: `Bearer ${token}` }),
    keyPair: async () => undefined,
    refused() {
      token = renewable ? 'new' : 'old'
      return true
    },
  }
  const client = new RestClient({ access: server.access({ credentials }) })
  t.teardown(() => client.close())
  await t.notThrowsAsync(client.raw('/'))
  t.is(server.asked.length, 2)
  renewable = false
  token = 'old'
  const error = await t.throwsAsync(client.raw('/'), { instanceOf: ApiStatusError })
  t.true(error.isUnauthorized)
  t.is(server.asked.length, 4)
})

test('a page of a list is told item by item while it arrives', async t => {
  for (const protocol of PROTOCOLS) {
    let finish = () => {}
    const server = await scriptedServer(t, protocol, (_asked, answer) => {
      answer.setHeader('content-type', 'application/json')
      answer.write(`{"kind":"ThingList","items":[${JSON.stringify(thing('a', 1))},`)
      finish = () => answer.end(`${JSON.stringify(thing('b', 2))}],"metadata":{"resourceVersion":"9","continue":"c"}}`)
    })
    const client = new RestClient({ access: server.access() })
    t.teardown(() => client.close())
    const names: unknown[] = []
    const page = client.listItems(THINGS, {}, item => names.push(item.metadata.name))
    await eventually(() => names.length === 1, 'the first item is told before the second is sent')
    finish()
    t.deepEqual(await page, { resourceVersion: '9', continue: 'c' })
    t.deepEqual(names, ['a', 'b'])
  }
})

test('requests are counted and timed under the names that the program chose', async t => {
  const registry = createRegistry()
  const server = await scriptedServer(t, 'http', (_asked, answer) => sendStatus(answer, 404, 'NotFound'))
  const observer = requestMetrics(registry, 'coredns_kubernetes_rest_client')
  const client = new RestClient({ access: server.access(), observer })
  t.teardown(() => client.close())
  await t.throwsAsync(client.raw('/'))
  const text = await registry.metrics()
  const host = `127.0.0.1:${server.port}`
  t.true(text.includes(`coredns_kubernetes_rest_client_requests_total{code="404",method="GET",host="${host}"} 1`), text)
  t.true(text.includes(`coredns_kubernetes_rest_client_request_duration_seconds_count{verb="GET",host="${host}"} 1`))
  t.true(text.includes(`coredns_kubernetes_rest_client_rate_limiter_duration_seconds_sum{verb="GET",host="${host}"} 0`))
})

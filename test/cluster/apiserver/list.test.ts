import { gunzipSync } from 'node:zlib'
import test from 'ava'
import { type RunningApiserver, startApiserver } from '../../support/apiserver.ts'
import { clockWith } from '../../support/clock-with.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }

const fill = async ({ fetch }: RunningApiserver, count: number): Promise<void> => {
  for (let n = 0; n < count; n++) {
    const metadata = { name: `m${n}`, labels: { half: n < count / 2 ? 'first' : 'second' } }
    await fetch(MAPS, { method: 'POST', body: { metadata, data: { n: String(n) } } })
  }
}

const names = (list: { items: { metadata: { name: string } }[] }): string[] =>
  list.items.map(item => item.metadata.name)

test('pages are of one revision, whatever is written between them', async t => {
  const server = await startApiserver(t)
  await fill(server, 7)
  const first = (await server.fetch(`${MAPS}?limit=3`)).json
  t.deepEqual(names(first), ['m0', 'm1', 'm2'])
  t.is(first.metadata.remainingItemCount, 4)
  await server.fetch(`${MAPS}/m3`, { method: 'DELETE' })
  await server.fetch(MAPS, { method: 'POST', body: { metadata: { name: 'm35' } } })
  const second = (await server.fetch(`${MAPS}?limit=3&continue=${first.metadata.continue}`)).json
  t.deepEqual(names(second), ['m3', 'm4', 'm5'])
  t.is(second.metadata.resourceVersion, first.metadata.resourceVersion)
  t.is(second.metadata.remainingItemCount, 1)
  const third = (await server.fetch(`${MAPS}?limit=3&continue=${second.metadata.continue}`)).json
  t.deepEqual(names(third), ['m6'])
  t.is(third.metadata.continue, undefined)
  t.is(third.metadata.remainingItemCount, undefined)
})

test('pages with a selector are full, from memory and from history', async t => {
  const server = await startApiserver(t)
  await fill(server, 8)
  const query = 'labelSelector=half%3Dsecond&limit=3'
  const first = (await server.fetch(`${MAPS}?${query}`)).json
  t.deepEqual(names(first), ['m4', 'm5', 'm6'])
  t.is(first.metadata.remainingItemCount, undefined)
  const next = `${MAPS}?${query}&continue=${first.metadata.continue}`
  t.deepEqual(names((await server.fetch(next)).json), ['m7'])
  await server.fetch(`${MAPS}/m7`, { method: 'DELETE' })
  t.deepEqual(names((await server.fetch(next)).json), ['m7'])
})

test('an expired page says how to go on', async t => {
  const server = await startApiserver(t)
  await fill(server, 4)
  const first = (await server.fetch(`${MAPS}?limit=2`)).json
  await server.fetch(`${MAPS}/m2`, { method: 'DELETE' })
  await server.store.compact(await server.store.revision())
  const gone = await server.fetch(`${MAPS}?limit=2&continue=${first.metadata.continue}`)
  t.deepEqual([gone.code, gone.json.reason], [410, 'Expired'])
  t.regex(gone.json.message, /^The provided continue parameter is too old to display a consistent list result/)
  const rest = await server.fetch(`${MAPS}?limit=2&continue=${gone.json.metadata.continue}`)
  t.deepEqual(names(rest.json), ['m3'])
  const exact = await server.fetch(
    `${MAPS}?resourceVersionMatch=Exact&resourceVersion=${first.metadata.resourceVersion}`,
  )
  t.is(exact.code, 410)
})

/** Milliseconds that a list waits for a revision to come. */
const WAIT = 3_000

test('resourceVersion and its match', async t => {
  const server = await startApiserver(t, { clock: clockWith({ [WAIT]: 1 }) })
  await fill(server, 2)
  const then = (await server.fetch(MAPS)).json.metadata.resourceVersion
  await server.fetch(`${MAPS}/m0`, { method: 'DELETE' })
  const list = async (query: string) => names((await server.fetch(`${MAPS}?${query}`)).json)
  t.deepEqual(await list(`resourceVersion=${then}`), ['m1'])
  t.deepEqual(await list(`resourceVersion=${then}&resourceVersionMatch=NotOlderThan`), ['m1'])
  t.deepEqual(await list(`resourceVersion=${then}&resourceVersionMatch=Exact`), ['m0', 'm1'])
  // With a limit and no match, a version means exactly that one.
  t.deepEqual(await list(`resourceVersion=${then}&limit=5`), ['m0', 'm1'])
  t.deepEqual(await list('resourceVersion=0'), ['m1'])
  const future = await server.fetch(`${MAPS}?resourceVersion=999999`)
  t.deepEqual([future.code, future.json.reason], [504, 'Timeout'])
  t.regex(future.json.message, /^Timeout: Too large resource version: 999999, current: \d+$/)
  t.is(future.headers['retry-after'], '1')
})

test('bad options are named as Kubernetes names them', async t => {
  const { fetch } = await startApiserver(t)
  const cases: [query: string, code: number, message: string][] = [
    [
      'resourceVersion=abc',
      400,
      'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    ],
    ['resourceVersionMatch=Exact', 422, 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      422,
      'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      'resourceVersion=0&resourceVersionMatch=Foo',
      422,
      'Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""',
    ],
    ['limit=abc', 400, 'strconv.ParseInt: parsing "abc": invalid syntax'],
    ['continue=abc', 400, 'invalid continue token: continue key is not valid'],
    ['labelSelector=a%20in%20b', 400, "unable to parse requirement: found 'b' expected: '('"],
    [
      'fieldSelector=spec.foo%3D1',
      400,
      '"spec.foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    [
      `continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"../a"}').toString('base64url')}`,
      400,
      'invalid continue token: continue key is not valid: ../a',
    ],
  ]
  for (const [query, code, message] of cases) {
    const reply = await fetch(`${MAPS}?${query}`)
    t.is(reply.code, code, query)
    t.true(reply.json.message.includes(message), reply.json.message)
  }
})

test('all namespaces, one namespace, and none that begins alike', async t => {
  const { fetch } = await startApiserver(t)
  for (const namespace of ['n', 'n-1', 'n1']) {
    await fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: namespace } } })
    await fetch(`/api/v1/namespaces/${namespace}/configmaps`, { method: 'POST', body: { metadata: { name: 'c' } } })
  }
  const list = async (path: string) =>
    (await fetch(path)).json.items
      .map((item: { metadata: { namespace: string } }) => item.metadata.namespace)
      .filter((namespace: string) => namespace !== 'kube-system')
  t.deepEqual(await list('/api/v1/configmaps'), ['n-1', 'n', 'n1'])
  t.deepEqual(await list('/api/v1/namespaces/n/configmaps'), ['n'])
  t.deepEqual(await list('/api/v1/configmaps?fieldSelector=metadata.namespace%3Dn1'), ['n1'])
  t.deepEqual(await list('/api/v1/namespaces/absent/configmaps'), [])
})

test('tables, metadata only, YAML', async t => {
  const server = await startApiserver(t)
  await fill(server, 2)
  const { json } = await server.fetch(`${MAPS}?limit=1`, { headers: TABLE })
  t.is(json.kind, 'Table')
  t.truthy(json.metadata.continue)
  t.is(json.metadata.remainingItemCount, 1)
  t.deepEqual(
    json.columnDefinitions.map((column: { name: string; type: string }) => column.name),
    ['Name', 'Data', 'Age'],
  )
  t.deepEqual(json.rows[0].cells.slice(0, 2), ['m0', 1])
  t.is(json.rows[0].object.kind, 'PartialObjectMetadata')
  t.is((await server.fetch(`${MAPS}?includeObject=None`, { headers: TABLE })).json.rows[0].object, null)
  t.is((await server.fetch(`${MAPS}?includeObject=Object`, { headers: TABLE })).json.rows[0].object.data.n, '0')
  t.is((await server.fetch(`${MAPS}?includeObject=Foo`, { headers: TABLE })).code, 400)
  const accept = (as: string) => ({ headers: { accept: `application/json;as=${as};v=v1;g=meta.k8s.io` } })
  const partial = (await server.fetch(MAPS, accept('PartialObjectMetadataList'))).json
  t.deepEqual(
    [partial.kind, partial.items[0].kind, partial.items[0].data],
    ['PartialObjectMetadataList', 'PartialObjectMetadata', undefined],
  )
  t.is((await server.fetch(MAPS, accept('PartialObjectMetadata'))).code, 406)
  t.is((await server.fetch(MAPS, accept('Foo'))).code, 406)
  const yaml = await server.fetch(`${MAPS}/m0`, { headers: { accept: 'application/yaml' } })
  t.is(yaml.headers['content-type'], 'application/yaml')
  t.regex(yaml.text, /^kind: ConfigMap\napiVersion: v1\nmetadata:\n/)
  t.regex(yaml.text, /^ {2}"n": "0"$/m)
  // JSON is YAML, and making block style of very much would hold up everybody.
  const body = { metadata: { name: 'large' }, data: { x: 'x'.repeat(300_000) } }
  await server.fetch(MAPS, { method: 'POST', body })
  const large = await server.fetch(`${MAPS}/large`, { headers: { accept: 'application/yaml' } })
  t.deepEqual([large.headers['content-type'], large.json?.data], ['application/yaml', body.data])
})

test('items of a list leave out kind and apiVersion, which the list says once', async t => {
  const server = await startApiserver(t)
  await fill(server, 2)
  const { json } = await server.fetch(MAPS)
  t.deepEqual([json.kind, json.apiVersion], ['ConfigMapList', 'v1'])
  const { kind, apiVersion, ...rest } = (await server.fetch(`${MAPS}/m0`)).json
  t.deepEqual([kind, apiVersion], ['ConfigMap', 'v1'])
  t.deepEqual(json.items[0], rest)
})

test('large answers are compressed for those who take it', async t => {
  const server = await startApiserver(t)
  await server.fetch(MAPS, { method: 'POST', body: { metadata: { name: 'big' }, data: { x: 'x'.repeat(300_000) } } })
  const plain = await server.fetch(MAPS)
  t.is(plain.headers['content-encoding'], undefined)
  const { headers, body } = await server.fetch(MAPS, { headers: { 'accept-encoding': 'gzip' } })
  t.is(headers['content-encoding'], 'gzip')
  t.true(Number(headers['content-length']) < 10_000)
  t.is(gunzipSync(body).toString(), plain.text)
})

test('a long selector is read, headers without end are not', async t => {
  const server = await startApiserver(t, { bare: true })
  const labelSelector = encodeURIComponent(Array(4000).fill('a=b').join(','))
  t.is((await server.fetch(`/api/v1/configmaps?labelSelector=${labelSelector}`)).code, 200)
  t.is((await server.fetch('/livez', { headers: { x: 'y'.repeat(70_000) } })).code, 431)
})

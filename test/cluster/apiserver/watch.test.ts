import test, { type ExecutionContext } from 'ava'
import { type RunningApiserver, startApiserver } from '../../support/apiserver.ts'
import { clockWith, NEVER } from '../../support/clock-with.ts'
import { freePort } from '../../support/free-port.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { openWatch } from '../../support/watch-lines.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'

const put = async (t: ExecutionContext, { fetch }: RunningApiserver, name: string, more: object = {}) => {
  const { labels, ...rest } = more as { labels?: object }
  const body = { metadata: { name, ...(labels ? { labels } : {}) }, ...rest }
  const old = await fetch(`${MAPS}/${name}`)
  const reply =
    old.code === 404
      ? await fetch(MAPS, { method: 'POST', body })
      : await fetch(`${MAPS}/${name}`, { method: 'PUT', body })
  t.true(reply.code === 200 || reply.code === 201, reply.text)
  return reply.json
}

const brief = (lines: readonly { type: string; object: { metadata: { name?: string } } }[]): string[] =>
  lines.map(({ type, object }) => `${type} ${object.metadata.name}`)

for (const http2 of [false, true]) {
  test(`a watch gives the state, then each change, with the deletion's own version (HTTP/${http2 ? 2 : 1.1})`, async t => {
    const server = await startApiserver(t)
    await put(t, server, 'a')
    const watch = await openWatch(t, server, `${MAPS}?watch=1`, { http2 })
    await watch.take(1)
    const changed = await put(t, server, 'a', { data: { x: '1' } })
    await put(t, server, 'b')
    await server.fetch(`${MAPS}/a`, { method: 'DELETE' })
    const lines = await watch.take(4)
    t.deepEqual(brief(lines), ['ADDED a', 'MODIFIED a', 'ADDED b', 'DELETED a'])
    t.deepEqual(lines[1]!.object, changed)
    t.deepEqual(lines[3]!.object.data, { x: '1' })
    t.true(Number(lines[3]!.object.metadata.resourceVersion) > Number(lines[2]!.object.metadata.resourceVersion))
  })
}

test('a watch resumes after a version without a gap or a repetition', async t => {
  const server = await startApiserver(t)
  const a = await put(t, server, 'a')
  await put(t, server, 'b')
  await put(t, server, 'a', { data: { x: '1' } })
  const watch = await openWatch(t, server, `${MAPS}?watch=1&resourceVersion=${a.metadata.resourceVersion}`)
  await put(t, server, 'c')
  t.deepEqual(brief(await watch.take(3)), ['ADDED b', 'MODIFIED a', 'ADDED c'])
})

test('selectors turn changes into additions and deletions', async t => {
  const server = await startApiserver(t)
  const watch = await openWatch(t, server, `${MAPS}?watch=1&labelSelector=tier%3Dfront`)
  await put(t, server, 'a', { labels: { tier: 'back' } })
  await put(t, server, 'a', { labels: { tier: 'front' }, data: { n: '1' } })
  await put(t, server, 'a', { labels: { tier: 'front' }, data: { n: '2' } })
  const left = await put(t, server, 'a', { labels: { tier: 'back' }, data: { n: '3' } })
  const lines = await watch.take(3)
  t.deepEqual(brief(lines), ['ADDED a', 'MODIFIED a', 'DELETED a'])
  // What was last seen of it, under the version at which it left.
  t.deepEqual(lines[2]!.object.data, { n: '2' })
  t.is(lines[2]!.object.metadata.resourceVersion, left.metadata.resourceVersion)
})

test('a field selector or a name watches one object; other namespaces stay out', async t => {
  const server = await startApiserver(t)
  const byField = await openWatch(t, server, `${MAPS}?watch=1&fieldSelector=metadata.name%3Db`)
  const byPath = await openWatch(t, server, '/api/v1/watch/namespaces/default/configmaps/b')
  await server.client.create((await import('#cluster/api/kinds/config-map.ts')).configMapKind, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'b', namespace: 'kube-system' },
  })
  await put(t, server, 'a')
  await put(t, server, 'b')
  await put(t, server, 'b', { data: { x: '1' } })
  t.deepEqual(brief(await byField.take(2)), ['ADDED b', 'MODIFIED b'])
  t.deepEqual(brief(await byPath.take(2)), ['ADDED b', 'MODIFIED b'])
  t.is(byField.seen[0]!.object.metadata.namespace, 'default')
})

test('a streaming list ends its state with a marked bookmark (KEP-3157)', async t => {
  const server = await startApiserver(t)
  await put(t, server, 'a')
  const last = await put(t, server, 'b')
  const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  const watch = await openWatch(t, server, `${MAPS}?${query}`)
  const lines = await watch.take(3)
  t.deepEqual(
    lines.map(({ type }) => type),
    ['ADDED', 'ADDED', 'BOOKMARK'],
  )
  t.deepEqual(lines[2]!.object, {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: {
      resourceVersion: last.metadata.resourceVersion,
      annotations: { 'k8s.io/initial-events-end': 'true' },
    },
  })
  await put(t, server, 'c')
  t.deepEqual(brief((await watch.take(4)).slice(3)), ['ADDED c'])
})

test('timeoutSeconds ends a watch, and without bookmarks nothing else is said', async t => {
  const server = await startApiserver(t)
  const watch = await openWatch(t, server, `${MAPS}?watch=1&timeoutSeconds=1`)
  await watch.untilEnd()
  t.deepEqual(watch.seen, [])
  t.is(watch.code, 200)
})

test('a bookmark comes before a watch ends by its time-out', async t => {
  const clock = new VirtualClock(Date.now())
  const server = await startApiserver(t, { clock })
  const last = await put(t, server, 'a')
  const version = last.metadata.resourceVersion
  const watch = await openWatch(
    t,
    server,
    `${MAPS}?watch=1&timeoutSeconds=3&allowWatchBookmarks=true&resourceVersion=${version}`,
  )
  // Whenever it began, its last bookmark is due two seconds before its end.
  while (!watch.ended) await clock.advance(250)
  t.is(watch.seen.length, 1)
  const [line] = watch.seen
  t.is(line!.type, 'BOOKMARK')
  t.is(line!.object.metadata.resourceVersion, version)
})

test('a version that the history no longer reaches is expired', async t => {
  const server = await startApiserver(t, { historySize: 4 })
  const first = await put(t, server, 'a')
  for (let n = 0; n < 12; n++) await put(t, server, 'a', { data: { n: String(n) } })
  const watch = await openWatch(t, server, `${MAPS}?watch=1&resourceVersion=${first.metadata.resourceVersion}`)
  await watch.untilEnd()
  t.is(watch.code, 200)
  t.is(watch.seen.length, 1)
  t.is(watch.seen[0]!.type, 'ERROR')
  const { code, reason, message } = watch.seen[0]!.object
  t.deepEqual([code, reason], [410, 'Expired'])
  t.regex(message, /^too old resource version: \d+ \(\d+\)$/)
})

test('watches resume over a restart', async t => {
  const server = await startApiserver(t)
  const a = await put(t, server, 'a')
  await put(t, server, 'b')
  await server.fetch(`${MAPS}/a`, { method: 'DELETE' })
  await server.close()
  const again = await startApiserver(t, { folder: server.folder })
  const watch = await openWatch(t, again, `${MAPS}?watch=1&resourceVersion=${a.metadata.resourceVersion}`)
  t.deepEqual(brief(await watch.take(2)), ['ADDED b', 'DELETED a'])
})

/** Milliseconds that closing waits for requests under way. */
const DRAIN = 5_000

test('closing ends watches and refuses newcomers', async t => {
  const port = await freePort()
  // An idle connection is no request under way: nothing waits for it, so that time need not pass.
  const server = await startApiserver(t, { port, clock: clockWith({ [DRAIN]: NEVER }) })
  const first = await openWatch(t, server, `${MAPS}?watch=1`)
  const second = await openWatch(t, server, `${MAPS}?watch=1`, { http2: true })
  await server.fetch('/version')
  await server.apiserver.close()
  await first.untilEnd()
  await second.untilEnd()
  await t.throwsAsync(server.fetch('/version'))
})

test('rows and metadata only', async t => {
  const server = await startApiserver(t)
  const table = await openWatch(t, server, `${MAPS}?watch=1`, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  })
  const partial = await openWatch(t, server, `${MAPS}?watch=1`, {
    accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  })
  await put(t, server, 'a', { data: { x: '1' } })
  await put(t, server, 'b')
  const rows = await table.take(2)
  t.is(rows[0]!.object.columnDefinitions[0].name, 'Name')
  t.is(rows[1]!.object.columnDefinitions, null)
  t.deepEqual(rows[0]!.object.rows[0].cells.slice(0, 2), ['a', 1])
  t.is(rows[0]!.object.rows[0].object.kind, 'PartialObjectMetadata')
  const [only] = await partial.take(1)
  t.is(only!.object.kind, 'PartialObjectMetadata')
  t.is(only!.object.data, undefined)
})

test('options that contradict each other are named', async t => {
  const server = await startApiserver(t)
  const cases: [string, number, string][] = [
    [
      'watch=1&resourceVersionMatch=NotOlderThan',
      422,
      'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ],
    ['watch=1&sendInitialEvents=true', 422, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'],
    ['sendInitialEvents=true', 422, 'sendInitialEvents is forbidden for list'],
    ['watch=1&resourceVersion=abc', 500, 'strconv.ParseUint: parsing "abc": invalid syntax'],
    ['watch=1&timeoutSeconds=abc', 400, 'strconv.ParseInt: parsing "abc": invalid syntax'],
    ['watch=1&fieldSelector=spec.foo%3D1', 400, '"spec.foo" is not a known field selector'],
  ]
  for (const [query, code, text] of cases) {
    const reply = await server.fetch(`${MAPS}?${query}`)
    t.is(reply.code, code, query)
    t.true(reply.json.message.includes(text), reply.json.message)
  }
})

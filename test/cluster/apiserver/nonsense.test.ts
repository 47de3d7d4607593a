/** Whatever a client sends, the answer is a client's error or a success: never a failure of ours, never silence. */
import test from 'ava'
import fc from 'fast-check'
import { startApiserver } from '../../support/apiserver.ts'

const RUNS = { numRuns: 150 }

/** What Kubernetes itself answers with 500, though the client is at fault. */
const THEIRS = /strconv\.ParseUint|resourceVersion should not be set|Too large resource version/

test('law: no query, path, body or patch makes the server fail', async t => {
  const { fetch } = await startApiserver(t)
  const path = '/api/v1/namespaces/default/services'
  const spec = { ports: [{ name: 'a', port: 80 }], selector: { a: 'b' } }
  await fetch(path, { method: 'POST', body: { metadata: { name: 's' }, spec } })
  const faults: string[] = []
  const send = async (target: string, init: Parameters<typeof fetch>[1]) => {
    const { code, text } = await fetch(target, init)
    const fault = code >= 500 && !THEIRS.test(text)
    if (fault) faults.push(`${init?.method ?? 'GET'} ${target} ${String(init?.body)}: ${text}`)
    return !fault
  }
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('metadata', 'name', 'spec', 'ports', 'port', 'clusterIP', 'type', '0', '-'),
  )
  const json = fc.jsonValue({ maxDepth: 4 })
  const object = fc.dictionary(word, json, { maxKeys: 4 })
  const parameters = ['labelSelector', 'fieldSelector', 'continue', 'limit', 'resourceVersionMatch', 'includeObject']
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...parameters), fc.string(), (name, value) =>
      send(`${path}?${name}=${encodeURIComponent(value)}`, {}),
    ),
    RUNS,
  )
  const token = (start: string, rv: unknown) =>
    Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start })).toString('base64url')
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.oneof(fc.integer(), fc.constantFrom(-1, 1, 2, '1', null)), (start, rv) =>
      send(`${path}?limit=1&continue=${token(start, rv)}`, {}),
    ),
    RUNS,
  )
  await fc.assert(
    fc.asyncProperty(
      fc.webPath(),
      fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'),
      (tail, method) => send(`/api/v1/namespaces/absent${tail}`, { method }),
    ),
    RUNS,
  )
  const bodies = fc.oneof(
    fc.string(),
    json,
    object,
    fc.record({
      metadata: fc.oneof(json, fc.constant({ generateName: 'x-' })),
      spec: fc.oneof(object, json),
      status: json,
    }),
    fc.record({
      metadata: fc.constant({ generateName: 'x-' }),
      spec: fc.record(
        { ports: fc.array(object, { maxLength: 3 }), type: word, clusterIP: word, clusterIPs: fc.array(word) },
        { requiredKeys: [] },
      ),
    }),
  )
  await fc.assert(
    fc.asyncProperty(bodies, fc.constantFrom('POST', 'PUT', 'DELETE'), (body, method) =>
      send(method === 'POST' ? path : `${path}/s?dryRun=All`, { method, body: body ?? 'null' }),
    ),
    RUNS,
  )
  const formats = ['json-patch', 'merge-patch', 'strategic-merge-patch']
  const operation = fc.record({
    op: fc.constantFrom('add', 'remove', 'move', 'test'),
    path: word.map(key => `/spec/${key}`),
    value: json,
    from: word,
  })
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(json, object, fc.record({ spec: object }), fc.array(operation, { maxLength: 3 })),
      fc.constantFrom(...formats),
      (body, format) =>
        send(`${path}/s?dryRun=All`, {
          method: 'PATCH',
          headers: { 'content-type': `application/${format}+json` },
          body: body ?? 'null',
        }),
    ),
    RUNS,
  )
  t.deepEqual(faults, [])
})

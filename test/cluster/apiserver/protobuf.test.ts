/** Kubernetes's protobuf through the door: what client-go's clientsets ask for and get. */
import { Agent, request } from 'node:https'
import test from 'ava'
import { decodeProtobuf } from '#cluster/api/protobuf/decode.ts'
import { encodeProtobuf } from '#cluster/api/protobuf/encode.ts'
import { type RunningApiserver, startApiserver } from '../../support/apiserver.ts'

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
/** As a clientset sends it. */
const ACCEPT = `${PROTOBUF},application/json`
const MAPS = '/api/v1/namespaces/default/configmaps'
const METADATA = (list: string): string => `${PROTOBUF};as=PartialObjectMetadata${list};g=meta.k8s.io;v=v1`

let server: RunningApiserver
test.before(async () => {
  server = await startApiserver()
})
test.after.always(() => server.close())

const configMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { app: 'web' } },
  data: { 'a.txt': 'ä' },
  binaryData: { b: 'AAEC' },
})

const value = (body: Buffer): Record<string, unknown> => {
  const decoded = decodeProtobuf(body)
  if (!decoded.ok) throw new Error(decoded.problem)
  return decoded.value
}

test('an object is written and read in protobuf, and is what JSON says it is', async t => {
  const body = encodeProtobuf(configMap('both-ways'), 'core/v1.ConfigMap')
  const headers = { accept: ACCEPT, 'content-type': PROTOBUF, 'content-length': String(body.length) }
  const made = await new Promise<{ code: number; type: string; body: Buffer }>((resolve, reject) => {
    const agent = new Agent(server.tls)
    const sent = request(server.url + MAPS, { method: 'POST', agent, headers }, async response => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      agent.destroy()
      resolve({
        code: response.statusCode ?? 0,
        type: response.headers['content-type'] ?? '',
        body: Buffer.concat(chunks),
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
  t.deepEqual([made.code, made.type], [201, PROTOBUF])
  const path = `${MAPS}/both-ways`
  const asJson = await server.fetch(path)
  t.deepEqual(value(made.body), asJson.json)
  const read = await server.fetch(path, { headers: { accept: ACCEPT } })
  t.deepEqual(value(read.body), asJson.json)
  t.true(read.body.length < asJson.body.length)
  const partial = await server.fetch(path, { headers: { accept: METADATA('') } })
  t.deepEqual(value(partial.body), {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'PartialObjectMetadata',
    metadata: asJson.json.metadata,
  })
})

test('failures and successes are Status in protobuf, and a Table falls back to what comes next', async t => {
  const headers = { accept: ACCEPT }
  const absent = await server.fetch(`${MAPS}/absent`, { headers })
  t.deepEqual([absent.code, absent.headers['content-type']], [404, PROTOBUF])
  const { metadata: _metadata, ...status } = (await server.fetch(`${MAPS}/absent`)).json
  t.deepEqual(value(absent.body), status)
  await server.fetch(MAPS, { method: 'POST', body: configMap('gone') })
  const gone = await server.fetch(`${MAPS}/gone`, { method: 'DELETE', headers })
  t.like(value(gone.body), { kind: 'Status', status: 'Success', details: { name: 'gone', kind: 'configmaps' } })
  const table = `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1`
  t.is((await server.fetch(MAPS, { headers: { accept: table } })).code, 406)
  const fallback = await server.fetch(MAPS, { headers: { accept: `${table},application/json` } })
  t.is(fallback.headers['content-type'], 'application/json')
})

/** The fields of a list: 1 its metadata, 2 each item. */
const itemsOf = (body: Buffer): number => {
  const at = body.indexOf('ConfigMapList')
  return at < 0 ? -1 : body.toString('latin1').split('a.txt').length - 1
}

test('lists carry each item', async t => {
  for (const name of ['list-1', 'list-2']) await server.fetch(MAPS, { method: 'POST', body: configMap(name) })
  const path = `${MAPS}?fieldSelector=metadata.name=list-1`
  t.is(itemsOf((await server.fetch(path, { headers: { accept: ACCEPT } })).body), 2, 'data and its owner')
  const partial = await server.fetch(path, { headers: { accept: METADATA('List') } })
  t.true(partial.body.includes('PartialObjectMetadataList') && partial.body.includes('list-1'))
})

/** The frames of a stream: a length of four bytes, then meta/v1.WatchEvent. */
const readFrames = (path: string, count: number): Promise<{ type: string; frames: Buffer[] }> =>
  new Promise((resolve, reject) => {
    const agent = new Agent(server.tls)
    const sent = request(server.url + path, { agent, headers: { accept: ACCEPT } }, response => {
      let pending = Buffer.alloc(0)
      const frames: Buffer[] = []
      response.on('data', chunk => {
        pending = Buffer.concat([pending, chunk])
        while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE()) {
          const end = 4 + pending.readUInt32BE()
          frames.push(pending.subarray(4, end))
          pending = pending.subarray(end)
        }
        if (frames.length < count) return
        agent.destroy()
        resolve({ type: response.headers['content-type'] ?? '', frames })
      })
    })
    sent.on('error', reject)
    sent.end()
  })

test('a watch is a stream of frames, each with the whole object', async t => {
  await server.fetch(MAPS, { method: 'POST', body: configMap('watched') })
  const selector = 'fieldSelector=metadata.name=watched'
  const { type, frames } = await readFrames(`${MAPS}?watch=true&${selector}`, 1)
  t.is(type, `${PROTOBUF};stream=watch`)
  const [frame] = frames as [Buffer]
  // 1 the type, a text; 2 a RawExtension, whose 1 are the bytes of the enveloped object.
  t.is(frame.toString('latin1', 0, 7), '\n\x05ADDED')
  const object = frame.subarray(frame.indexOf('k8s\0'))
  t.deepEqual(value(object), (await server.fetch(`${MAPS}/watched`)).json)
})

/** What JSON says besides: empty things that protobuf has no bytes for. */
const withoutEmpty = (given: unknown): unknown =>
  JSON.parse(JSON.stringify(given), (_key, part) =>
    part === null || part === '' || (typeof part === 'object' && Object.keys(part).length === 0) ? undefined : part,
  )

test('discovery has a form in protobuf, the old one and the new one', async t => {
  for (const path of ['/api', '/apis', '/apis/apps', '/api/v1', '/apis/apps/v1', '/apis/policy/v1']) {
    const { json } = await server.fetch(path)
    const read = await server.fetch(path, { headers: { accept: PROTOBUF } })
    t.deepEqual(withoutEmpty(value(read.body)), withoutEmpty({ apiVersion: 'v1', ...(json as object) }), path)
  }
  for (const path of ['/api', '/apis'])
    for (const version of ['v2', 'v2beta1']) {
      const form = `g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
      const asJson = await server.fetch(path, { headers: { accept: `application/json;${form}` } })
      const read = await server.fetch(path, { headers: { accept: `${PROTOBUF};${form},application/json;${form}` } })
      t.is(read.headers['content-type'], `${PROTOBUF};${form}`)
      t.is(read.headers.etag, asJson.headers.etag)
      if (version === 'v2') t.deepEqual(withoutEmpty(value(read.body)), withoutEmpty(asJson.json), path)
      const headers = { accept: `${PROTOBUF};${form}`, 'if-none-match': String(read.headers.etag) }
      t.is((await server.fetch(path, { headers })).code, 304)
    }
})

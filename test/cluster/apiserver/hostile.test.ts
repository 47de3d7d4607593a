/** What no client of ours sends: requests in two readings, paths that climb, bodies that swell. Told off, and forgotten. */
import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:tls'
import test from 'ava'
import { PROTOBUF_MEDIA_TYPE } from '#cluster/api/protobuf/decode.ts'
import { type RunningApiserver, startApiserver } from '../../support/apiserver.ts'

const PODS = '/api/v1/namespaces/default/pods'

interface Heard {
  readonly text: string
  /** Whether the server ended the connection by itself. */
  readonly ended: boolean
}

/** All that comes until the connection ends, or until the answers that `until` stands for are there. */
const say = async ({ apiserver, tls }: RunningApiserver, bytes: string, until?: RegExp): Promise<Heard> => {
  const { port } = apiserver.address
  const socket = connect({ host: '127.0.0.1', port, ...tls, servername: 'localhost' })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  let text = ''
  const done = new Promise<Heard>(resolve => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (until?.test(text)) resolve({ text, ended: false })
    })
    socket.on('close', () => resolve({ text, ended: true }))
  })
  socket.write(bytes)
  const heard = await done
  socket.destroy()
  return heard
}

const request = (line: string, headers: readonly string[], body = ''): string =>
  [`${line} HTTP/1.1`, 'Host: apiserver', ...headers, '', body].join('\r\n')

/** Were the first request shorter than its sender says, its body would be taken for this one. */
const SMUGGLED = 'DELETE /api/v1/namespaces/default/configmaps/kept HTTP/1.1\r\nHost: apiserver\r\n\r\n'

const AMBIGUOUS: Readonly<Record<string, string>> = {
  'two lengths': request(`GET ${PODS}`, ['Content-Length: 0', `Content-Length: ${SMUGGLED.length}`], SMUGGLED),
  'a length and chunks': request(
    `POST ${PODS}`,
    [`Content-Length: ${5 + SMUGGLED.length}`, 'Transfer-Encoding: chunked'],
    `0\r\n\r\n${SMUGGLED}`,
  ),
  'chunks in another word': request(`POST ${PODS}`, ['Transfer-Encoding: xchunked'], `0\r\n\r\n${SMUGGLED}`),
  'chunks and identity': request(`POST ${PODS}`, ['Transfer-Encoding: chunked, identity'], `0\r\n\r\n${SMUGGLED}`),
  'a length with a sign': request(`GET ${PODS}`, [`Content-Length: +${SMUGGLED.length}`], SMUGGLED),
  'a blank before the colon': request(`GET ${PODS}`, [`Content-Length : ${SMUGGLED.length}`], SMUGGLED),
  'a line that goes on': request(
    `GET ${PODS}`,
    ['X: a', ' Content-Length: 0', 'Transfer-Encoding:', ' chunked'],
    SMUGGLED,
  ),
  'a zero byte': request(`GET ${PODS}`, ['X: a\0b'], SMUGGLED),
  'chunks of no size': request(`POST ${PODS}`, ['Transfer-Encoding: chunked'], `zz\r\n\r\n${SMUGGLED}`),
}

test('a request that can be read in two ways is none, and ends its connection', async t => {
  const server = await startApiserver(t)
  const kept = '/api/v1/namespaces/default/configmaps'
  t.is((await server.fetch(kept, { method: 'POST', body: { metadata: { name: 'kept' } } })).code, 201)
  for (const [what, bytes] of Object.entries(AMBIGUOUS)) {
    const { text, ended } = await say(server, bytes)
    t.true(ended, what)
    t.regex(text, /^HTTP\/1\.1 400 /, what)
    t.is(text.split('HTTP/1.1 ').length, 2, `${what}: one answer`)
    t.is((await server.fetch(`${kept}/kept`)).code, 200, what)
  }
})

test('nobody is put through to anywhere', async t => {
  const server = await startApiserver(t)
  const { text, ended } = await say(server, request('CONNECT 127.0.0.1:1', []))
  t.true(ended)
  t.notRegex(text, /^HTTP\/1\.1 2/)
  const asked = request(`GET ${PODS}`, ['Connection: Upgrade', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'])
  const served = await say(server, asked, /\r\n\r\n/)
  t.regex(served.text, /^HTTP\/1\.1 200 [\s\S]*\r\nConnection: keep-alive\r\n/, 'in this protocol, and it stays')
  const elsewhere = request('GET https://elsewhere.example/version', [])
  t.regex((await say(server, elsewhere, /\r\n\r\n/)).text, /^HTTP\/1\.1 200 /, 'the path is what counts')
})

test('paths that climb, or hide what they are, lead nowhere that they may not', async t => {
  const server = await startApiserver(t)
  const secrets = 'api/v1/namespaces/kube-system/secrets'
  const anonymous = [
    `/livez/../${secrets}`,
    `/livez/%2e%2e/${secrets}`,
    `/livez/..%2f${secrets}`,
    `/healthz/.././/${secrets}`,
    `//livez/../${secrets}`,
    `/readyz/etcd/../../${secrets}`,
    `/\\livez\\..\\${secrets}`,
    `/livez;/../${secrets}`,
  ]
  for (const path of anonymous) {
    const { code, json } = await server.fetch(path, { anonymous: true })
    t.true(code === 401 || code === 404, `${path}: ${code}`)
    t.not(json?.kind, 'SecretList')
  }
  const asNobody = [
    `/version/../${secrets}`,
    `/api/../${secrets}`,
    `/apis/%2e%2e/${secrets}`,
    `/openapi/v3/../../${secrets}`,
  ]
  for (const path of asNobody) {
    const { code, json } = await server.fetch(path, { as: 'nobody', groups: ['system:authenticated'] })
    t.is(code, 403, path)
    t.not(json?.kind, 'SecretList')
  }
  const odd = [
    '/%00',
    '/api/v1/%00',
    `${PODS}/%00`,
    `${PODS}/..%2f..%2fsecrets`,
    `${PODS}/%c0%ae%c0%ae/x`,
    `${PODS}/a%2fb`,
  ]
  for (const path of [...odd, `${PODS}/__proto__`, `${PODS}/constructor`, '/apis/__proto__/v1/constructor', '/api/%'])
    t.true([400, 404].includes((await server.fetch(path)).code), path)
})

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

/** Field `number` with these bytes, or saying that it has more of them than there are. */
const field = (number: number, bytes: Buffer, length = bytes.length): Buffer =>
  Buffer.concat([varint(number * 8 + 2), varint(length), bytes])

const MAGIC = Buffer.from('k8s\0')
const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer => {
  const type = Buffer.concat([field(1, Buffer.from(apiVersion)), field(2, Buffer.from(kind))])
  return Buffer.concat([MAGIC, field(1, type), field(2, raw)])
}

const pod = (raw: Buffer): Buffer => envelope('v1', 'Pod', raw)

/** JSONSchemaProps.not, in itself. */
const schema = (depth: number): Buffer => {
  let bytes: Buffer = Buffer.alloc(0)
  for (let level = 0; level < depth; level++) bytes = field(28, bytes)
  return bytes
}

/** spec.versions[0].schema.openAPIV3Schema of a definition. */
const definition = (depth: number): Buffer =>
  envelope('apiextensions.k8s.io/v1', 'CustomResourceDefinition', field(2, field(7, field(4, field(1, schema(depth))))))

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const BOMBS: readonly (readonly [what: string, path: string, body: Buffer])[] = [
  ['nothing behind the magic', PODS, MAGIC],
  ['no magic', PODS, Buffer.from('not protobuf')],
  ['garbage', PODS, Buffer.concat([MAGIC, Buffer.alloc(100_000, 0xff)])],
  ['a length beyond the end', PODS, Buffer.concat([MAGIC, field(1, Buffer.alloc(1), 2 ** 31)])],
  ['a length beyond numbers', PODS, Buffer.concat([MAGIC, Buffer.from([0x0a]), Buffer.alloc(12, 0xff)])],
  [
    'many fields of no use',
    PODS,
    pod(Buffer.concat(Array.from({ length: 200_000 }, () => Buffer.from([0xf8, 0x7f, 0])))),
  ],
  ['groups that never end', PODS, pod(Buffer.alloc(10_000, 0x0b))],
  ['a deep schema', DEFINITIONS, definition(500)],
  ['a very deep schema', DEFINITIONS, definition(20_000)],
]

const post = ({ url, tls }: RunningApiserver, path: string, body: Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': PROTOBUF_MEDIA_TYPE }
    const sent = httpsRequest(`${url}${path}`, { ...tls, method: 'POST', headers }, answer => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end(body)
  })

test('protobuf that claims what it is not is refused, and nobody is the worse for it', async t => {
  const server = await startApiserver(t)
  for (const [what, path, body] of BOMBS) {
    const code = await post(server, path, body)
    t.true([400, 422].includes(code), `${what}: ${code}`)
    t.is((await server.fetch('/livez')).code, 200, what)
  }
})

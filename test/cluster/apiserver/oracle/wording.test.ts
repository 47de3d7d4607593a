/** Bodies that are none, media types that nobody knows, and forms of answers: beside Kubernetes' own, in its words. */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import test, { type ExecutionContext } from 'ava'
import { startApiserver } from '../../../support/apiserver.ts'
import { startOracle } from '../../../support/oracle.ts'
import { definition } from './custom-definition.ts'
import { CustomSide } from './custom-side.ts'
import { DEFINITIONS, object, serve, THINGS } from './custom-world.ts'

interface Call {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

type Json = ReturnType<typeof JSON.parse>

/** Members in one order, and without what is of one server or one moment. */
const masked = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== 'object' || value === null) return value
  const { uid: _uid, resourceVersion: _version, creationTimestamp: _created, time: _time, ...rest } = value
  // Tokens of lists, and descriptions of columns, are of each server's own.
  const { continue: _continue, description: _description, managedFields: _fields, ...kept } = rest
  const entries = Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1))
  const cells = (member: unknown) => (member as Json[]).map(cell => (/^\d+[smh]/.test(String(cell)) ? 'AGE' : cell))
  return Object.fromEntries(entries.map(([key, member]) => [key, key === 'cells' ? cells(member) : masked(member)]))
}

class Side {
  readonly #url: string
  readonly #agent: Agent

  constructor(url: string, tls: { readonly ca: string; readonly cert?: string; readonly key?: string }) {
    this.#url = url
    this.#agent = new Agent({ ...tls, keepAlive: true })
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Whether it is indented is looked at where it is asked for. */
  send({ method, path, headers, body }: Call) {
    const json = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body ?? '')) }
    const all = { 'user-agent': 'test/1', ...(body === undefined ? {} : json), ...headers }
    return new Promise<{ code: number; type: string; body: Json; indented: boolean | undefined }>((resolve, reject) => {
      const sent = request(this.#url + path, { method, agent: this.#agent, headers: all }, reply => {
        let text = ''
        reply.setEncoding('utf8').on('data', piece => (text += piece))
        reply.on('end', () => {
          const [type = ''] = (reply.headers['content-type'] ?? '').split(';')
          const parsed = type === 'application/json' ? masked(JSON.parse(text)) : text
          const indented = headers?.accept?.includes('pretty') ? text.startsWith('{\n') : undefined
          resolve({ code: reply.statusCode ?? 0, type, body: parsed, indented })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}

const startBoth = async (t: ExecutionContext): Promise<readonly [theirs: Side, ours: Side] | undefined> => {
  const oracle = await startOracle(t)
  if (!oracle) return undefined
  const server = await startApiserver(t, { bare: true })
  await server.fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'default' } } })
  const doors = [
    { url: oracle.url, tls: { ca: readFileSync(oracle.authority, 'utf8') } },
    { url: server.url, tls: server.tls },
  ]
  for (const { url, tls } of doors) {
    const side = new CustomSide(url, tls)
    await serve(side, definition(), THINGS)
    await side.send('POST', THINGS, object('a', { spec: { size: 1 } }))
    side.close()
  }
  const [theirs, ours] = doors.map(({ url, tls }) => new Side(url, tls))
  t.teardown(() => {
    theirs?.close()
    ours?.close()
  })
  return [theirs!, ours!]
}

const BODIES = [
  ...[
    '',
    'null',
    '[]',
    '7',
    'true',
    '"x"',
    '{',
    '[1,',
    '{"a":1,}',
    '{"a" 1}',
    '{a:1}',
    '[1 2]',
    "{'a':1}",
    '{} {}',
    '{}x',
  ],
  ...[
    '{"a":tru}',
    '{"a":nul',
    '{"a":01}',
    '{"a":1.}',
    '{"a":1e}',
    '{"a":-}',
    '{"a":"\\x"}',
    '{"a":"\\u12g4"}',
    '{"a":"\n"}',
  ],
  ...['é', '\u0007', 'ääääääääääääääääääääääääää', `{"${'a'.repeat(60)}`, 'kind: Thing'],
  ...['{}', '{"kind":5}', '{"apiVersion":["x"]}', '{"kind":true}', '{"apiVersion":"a/b/c"}'],
]
const OF_THINGS = [
  ...['{"kind":"Thing"}', '{"apiVersion":"example.com/v2","kind":"Thing"}', '{"apiVersion":"v1","kind":"Pod"}'],
  ...['{"spec":5}', '{"metadata":5}', '{"metadata":{"name":5}}', '{"metadata":[]}'],
]
const YAMLS = ['- 1', 'a: 1\na: 2', '', '7', 'kind: 5', 'a: 1']

const TYPES = [
  'text/plain',
  'application/xml',
  'nonsense',
  'application/json; charset=utf-8',
  'APPLICATION/JSON',
  'application/cbor',
]

const asked = (accept: string) =>
  [
    THINGS,
    `${THINGS}/a`,
    `${THINGS}?watch=1&timeoutSeconds=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`,
  ].map(path => ({ method: 'GET', path, headers: { accept } }))

const META = 'g=meta.k8s.io'

const PATCHES = {
  'json-patch': ['', '{}', '[', '7', '[7]', 'null', '[{"op":5}]', '[{"path":[]}]', '[{"op":"add"}]', '[{"op":"add",}]'],
  'merge-patch': ['', '[]', '{', '7', '"x"', '{"a":}'],
}

const OPTIONS = [
  ...['{', '[', '[]', '7', '{"kind":5}', '{"apiVersion":{}}', '{"foo":1}', '{"gracePeriodSeconds":"x"}'],
  ...['{"dryRun":"All"}', '{"preconditions":5}', '{"preconditions":{"resourceVersion":5}}', '{"orphanDependents":"x"}'],
  ...['{"gracePeriodSeconds":1.5}', '{"propagationPolicy":5}', '{"propagationPolicy":"Else"}'],
  ...['{"kind":"DeleteOptions","apiVersion":"example.com/v1"}'],
]

const CALLS: readonly Call[] = [
  ...[THINGS, DEFINITIONS].flatMap(path => BODIES.map(body => ({ method: 'POST', path, body }))),
  ...OF_THINGS.map(body => ({ method: 'POST', path: THINGS, body })),
  ...YAMLS.map(body => ({ method: 'POST', path: THINGS, headers: { 'content-type': 'application/yaml' }, body })),
  ...TYPES.flatMap(type => [
    { method: 'POST', path: DEFINITIONS, headers: { 'content-type': type }, body: '{}' },
    ...['PUT', 'PATCH', 'DELETE'].map(method => {
      return { method, path: `${THINGS}/zzz`, headers: { 'content-type': type }, body: '{}' }
    }),
  ]),
  ...Object.entries(PATCHES).flatMap(([type, bodies]) =>
    bodies.map(body => {
      return { method: 'PATCH', path: `${THINGS}/a`, headers: { 'content-type': `application/${type}+json` }, body }
    }),
  ),
  ...[THINGS, DEFINITIONS].flatMap(path => OPTIONS.map(body => ({ method: 'DELETE', path: `${path}/none`, body }))),
  ...[
    'text/html',
    'application/xml;q=0.9',
    'application/json;stream=else',
    'application/json;sv=v2',
    'application/json;v=v1',
  ].flatMap(asked),
  ...[`application/json;as=Table;v=v2;${META}`, `application/json;as=Foo;v=v1;${META}`].flatMap(asked),
  ...[
    'application/json;pretty=1',
    'application/*;pretty=1',
    'application/json;pretty=true',
    'text/html, */*;q=0.1;pretty=1',
  ].map(accept => ({ method: 'GET', path: `${THINGS}/a`, headers: { accept } })),
  { method: 'GET', path: `${THINGS}/a?pretty=0`, headers: { accept: 'application/json;pretty=1' } },
  ...['Table', 'PartialObjectMetadata'].map(as => {
    return { method: 'GET', path: `${THINGS}/a`, headers: { accept: `application/json;as=${as};v=v1beta1;${META}` } }
  }),
  ...['Table', 'PartialObjectMetadataList'].map(as => {
    return { method: 'GET', path: THINGS, headers: { accept: `application/json;as=${as};v=v1beta1;${META}` } }
  }),
]

test('what cannot be read or given is told as Kubernetes tells it', async t => {
  t.timeout(240_000)
  const both = await startBoth(t)
  if (!both) return
  const [theirs, ours] = both
  for (const call of CALLS) {
    const [expected, actual] = await Promise.all([theirs.send(call), ours.send(call)])
    t.deepEqual(actual, expected, JSON.stringify(call))
  }
})

/** Watches over websockets (RFC 6455), through the door: who gets one, what comes over it, and how it ends. */
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import { parse } from 'yaml'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { type RequestInit, type RunningApiserver, startApiserver } from '../../../support/apiserver.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const WATCH = `${MAPS}?watch=true`
const PROTOBUF = 'application/vnd.kubernetes.protobuf'

interface Asking extends Pick<RequestInit, 'as' | 'anonymous' | 'headers'> {
  readonly protocols?: readonly string[]
}

interface Message {
  readonly data: Buffer
  readonly binary: boolean
}

/** A client that keeps what comes until it is asked for. */
class Client {
  readonly socket: WebSocket
  readonly #messages: Message[] = []
  #wake: () => void = () => {}
  /** The code of its end; undefined: it is open. */
  closed: number | undefined
  headers: Readonly<Record<string, unknown>> = {}

  constructor(t: ExecutionContext, { url, tls }: RunningApiserver, path: string, asking: Asking = {}) {
    const { as, anonymous, headers, protocols = [] } = asking
    this.socket = new WebSocket(url.replace(/^https/, 'wss') + path, [...protocols], {
      ...(anonymous ? { ca: tls.ca } : tls),
      headers: { ...(as === undefined ? {} : { 'impersonate-user': as }), ...headers },
    })
    t.teardown(() => this.socket.terminate())
    this.socket.on('upgrade', response => (this.headers = response.headers))
    this.socket.on('message', (data: Buffer, binary) => {
      this.#messages.push({ data, binary })
      this.#wake()
    })
    this.socket.on('error', () => {})
    this.socket.on('close', code => {
      this.closed = code
      this.#wake()
    })
  }

  /** Resolves when the handshake is done. */
  async opened(): Promise<this> {
    await new Promise((resolve, reject) => {
      this.socket.once('open', resolve)
      this.socket.once('error', reject)
    })
    return this
  }

  /** The next one. Rejects when it has ended. */
  async next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift()
      if (message) return message
      if (this.closed !== undefined) throw new Error(`it ended with ${this.closed}`)
      await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  async event(): Promise<any> {
    return JSON.parse((await this.next()).data.toString())
  }

  /** The code that it ends with; what comes before is passed over. */
  async end(): Promise<number> {
    while (this.closed === undefined) await new Promise<void>(resolve => (this.#wake = resolve))
    return this.closed
  }
}

const open = (t: ExecutionContext, server: RunningApiserver, path = WATCH, asking: Asking = {}): Promise<Client> =>
  new Client(t, server, path, asking).opened()

interface Refused {
  readonly code: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  // biome-ignore lint/suspicious/noExplicitAny: a Status.
  readonly json: any
}

const HANDSHAKE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** The plain answer to a handshake. */
const refusal = (server: RunningApiserver, path: string, { as, anonymous, headers = {} }: Asking = {}) =>
  new Promise<Refused>((resolve, reject) => {
    const sent = request(server.url + path, {
      ...(anonymous ? { ca: server.tls.ca } : server.tls),
      agent: false,
      headers: { ...HANDSHAKE, ...(as === undefined ? {} : { 'impersonate-user': as }), ...headers },
    })
    sent.on('error', reject)
    sent.on('upgrade', (_answer, socket) => {
      socket.destroy()
      reject(new Error('it was not refused'))
    })
    sent.on('response', answer => {
      const read = text(answer).then(body => {
        // JSON is YAML, too, which some ask for.
        resolve({ code: answer.statusCode ?? 0, headers: answer.headers, json: parse(body) })
      })
      read.catch(reject)
    })
    sent.end()
  })

const make = async (t: ExecutionContext, { fetch }: RunningApiserver, name: string, data: object = {}) => {
  const { code, text } = await fetch(MAPS, { method: 'POST', body: { metadata: { name }, data } })
  t.is(code, 201, text)
}

const RBAC = '/apis/rbac.authorization.k8s.io/v1/namespaces/default'

interface Subject {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

/** The subject may do that to the ConfigMaps of the namespace `default`. */
const allow = async (t: ExecutionContext, { fetch }: RunningApiserver, subject: Subject, verbs: string[]) => {
  const metadata = { name: subject.name }
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs }]
  t.is((await fetch(`${RBAC}/roles`, { method: 'POST', body: { metadata, rules } })).code, 201)
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: subject.name }
  const body = { metadata, roleRef, subjects: [subject] }
  t.is((await fetch(`${RBAC}/rolebindings`, { method: 'POST', body })).code, 201)
}

/** Of an account that may watch ConfigMaps. */
const tokenOf = async (t: ExecutionContext, server: RunningApiserver): Promise<string> => {
  const accounts = '/api/v1/namespaces/default/serviceaccounts'
  t.is((await server.fetch(accounts, { method: 'POST', body: { metadata: { name: 'page' } } })).code, 201)
  await allow(t, server, { kind: 'ServiceAccount', namespace: 'default', name: 'page' }, ['watch'])
  return (await server.fetch(`${accounts}/page/token`, { method: 'POST', body: { spec: {} } })).json.status.token
}

const shown = (token: string) => `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`

const openWatches = async ({ registry }: RunningApiserver): Promise<number> => {
  const lines = (await registry.metrics()).split('\n')
  return lines
    .filter(line => line.startsWith('apiserver_longrunning_requests{verb="WATCH"'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

test('each event is a message of text, with the state first', async t => {
  const server = await startApiserver(t)
  await make(t, server, 'a', { n: '1' })
  const watch = await open(t, server)
  t.regex(String(watch.headers['audit-id']), /^[\w-]{36}$/)
  const first = await watch.next()
  t.false(first.binary)
  t.like(JSON.parse(first.data.toString()), { type: 'ADDED', object: { kind: 'ConfigMap', data: { n: '1' } } })
  await make(t, server, 'b')
  t.like(await watch.event(), { type: 'ADDED', object: { metadata: { name: 'b' } } })
  const merge = { 'content-type': 'application/merge-patch+json' }
  await server.fetch(`${MAPS}/a`, { method: 'PATCH', headers: merge, body: { data: { n: '2' } } })
  t.like(await watch.event(), { type: 'MODIFIED', object: { data: { n: '2' } } })
  await server.fetch(`${MAPS}/b`, { method: 'DELETE' })
  t.like(await watch.event(), { type: 'DELETED', object: { metadata: { name: 'b' } } })
})

test('over the old path, as a table, with bookmarks, and until its time is over', async t => {
  const server = await startApiserver(t, { bare: true })
  await server.fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'default' } } })
  await make(t, server, 'a')
  const old = await open(t, server, '/api/v1/watch/namespaces/default/configmaps/a')
  t.like(await old.event(), { type: 'ADDED', object: { metadata: { name: 'a' } } })
  const table = await open(t, server, WATCH, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  })
  t.like(await table.event(), { type: 'ADDED', object: { kind: 'Table' } })
  const whole = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  const listing = await open(t, server, `${WATCH}&${whole}&timeoutSeconds=1`)
  t.like(await listing.event(), { type: 'ADDED', object: { metadata: { name: 'a' } } })
  const { type, object } = await listing.event()
  t.is(type, 'BOOKMARK')
  t.is(object.metadata.annotations['k8s.io/initial-events-end'], 'true')
  t.is(await listing.end(), 1000)
  const gone = await open(t, server, `${WATCH}&resourceVersion=1`)
  t.like(await gone.event(), { type: 'ADDED', object: { metadata: { name: 'a' } } })
})

test('protobuf comes in binary messages: what the body of an answer has, without the lengths', async t => {
  const server = await startApiserver(t, { bare: true })
  await server.fetch('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'default' } } })
  const names = ['a', 'b', 'c']
  for (const name of names) await make(t, server, name)
  const headers = { accept: PROTOBUF }
  const { body } = await server.fetch(`${WATCH}&timeoutSeconds=1`, { headers })
  const watch = await open(t, server, WATCH, { headers })
  let rest = body
  for (const name of names) {
    const { data, binary } = await watch.next()
    t.true(binary, name)
    t.is(rest.readUInt32BE(0), data.length)
    t.deepEqual(rest.subarray(4, 4 + data.length), data)
    rest = rest.subarray(4 + data.length)
  }
  t.is(rest.length, 0)
})

test('a watch that cannot be is refused as any other, in plain HTTP', async t => {
  const server = await startApiserver(t)
  const cases: readonly [path: string, asking: Asking, code: number, message: RegExp][] = [
    [WATCH, { anonymous: true }, 401, /^Unauthorized$/],
    [WATCH, { as: 'nobody' }, 403, /User "nobody" cannot watch resource "configmaps"/],
    [`${WATCH}&labelSelector=a%20b%20c`, {}, 400, /unable to parse requirement|found/],
    [`${WATCH}&fieldSelector=data%3Dx`, {}, 400, /is not a known field selector/],
    [WATCH, { headers: { accept: 'application/yaml' } }, 406, /only the following media types are accepted/],
    ['/api/v1/namespaces/default/nothings?watch=1', {}, 404, /could not find the requested resource/],
    [WATCH, { headers: { 'sec-websocket-version': '8' } }, 400, /Sec-WebSocket-Version must be 13/],
    [WATCH, { headers: { 'sec-websocket-key': 'short' } }, 400, /Sec-WebSocket-Key/],
    [WATCH, { headers: { 'sec-websocket-protocol': 'a, b' } }, 400, /Sec-WebSocket-Protocol may name one/],
  ]
  for (const [path, asking, code, message] of cases) {
    const refused = await refusal(server, path, asking)
    t.is(refused.code, code, path)
    t.regex(refused.json.message, message)
  }
  const { headers } = await refusal(server, WATCH, { headers: { 'sec-websocket-version': '8' } })
  t.is(headers['sec-websocket-version'], '13')
  t.is((await refusal(server, MAPS)).json.kind, 'ConfigMapList', 'what is no watch stays what it is')
  t.is(await openWatches(server), 0)
})

test('who may list may not watch by that, and the other way round', async t => {
  const server = await startApiserver(t)
  await make(t, server, 'a')
  for (const name of ['list', 'watch']) await allow(t, server, { kind: 'User', name }, [name])
  t.is((await refusal(server, WATCH, { as: 'list' })).code, 403)
  t.is((await refusal(server, MAPS, { as: 'watch' })).code, 403)
  t.is((await refusal(server, '/api/v1/namespaces/kube-system/configmaps?watch=1', { as: 'watch' })).code, 403)
  const watch = await open(t, server, WATCH, { as: 'watch' })
  t.like(await watch.event(), { type: 'ADDED' })
})

test('a page shows its token among the protocols, and gets the other one back', async t => {
  const server = await startApiserver(t)
  await make(t, server, 'a')
  const token = await tokenOf(t, server)
  const origin = 'https://dashboard.example'
  const asking = (...protocols: string[]): Asking => ({ anonymous: true, protocols, headers: { origin } })
  const watch = await open(t, server, WATCH, asking(shown(token), 'base64.binary.k8s.io'))
  t.is(watch.socket.protocol, 'base64.binary.k8s.io')
  t.is((await watch.event()).type, 'ADDED')
  const secrets = '/api/v1/namespaces/default/secrets?watch=1'
  const protocols = { 'sec-websocket-protocol': `${shown(token)}, a` }
  t.is((await refusal(server, secrets, { anonymous: true, headers: protocols })).code, 403)
  const lonely = { 'sec-websocket-protocol': shown(token) }
  t.is((await refusal(server, WATCH, { anonymous: true, headers: lonely })).code, 401)
})

test("a stranger's page cannot use the certificate that its reader's browser shows", async t => {
  const server = await startApiserver(t)
  await make(t, server, 'a')
  const token = await tokenOf(t, server)
  for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1', `${server.url}0`, 'nonsense']) {
    t.is((await refusal(server, WATCH, { headers: { origin } })).code, 401, origin)
    const both = { origin, 'sec-websocket-protocol': `${shown(token)}, a` }
    t.is((await refusal(server, '/api/v1/secrets?watch=1', { headers: both })).code, 403, 'it has what its token has')
  }
  const good: Asking[] = [
    {},
    { headers: { origin: server.url } },
    { headers: { origin: 'http://localhost:8001', 'x-forwarded-for': '127.0.0.1' } },
  ]
  for (const asking of good) t.is((await (await open(t, server, WATCH, asking)).event()).type, 'ADDED')
  // No page reads the answer to a request that is none.
  t.is((await server.fetch(MAPS, { headers: { origin: 'https://evil.example' } })).code, 200)
})

test('what a client says is not listened to, but for too much of it', async t => {
  const server = await startApiserver(t)
  const watch = await open(t, server)
  watch.socket.send('hello')
  watch.socket.send(Buffer.alloc(1000))
  const pong = new Promise(resolve => watch.socket.once('pong', resolve))
  watch.socket.ping()
  await pong
  await make(t, server, 'a')
  t.like(await watch.event(), { object: { metadata: { name: 'a' } } })
  watch.socket.send(Buffer.alloc(100_000))
  t.is(await watch.end(), 1009)
  t.is((await server.fetch(MAPS)).code, 200)
})

test('a client that leaves, or is cut off, holds nothing', async t => {
  const server = await startApiserver(t)
  const [polite, rude] = [await open(t, server), await open(t, server)]
  t.is(await openWatches(server), 2)
  polite.socket.close(1000)
  t.is(await polite.end(), 1000)
  rude.socket.terminate()
  await rude.end()
  const deadline = Date.now() + 60_000
  while ((await openWatches(server)) > 0) {
    if (Date.now() > deadline) throw new Error('watches are left')
    await new Promise(resolve => setImmediate(resolve))
  }
  t.pass()
})

test('a client that does not read is cut off; the others miss nothing', async t => {
  const server = await startApiserver(t)
  const [reader, idle] = [await open(t, server), await open(t, server)]
  idle.socket.pause()
  const data = { x: 'x'.repeat(500_000) }
  // Twice what is buffered for one watcher, and what the kernel takes besides.
  for (let n = 0; n < 80; n++) {
    const metadata = { name: `m${n}`, namespace: 'default' }
    const made = await server.client.create(configMapKind, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
    t.true(made.ok)
    // The reader shares this thread with the server: let it read, or it were slow too.
    t.is((await reader.event()).object.metadata.name, `m${n}`)
  }
  idle.socket.resume()
  t.is(await idle.end(), 1006, 'without a farewell')
})

test('they end with the apiserver', async t => {
  const server = await startApiserver(t)
  const watches = await Promise.all([1, 2, 3].map(() => open(t, server)))
  const [codes] = await Promise.all([Promise.all(watches.map(watch => watch.end())), server.close()])
  t.deepEqual(codes, [1000, 1000, 1000])
  t.is(await openWatches(server), 0)
})

test('by the time a write is answered its event has left', async t => {
  const server = await startApiserver(t)
  const watch = await open(t, server)
  let seen = 0
  watch.socket.on('message', () => seen++)
  for (let n = 1; n <= 100; n++) {
    await make(t, server, `m${n}`)
    // What has arrived at this process's sockets by now is read in this turn of the event loop, or it is late.
    await new Promise(resolve => setImmediate(resolve))
    t.is(seen, n)
  }
})

/** DNS over HTTPS on real sockets, by Node's own clients of HTTP/1.1 and HTTP/2. */
import { once } from 'node:events'
import { type OutgoingHttpHeaders, request as requestHttp } from 'node:http'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { Agent, request as requestHttps } from 'node:https'
import { connect as connectTls } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import type { DnsListener, Responder } from '#resolver/listener.ts'
import { type Answer, emptyAnswer } from '#resolver/verdict.ts'
import { rcodes } from '#resolver/wire/codes.ts'
import { encodeAnswer } from '#resolver/wire/encode.ts'
import { decodeQuery, decodeResponse } from '#resolver/wire/message.ts'
import { identityOf, makeAuthority } from '../../support/certificates.ts'
import { addressResponder, metric, record, startServer, type TestServerOptions } from '../../support/dns-server.ts'
import { freePort } from '../../support/free-port.ts'
import { malformedPacket, SeededNumbers } from '../../support/malformed-packets.ts'
import { queryPacket } from '../../support/query-packet.ts'

const authority = await makeAuthority()
const certificate = await authority.server()

const listener: DnsListener = {
  address: { host: '127.0.0.1', port: 0 },
  server: 'https://:443',
  scheme: 'https',
  identity: identityOf(certificate),
}

const serve = (t: ExecutionContext, options: TestServerOptions = {}) =>
  startServer(t, { listeners: [listener], ...options })

interface Exchange {
  readonly method?: string
  readonly path?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Buffer
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

type Client = (exchange: Exchange) => Promise<Reply>

const collect = async (stream: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const http1 = (t: ExecutionContext, port: number, isPlain = false): Client => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const target = { host: '127.0.0.1', port, ca: authority.ca }
  return async ({ method = 'GET', path = '/dns-query', headers = {}, body }) => {
    const options = { ...target, method, path, headers }
    const request = isPlain ? requestHttp(options) : requestHttps({ ...options, agent })
    request.end(body)
    const [response] = await once(request, 'response')
    return { status: response.statusCode, headers: response.headers, body: await collect(response) }
  }
}

const http2Session = (t: ExecutionContext, port: number): ClientHttp2Session => {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.ca })
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  return session
}

const http2 = (t: ExecutionContext, port: number, session = http2Session(t, port)): Client => {
  return async ({ method = 'GET', path = '/dns-query', headers = {}, body }) => {
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: !body })
    if (body) stream.end(body)
    const [response] = await once(stream, 'response')
    return { status: response[':status'], headers: response, body: await collect(stream) }
  }
}

const packet = queryPacket('example.org.')
const get: Exchange = { path: `/dns-query?dns=${packet.toString('base64url')}` }
const post: Exchange = { method: 'POST', headers: { 'content-type': 'application/dns-message' }, body: packet }

const answersOf = ({ body }: Reply): number => {
  const decoded = decodeResponse(body)
  if (!decoded.ok) throw new Error(decoded.problem)
  return decoded.value.answers.length
}

for (const [version, connect] of Object.entries({ 'HTTP/1.1': http1, 'HTTP/2': http2 })) {
  test(`${version}: messages by GET and by POST, many over one connection`, async t => {
    const contexts: Parameters<Responder>[1][] = []
    const { port, registry } = await serve(t, {
      responder: (bytes, context) => {
        contexts.push(context)
        return addressResponder(3)(bytes, context)
      },
    })
    const client = connect(t, port)
    for (const exchange of [get, post, get, post]) {
      const reply = await client(exchange)
      t.is(reply.status, 200)
      t.is(reply.headers['content-type'], 'application/dns-message')
      t.is(reply.headers['cache-control'], 'max-age=5')
      t.is(Number(reply.headers['content-length']), reply.body.length)
      t.is(answersOf(reply), 3)
    }
    t.is(new Set(contexts.map(({ client: { port: from } }) => from)).size, 1)
    const [context] = contexts
    t.deepEqual([context?.transport, context?.server, context?.local.port], ['https', 'https://:443', port])
    t.is(await metric(registry, 'seamark_server_tcp_connections'), 1)
    const counted = await registry.getSingleMetricAsString('coredns_dns_https_responses_total')
    t.true(counted.endsWith('coredns_dns_https_responses_total{server="https://:443",status="200"} 4'), counted)
  })

  test(`${version}: what is no question is told so, and the server lives`, async t => {
    const { port, registry } = await serve(t)
    const client = connect(t, port)
    const long = Buffer.alloc(5000)
    for (const [exchange, status] of [
      [{ path: '/dns-query' }, 400],
      [{ path: '/' }, 404],
      [{ method: 'PUT' }, 405],
      [{ ...get, headers: { accept: 'text/html' } }, 406],
      [{ ...post, body: long }, 413],
      [
        {
          ...post,
          headers: { ...post.headers, 'transfer-encoding': version === 'HTTP/1.1' ? 'chunked' : undefined },
          body: long,
        },
        413,
      ],
      [{ ...post, headers: { 'content-type': 'text/plain' } }, 415],
      [{ ...post, body: Buffer.from('short') }, 400],
    ] as const) {
      const reply = await client(exchange)
      t.is(reply.status, status)
      t.is(reply.headers['cache-control'], 'no-store')
      t.is(reply.headers.allow, status === 405 ? 'GET, HEAD, POST' : undefined)
      t.true(reply.body.length > 0)
    }
    t.is((await client(get)).status, 200)
    t.is(await metric(registry, 'coredns_dns_https_responses_total'), 9)
  })

  test(`${version}: HEAD is GET without a body`, async t => {
    const { port } = await serve(t)
    const reply = await connect(t, port)({ ...get, method: 'HEAD' })
    t.is(reply.status, 200)
    t.true(Number(reply.headers['content-length']) > 0)
    t.is(reply.body.length, 0)
  })

  test(`${version}: close answers what is in hand`, async t => {
    let release = () => {}
    const held = new Promise<void>(resolve => (release = resolve))
    let arrived = () => {}
    const asked = new Promise<void>(resolve => (arrived = resolve))
    const port = await freePort()
    const { server } = await serve(t, {
      listeners: [{ ...listener, address: { host: '127.0.0.1', port } }],
      options: { drainTimeout: 600_000 },
      responder: async (bytes, context) => {
        arrived()
        await held
        return addressResponder()(bytes, context)
      },
    })
    const client = connect(t, port)
    const replied = client(get)
    await asked
    const closed = server.close()
    release()
    t.is((await replied).status, 200)
    // Not for the connection, which the client would keep.
    await closed
    await t.throwsAsync(client(get))
  })
}

test('many questions at once over one HTTP/2 connection', async t => {
  const { port } = await serve(t, {
    responder: async (bytes, context) => {
      await new Promise(resolve => setTimeout(resolve, 20))
      return addressResponder()(bytes, context)
    },
  })
  const client = http2(t, port)
  const replies = await Promise.all(Array.from({ length: 300 }, (_, index) => client(index % 2 ? get : post)))
  t.true(replies.every(({ status }) => status === 200))
})

const soa = record('example.org. 60 SOA ns.example.org. root.example.org. 1 7200 1800 86400 20')

/** RFC 8484 §5.1, RFC 2308 §5. */
const freshness: Record<string, readonly [answer: Answer, seconds: number]> = {
  'the least TTL': [
    emptyAnswer(rcodes.NOERROR, { answers: ['30', '7', '90'].map(ttl => record(`example.org. ${ttl} A 192.0.2.1`)) }),
    7,
  ],
  'a name that is not there: what the SOA says': [emptyAnswer(rcodes.NXDOMAIN, { authority: [soa] }), 20],
  'no data: what the SOA says': [emptyAnswer(rcodes.NOERROR, { authority: [soa] }), 20],
  'a negative answer without a SOA': [emptyAnswer(rcodes.NXDOMAIN), 0],
  'a failure': [emptyAnswer(rcodes.SERVFAIL), 0],
  'a refusal': [emptyAnswer(rcodes.REFUSED), 0],
  'a TTL of zero': [emptyAnswer(rcodes.NOERROR, { answers: [record('example.org. 0 A 192.0.2.1')] }), 0],
}

const answering =
  (answer: Answer): Responder =>
  (bytes, context) => {
    const decoded = decodeQuery(bytes, context, 0)
    return decoded.verdict === 'query' ? encodeAnswer(decoded.query, answer) : undefined
  }

for (const [about, [answer, seconds]] of Object.entries(freshness))
  test(`caches of HTTP may keep ${about}`, async t => {
    const { port } = await serve(t, { responder: answering(answer) })
    const reply = await http1(t, port)(get)
    t.is(reply.status, 200)
    t.is(reply.headers['cache-control'], `max-age=${seconds}`)
  })

test('the JSON form', async t => {
  const answer = emptyAnswer(rcodes.NXDOMAIN, {
    recursionAvailable: true,
    answers: [record('example.org. 30 CNAME gone.example.org.')],
    authority: [soa],
    extendedErrors: [{ code: 3, text: 'old' }],
  })
  const { port } = await serve(t, { responder: answering(answer) })
  const reply = await http1(t, port)({ path: '/dns-query?name=example.org&type=TXT&cd=1' })
  t.is(reply.headers['content-type'], 'application/dns-json')
  t.is(reply.headers['cache-control'], 'max-age=20')
  t.deepEqual(JSON.parse(reply.body.toString()), {
    Status: 3,
    TC: false,
    RD: true,
    RA: true,
    AD: false,
    CD: true,
    Question: [{ name: 'example.org.', type: 16 }],
    Answer: [{ name: 'example.org.', type: 5, TTL: 30, data: 'gone.example.org.' }],
    Authority: [
      { name: 'example.org.', type: 6, TTL: 60, data: 'ns.example.org. root.example.org. 1 7200 1800 86400 20' },
    ],
    extended_dns_errors: [{ info_code: 3, extra_text: 'old' }],
  })
})

test('questions that are taken back leave the others of their connection alone', async t => {
  let arrived = () => {}
  const asked = new Promise<void>(resolve => (arrived = resolve))
  let release = () => {}
  const held = new Promise<void>(resolve => (release = resolve))
  const { port } = await serve(t, {
    responder: async (bytes, context) => {
      arrived()
      await held
      return addressResponder()(bytes, context)
    },
  })
  const session = http2Session(t, port)
  const headers = { ':method': 'POST', ':path': '/dns-query', 'content-type': 'application/dns-message' }
  const half = session.request(headers)
  const whole = session.request({ ':path': get.path })
  const closed = [half, whole].map(stream => new Promise(resolve => stream.on('error', () => {}).on('close', resolve)))
  half.write(packet.subarray(0, 5))
  await asked
  for (const stream of [half, whole]) stream.close(8)
  await Promise.all(closed)
  release()
  t.is((await http2(t, port, session)(get)).status, 200)
  t.is((await http2(t, port, session)(post)).status, 200)
})

test('where DNS would be silent, HTTP says 500', async t => {
  const { port } = await serve(t, { responder: () => undefined })
  t.is((await http1(t, port)(get)).status, 500)
  t.is((await http2(t, port)(get)).status, 500)
})

test('without a certificate it is HTTP in the clear', async t => {
  const { identity: _, ...plain } = listener
  const { port } = await serve(t, { listeners: [plain] })
  t.is((await http1(t, port, true)(post)).status, 200)
})

test('a client that asks nothing, or never ends its question, is let go', async t => {
  const { port, registry } = await serve(t, { options: { tcpIdleTimeout: 300 } })
  const slow = [
    '',
    'GET /dns-query',
    'POST /dns-query HTTP/1.1\r\nhost: a\r\ncontent-type: application/dns-message\r\ncontent-length: 99\r\n\r\nx',
  ]
  const times = await Promise.all(
    [...slow, 'h2'].map(async text => {
      const start = performance.now()
      const protocol = text === 'h2' ? 'h2' : 'http/1.1'
      const socket = connectTls({ host: '127.0.0.1', port, ca: authority.ca, ALPNProtocols: [protocol] })
      t.teardown(() => socket.destroy())
      socket.on('error', () => {})
      socket.resume()
      if (text !== 'h2') socket.write(text)
      await once(socket, 'close')
      return performance.now() - start
    }),
  )
  for (const time of times) t.true(time >= 295 && time < 60_000, String(time))
  while ((await metric(registry, 'seamark_server_tcp_connections')) > 0)
    await new Promise(resolve => setImmediate(resolve))
})

/**
 * The status that a client of HTTP/2 is answered before it is let go. Undefined: it was let go before its handshake and
 * its question were through, as it may be on a machine that stands still for as long as it may wait.
 */
const statusUntilLetGo = async (t: ExecutionContext, port: number): Promise<number | undefined> => {
  const session = http2Session(t, port)
  const closed = new Promise<void>(resolve => session.once('close', resolve))
  const stream = session.request({ ':path': get.path })
  stream.on('error', () => {})
  const status = new Promise<number | undefined>(resolve => {
    stream.once('response', headers => resolve(headers[':status']))
    stream.once('close', () => resolve(undefined))
  })
  stream.resume()
  await closed
  return status
}

/** Tries longer and longer times: one is long enough for this machine. */
const withAnyPatience = async (statusWith: (idle: number) => Promise<number | undefined>): Promise<number> => {
  for (let idle = 500; ; idle *= 2) {
    const status = await statusWith(idle)
    if (status !== undefined) return status
  }
}

test('a client that has nothing more to ask is let go', async t => {
  const status = await withAnyPatience(async idle => {
    const { port } = await serve(t, { options: { tcpIdleTimeout: idle } })
    return statusUntilLetGo(t, port)
  })
  t.is(status, 200)
})

test('a reload changes how long clients may wait, for connections that come after it', async t => {
  const { port, server } = await serve(t)
  const status = await withAnyPatience(async idle => {
    await server.converge([{ ...listener, timeouts: { idle } }], [])
    return statusUntilLetGo(t, port)
  })
  t.is(status, 200)
})

test('more connections than the listener may have are closed, and counted', async t => {
  const { port, registry } = await serve(t, { listeners: [{ ...listener, timeouts: { maxHttpsConnections: 1 } }] })
  t.is((await http1(t, port)(get)).status, 200)
  await t.throwsAsync(http1(t, port)(get))
  t.is(await metric(registry, 'seamark_server_dropped_total'), 1)
})

test('how many requests a connection of HTTP/2 may have at one time is told to clients, anew after a reload', async t => {
  const { port, server } = await serve(t, { listeners: [{ ...listener, timeouts: { maxHttpsStreams: 3 } }] })
  const streamsOf = async () => {
    const [{ maxConcurrentStreams }] = await once(http2Session(t, port), 'remoteSettings')
    return maxConcurrentStreams
  }
  t.is(await streamsOf(), 3)
  await server.converge([listener], [])
  t.is(await streamsOf(), 128)
})

test('2,000 malformed messages: each is refused, or answered by an error; the connection goes on', async t => {
  const { port } = await serve(t)
  const client = http2(t, port)
  const numbers = new SeededNumbers(8484)
  const seen = new Set<number>()
  for (let round = 0; round < 20; round++) {
    const packets = Array.from({ length: 100 }, () => malformedPacket(numbers).packet)
    const replies = await Promise.all(packets.map(body => client({ ...post, body })))
    for (const [index, { status, body }] of replies.entries()) {
      const sent = packets[index]!
      const isIgnored = sent.length < 12 || (sent[2]! & 0x80) !== 0
      t.is(status, sent.length > 4096 ? 413 : isIgnored ? 400 : 200, sent.toString('hex').slice(0, 100))
      seen.add(status)
      if (status === 200) t.true(decodeResponse(body).ok)
    }
  }
  t.true(seen.has(200) && seen.has(400))
  t.is((await client(get)).status, 200)
})

test('bytes that are no HTTP end their connection alone', async t => {
  const { port } = await serve(t)
  for (const protocol of ['h2', 'http/1.1']) {
    const socket = connectTls({ host: '127.0.0.1', port, ca: authority.ca, ALPNProtocols: [protocol] })
    socket.on('error', () => {})
    socket.resume()
    socket.write(Buffer.alloc(4000, 0x2a))
    await once(socket, 'close')
  }
  t.is((await http2(t, port)(get)).status, 200)
})

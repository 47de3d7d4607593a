import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { connect, constants, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { Segments } from '#cluster/apiserver/forms/segments.ts'
import { ResponseSink } from '#cluster/apiserver/http/event-sink.ts'
import { type Request, type Response, readBody, send } from '#cluster/apiserver/http/exchange.ts'

const listen = async (t: ExecutionContext, server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

test('a body that does not come is given up: HTTP/1.1', async t => {
  const server = createServer(message => void readBody(message, 50).catch(() => {})).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const sent = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, method: 'POST' })
  sent.on('error', () => {})
  sent.write('{')
  await new Promise(resolve => sent.once('close', resolve))
  t.true(sent.destroyed)
})

test('a body that does not come is given up: HTTP/2, and its connection stays', async t => {
  const server = createHttp2Server(message => void readBody(message, 50).catch(() => {})).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => session.close())
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.on('error', () => {})
  stream.write('{')
  await new Promise(resolve => stream.once('close', resolve))
  t.false(session.destroyed)
})

/** Begins a DELETE of which half the body comes, and leaves once the server knows of it. */
const leave = {
  async 'HTTP/1.1'(t: ExecutionContext, begun: (message: Request) => Promise<void>) {
    const port = await listen(
      t,
      createServer(message => void begun(message).then(() => asked.destroy())),
    )
    const asked = request({ host: '127.0.0.1', port, method: 'DELETE', headers: { 'content-length': 6 } })
    asked.on('error', () => {})
    asked.write('{"a')
  },
  async 'HTTP/2'(t: ExecutionContext, begun: (message: Request) => Promise<void>) {
    const port = await listen(
      t,
      createHttp2Server(message => void begun(message).then(() => session.destroy())),
    )
    const session = connect(`http://127.0.0.1:${port}`)
    session
      .request({ ':method': 'DELETE' }, { endStream: false })
      .on('error', () => {})
      .write('{"a')
  },
}

for (const [protocol, begin] of Object.entries(leave))
  test(`who waits for the body of a client that left before hears of it, and takes no part for the whole: ${protocol}`, async t => {
    const { promise, resolve } = Promise.withResolvers<Request>()
    await begin(t, async message => {
      message.on('error', () => {})
      resolve(message)
    })
    const message = await promise
    const gone = 'stream' in message ? message.stream : message
    if (!gone.destroyed) await new Promise(over => gone.once('close', over))
    await t.throwsAsync(readBody(message), { message: 'the client went away' })
  })

const MEBI = 1024 * 1024
/** More than sockets and sessions hold. */
const parts = Array.from({ length: 64 }, (_, index) => Buffer.alloc(MEBI, index + 1))
const whole = Buffer.concat(parts)

/** Counts the chunks that were made. */
class Counted extends Segments {
  made = 0

  override *chunks(): Generator<Buffer, undefined> {
    for (const chunk of super.chunks()) {
      this.made++
      yield chunk
    }
  }
}

const answerWith = (body: Segments) => ({ code: 200, contentType: 'application/json', body })

/** A response over each version of HTTP, and how its client takes the request back. */
const ask = {
  async 'HTTP/1.1'(t: ExecutionContext, body: Segments, over: () => void) {
    const port = await listen(
      t,
      createServer((message, response) => void send(message, response, answerWith(body)).then(over)),
    )
    const asked = request({ host: '127.0.0.1', port }).end()
    const [response] = (await once(asked, 'response')) as [Readable & { headers: Record<string, string> }]
    return { response, length: response.headers['content-length'], leave: () => asked.destroy() }
  },
  async 'HTTP/2'(t: ExecutionContext, body: Segments, over: () => void) {
    const port = await listen(
      t,
      createHttp2Server((message, response) => void send(message, response, answerWith(body)).then(over)),
    )
    const session = connect(`http://127.0.0.1:${port}`)
    t.teardown(() => session.destroy())
    const response = session.request()
    const [headers] = await once(response, 'response')
    return { response, length: headers['content-length'], leave: () => response.close(constants.NGHTTP2_CANCEL) }
  },
}

for (const [protocol, begin] of Object.entries(ask)) {
  test(`a long answer comes whole, and with its length: ${protocol}`, async t => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { response, length } = await begin(t, new Segments(parts), resolve)
    t.is(length, String(whole.length))
    t.true((await buffer(response)).equals(whole))
    await promise
  })

  test(`of a long answer no more is made than goes out, and it is over when its client leaves in the middle: ${protocol}`, async t => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const body = new Counted(parts)
    const { response, leave } = await begin(t, body, resolve)
    response.on('error', () => {})
    await once(response, 'readable')
    leave()
    await promise
    t.true(body.made > 0 && body.made < parts.length, `${body.made} chunks`)
  })
}

/** A client that asks, and does not read. */
const askOnly = {
  async 'HTTP/1.1'(t: ExecutionContext, answer: (message: Request, response: Response) => void) {
    const port = await listen(t, createServer(answer))
    const asked = request({ host: '127.0.0.1', port, agent: false }).on('error', () => {})
    asked.on('response', response => response.on('error', () => {})).end()
    t.teardown(() => asked.destroy())
  },
  async 'HTTP/2'(t: ExecutionContext, answer: (message: Request, response: Response) => void) {
    const session = connect(`http://127.0.0.1:${await listen(t, createHttp2Server(answer))}`)
    session.request().on('error', () => {})
    t.teardown(() => session.destroy())
  },
}

for (const [protocol, begin] of Object.entries(askOnly)) {
  for (const [what, body] of Object.entries({ 'in one piece': whole, 'in many': new Segments(parts) }))
    test(`a long answer that nobody reads is given up, ${what}: ${protocol}`, async t => {
      const { promise, resolve } = Promise.withResolvers<void>()
      await begin(t, (message, response) => {
        response.once('close', resolve)
        void send(message, response, { code: 200, contentType: 'application/json', body }, 50)
      })
      await promise
      t.pass()
    })

  test(`a watch that is over and that nobody reads is given up: ${protocol}`, async t => {
    const { promise, resolve } = Promise.withResolvers<void>()
    await begin(t, (_message, response) => {
      response.once('close', resolve)
      const sink = new ResponseSink(response, 'application/json', 50)
      sink.send(whole)
      sink.end()
    })
    await promise
    t.pass()
  })
}

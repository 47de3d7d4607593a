import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectSecond, constants } from 'node:http2'
import { connect, type TLSSocket } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import type { Response } from '#cluster/apiserver/http/exchange.ts'
import { FIRST_HEAD, NEXT_HEAD } from '#cluster/apiserver/http/request-deadline.ts'
import { MAX_RESETS, RESET_PERIOD } from '#cluster/apiserver/http/reset-limit.ts'
import { ApiHttpServer } from '#cluster/apiserver/http/server.ts'
import type { Milliseconds, Timer } from '#lib/clock.ts'
import { makeAuthority } from '../../../support/certificates.ts'
import { VirtualClock } from '../../../support/virtual-clock.ts'

/** Counts the timers that were ever set: how a test knows that the server has seen a handshake or the end of a request. */
class CountingClock extends VirtualClock {
  timers = 0

  override after(delay: Milliseconds, task: () => void): Timer {
    this.timers++
    return super.after(delay, task)
  }
}

interface Setup {
  readonly clock: CountingClock
  /** Answers that the handler left open, in the order of their requests: `/watch` and below. */
  readonly open: Response[]
  first(protocol?: string): Promise<TLSSocket>
  second(): Promise<ClientHttp2Session>
}

/** Waits for what the other side does at its own pace. */
const until = async (holds: () => boolean): Promise<void> => {
  const end = Date.now() + 60_000
  while (!holds()) {
    if (Date.now() > end) throw new Error('it did not come')
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

const setUp = async (t: ExecutionContext): Promise<Setup> => {
  const authority = await makeAuthority()
  const { cert, key } = await authority.server()
  const clock = new CountingClock()
  const open: Response[] = []
  const server = new ApiHttpServer({
    address: { host: '127.0.0.1', port: 0 },
    certificate: String(cert),
    key: String(key),
    clientAuthority: String(authority.ca),
    clock,
    upgrades: () => false,
    handle: (request, response) => {
      response.on('error', () => {})
      if (request.url?.startsWith('/watch')) open.push(response)
      else response.end('answer')
    },
  })
  const { port } = await server.listen()
  t.teardown(() => server.close())
  const target = { host: '127.0.0.1', port, ca: authority.ca }
  return {
    clock,
    open,
    async first() {
      const { timers } = clock
      const socket = connect(target)
      t.teardown(() => socket.destroy())
      socket.on('error', () => {})
      socket.resume()
      await once(socket, 'secureConnect')
      await until(() => clock.timers > timers)
      return socket
    },
    async second() {
      const session = connectSecond(`https://127.0.0.1:${port}`, { ca: authority.ca })
      t.teardown(() => session.destroy())
      session.on('error', () => {})
      await once(session, 'remoteSettings')
      return session
    },
  }
}

test('HTTP/1.1: a head that drips in ends with its connection', async t => {
  const { clock, first } = await setUp(t)
  const socket = await first()
  socket.write('GET / HTTP/1.1\r\n')
  await clock.advance(FIRST_HEAD - 1)
  await new Promise(resolve => socket.write('Host: a\r\n', resolve))
  t.false(socket.closed)
  await clock.advance(1)
  await until(() => socket.closed)
  t.pass()
})

test('HTTP/1.1: an idle connection ends, one with a watch stays', async t => {
  const { clock, first, open } = await setUp(t)
  const [idle, busy] = [await first(), await first()]
  const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
  busy.write(ask('/') + ask('/watch'))
  await until(() => open.length === 1)
  for (const _round of [1, 2]) {
    const { timers } = clock
    idle.write(ask('/'))
    await until(() => clock.timers > timers)
    await clock.advance(NEXT_HEAD - 1)
    t.false(idle.closed)
  }
  await clock.advance(1)
  await until(() => idle.closed)
  await clock.advance(10 * NEXT_HEAD)
  t.false(busy.closed)
  const { timers } = clock
  open[0]?.end('{}')
  await once(busy, 'data')
  await until(() => clock.timers > timers)
  await clock.advance(NEXT_HEAD)
  await until(() => busy.closed)
})

test('HTTP/1.1: clients are told how long they may be idle', async t => {
  const { first } = await setUp(t)
  const socket = await first()
  const answered = once(socket, 'data')
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  t.regex(String((await answered)[0]), new RegExp(`^keep-alive: timeout=${NEXT_HEAD / 1000}\r$`, 'im'))
})

test('HTTP/2: a session that asks nothing ends though it pings, one with a watch stays', async t => {
  const { clock, second, open } = await setUp(t)
  const [silent, busy] = [await second(), await second()]
  const watch = busy.request({ ':path': '/watch' })
  watch.on('error', () => {})
  await until(() => open.length === 1)
  await clock.advance(FIRST_HEAD - 1)
  await pong(silent)
  t.false(silent.closed)
  await clock.advance(1)
  await until(() => silent.closed)
  await clock.advance(10 * NEXT_HEAD)
  await pong(busy)
  t.false(busy.closed)
  const { timers } = clock
  watch.close(constants.NGHTTP2_CANCEL)
  await until(() => clock.timers > timers)
  await clock.advance(NEXT_HEAD)
  await until(() => busy.closed)
})

/** Opens streams and resets them one by one, as CVE-2023-44487 does; ends early with the session. */
const resetMany = async (session: ClientHttp2Session, count: number): Promise<void> => {
  for (let sent = 0; sent < count && !session.destroyed; sent += BATCH) {
    for (let index = 0; index < BATCH && !session.destroyed; index++) {
      const stream = session.request({ ':path': '/watch' })
      stream.on('error', () => {})
      stream.close(constants.NGHTTP2_CANCEL)
    }
    if (!session.destroyed) await pong(session)
  }
}

/** When the server has answered; at once when the session ends. */
const pong = (session: ClientHttp2Session): Promise<unknown> => new Promise(resolve => session.ping(resolve))

const BATCH = 50

test('HTTP/2: rapid resets end the session with ENHANCE_YOUR_CALM', async t => {
  const { second, clock } = await setUp(t)
  const session = await second()
  const codes: number[] = []
  session.on('goaway', code => codes.push(code))
  await resetMany(session, 10_000)
  await clock.advance(RESET_PERIOD)
  await until(() => session.destroyed)
  t.is(codes[0], constants.NGHTTP2_ENHANCE_YOUR_CALM)
})

test('HTTP/2: resets within the bound, time and again, end nothing', async t => {
  const { second, clock } = await setUp(t)
  const session = await second()
  for (const _round of [1, 2, 3]) {
    await resetMany(session, MAX_RESETS)
    await clock.advance(RESET_PERIOD)
  }
  t.false(session.destroyed)
  await pong(session)
  t.false(session.destroyed)
})

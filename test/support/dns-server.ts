import type { ExecutionContext } from 'ava'
import { ChangeBoard } from '#lib/change-board.ts'
import { systemClock } from '#lib/clock.ts'
import { InputLedger } from '#lib/input-ledger.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry, type Registry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import { systemRandom } from '#lib/random.ts'
import type { DnsListener, HttpEndpoint, Responder } from '#resolver/listener.ts'
import { emptyAnswer } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { newCookieSecret, ServerCookies } from '#resolver/wire/cookie.ts'
import { encodeAnswer } from '#resolver/wire/encode.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'
import type { SharedState } from '#server/environment.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import type { EarlyThreads } from '#server/udp/early-threads.ts'
import { recordFromText } from './record-from-text.ts'

export const record = (text: string): ResourceRecord => {
  const read = recordFromText(text)
  if (!read.ok) throw new Error(read.problem)
  return read.value
}

/**
 * A responder of the real wire code that has `count` addresses for every name: 192.0.2.1, 192.0.2.2 … (TTL 5). TXT gives
 * the local address that was asked.
 */
export const addressResponder = (count = 1): Responder => {
  const addresses = Array.from({ length: count }, (_, index) =>
    record(`. 5 A 192.0.${2 + (index >> 8)}.${(index + 1) & 0xff}`),
  )
  return (packet, context) => {
    const decoded = decodeQuery(packet, context, 0)
    if (decoded.verdict === 'ignored') return undefined
    if (decoded.verdict === 'refused') return decoded.reply
    const { name, type } = decoded.query.question
    const records = type === recordTypes.TXT ? [record(`. 5 TXT "${context.local.address}"`)] : addresses
    const answers = records.map(each => ({ ...each, name }))
    return encodeAnswer(decoded.query, emptyAnswer(rcodes.NOERROR, { authoritative: true, answers }))
  }
}

/** What a program gives to its server, of nobody else. */
export const newSharedState = (): SharedState => ({
  board: new ChangeBoard(),
  inputs: new InputLedger(),
  cookies: new ServerCookies({ clock: systemClock, secret: newCookieSecret(systemRandom) }),
})

export const loopback = (port = 0): DnsListener => ({ address: { host: '127.0.0.1', port }, server: 'dns://:0' })

export interface TestServer {
  readonly server: Server
  readonly registry: Registry
  /** UDP and TCP port of the first DNS listener. */
  readonly port: number
}

export interface TestServerOptions {
  readonly responder?: Responder
  readonly listeners?: readonly DnsListener[]
  readonly endpoints?: readonly HttpEndpoint[]
  readonly options?: { readonly [Name in keyof typeof serverOptions]?: number | string }
  /** Absent: UDP is served by node:dgram. */
  readonly shared?: SharedState
  /** Threads that were started already. */
  readonly early?: EarlyThreads
}

/** Milliseconds, longer than any test: a slow machine is no slow client. Tests of the time-outs set their own. */
export const PATIENCE = { tcpReadTimeout: 600_000, tcpWriteTimeout: 600_000, httpTimeout: 600_000 }

/** A server on a free port of loopback that closes when the test ends. */
export const startServer = async (
  t: ExecutionContext,
  {
    responder = addressResponder(),
    listeners = [loopback()],
    endpoints = [],
    options = {},
    shared,
    early,
  }: TestServerOptions = {},
): Promise<TestServer> => {
  const registry = createRegistry()
  const read = readOptions(serverOptions, { ...PATIENCE, tcpIdleTimeout: 600_000, ...options })
  if (!read.ok) throw new Error(read.problem)
  const environment = { clock: systemClock, logger: silentLogger, registry, options: read.value }
  const server = new Server(responder, { ...environment, ...(shared && { shared }), ...(early && { early }) })
  t.teardown(() => server.close())
  await server.converge(listeners, endpoints)
  return { server, registry, port: [...server.addresses().dns.values()][0]?.port ?? 0 }
}

/** The value of a counter or gauge, all labels together. */
export const metric = async (registry: Registry, name: string): Promise<number> => {
  const read = await registry.getSingleMetric(name)?.get()
  return (read?.values ?? []).reduce((sum, { value }) => sum + value, 0)
}

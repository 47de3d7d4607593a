/** A DNS server on loopback whose answers the test makes up: UDP and TCP on one port, TLS on another. */
import assert from 'node:assert'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { ExecutionContext } from 'ava'
import type { Endpoint, Query, Transport } from '#resolver/query.ts'
import { type Answer, emptyAnswer } from '#resolver/verdict.ts'
import { encodeAnswer } from '#resolver/wire/encode.ts'
import { decodeQuery } from '#resolver/wire/message.ts'
import { aData, soaData } from '#resolver/wire/rdata.ts'
import type { ResourceRecord } from '#resolver/wire/record.ts'

/** What the server says: an answer, bytes as they are, or nothing at all. */
export type StubReply = Partial<Answer> | Buffer | undefined

export interface StubUpstream {
  /** `127.0.0.1:PORT`, as a Corefile names it. */
  readonly target: string
  readonly port: number
  /** What came in, in order; `client` is where it came from. */
  readonly queries: Query[]
  /** Queries that it has not answered, or not yet. */
  readonly unanswered: () => number
  /** Sends bytes from its UDP port, whether they were asked for or not. */
  readonly send: (packet: Buffer, to: Endpoint) => Promise<void>
  readonly close: () => Promise<void>
}

export interface StubOptions {
  readonly respond: (query: Query) => StubReply | Promise<StubReply>
  /** Serve TLS instead, with this certificate. */
  readonly tls?: TlsOptions
  /** Default 0: any. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
}

export const startUpstream = async (t: ExecutionContext, options: StubOptions): Promise<StubUpstream> => {
  const queries: Query[] = []
  let unanswered = 0
  const sockets = new Set<Socket>()
  const { host = '127.0.0.1' } = options
  const reply = async (packet: Buffer, transport: Transport, client: Endpoint): Promise<Buffer | undefined> => {
    const local = { address: host, port }
    const decoded = decodeQuery(packet, { transport, client, local, server: 'stub' }, 0)
    if (decoded.verdict !== 'query') return undefined
    queries.push(decoded.query)
    unanswered++
    const answer = await options.respond(decoded.query)
    if (answer !== undefined) unanswered--
    if (answer === undefined || Buffer.isBuffer(answer)) return answer
    return encodeAnswer(decoded.query, emptyAnswer(0, { recursionAvailable: true, ...answer }), { udpSize: 4096 })
  }
  const serve = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let received = Buffer.alloc(0)
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0)
        const packet = Buffer.from(received.subarray(2, end))
        received = received.subarray(end)
        void reply(packet, 'tcp', { address: socket.remoteAddress!, port: socket.remotePort! }).then(bytes => {
          if (!bytes) return
          const length = Buffer.alloc(2)
          length.writeUInt16BE(bytes.length)
          socket.write(Buffer.concat([length, bytes]))
        })
      }
    })
  }
  const stream = options.tls ? createTlsServer(options.tls, serve) : createServer(serve)
  const udp = await listen(stream, options, host)
  udp?.on('message', (packet, from) => {
    void reply(packet, 'udp', from).then(bytes => bytes && udp.send(bytes, from.port, from.address))
  })
  const { port } = stream.address() as AddressInfo
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    for (const socket of sockets) socket.destroy()
    const ends = [once(stream, 'close'), ...(udp ? [once(udp, 'close')] : [])]
    udp?.close()
    stream.close()
    await Promise.all(ends)
  }
  t.teardown(close)
  const send = (packet: Buffer, to: Endpoint) =>
    new Promise<void>((resolve, reject) => {
      assert(udp, 'a server of TLS has no UDP port')
      udp.send(packet, to.port, to.address, error => (error ? reject(error) : resolve()))
    })
  const target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  return { target, port, queries, unanswered: () => unanswered, send, close }
}

/** One port over TCP and UDP; where it is to be any, another one if somebody has it over UDP already. */
const listen = async (stream: Server, { port = 0, tls }: StubOptions, host: string): Promise<UdpSocket | undefined> => {
  for (;;) {
    stream.listen(port, host)
    await once(stream, 'listening')
    if (tls) return undefined
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    const bound = once(socket, 'listening')
    socket.bind((stream.address() as AddressInfo).port, host)
    const problem = await bound.then(
      () => undefined,
      (error: Error) => error,
    )
    if (!problem) return socket
    socket.close()
    stream.close()
    await once(stream, 'close')
    if (port !== 0) throw problem
  }
}

export const aRecord = (name: string, ttl: number, address: string): ResourceRecord => ({
  name,
  type: 1,
  class: 1,
  ttl,
  data: aData.encode(address),
})

export const soaRecord = (zone: string, ttl: number, minimum: number): ResourceRecord => ({
  name: zone,
  type: 6,
  class: 1,
  ttl,
  data: soaData.encode({
    mname: `ns.${zone}`,
    rname: `hostmaster.${zone}`,
    serial: 7,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum,
  }),
})

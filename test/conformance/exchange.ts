/** Requests to a server on loopback, with silence as a possible answer. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Agent } from 'node:https'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { frame } from '../support/dns-client.ts'

export interface Door {
  readonly port: number
  readonly transport: 'udp' | 'tcp' | 'tls'
  /** Who may have issued the server's certificate, PEM. */
  readonly ca?: Buffer
  /** Whether silence is what is wanted: then nobody waits for a reply longer than for that to a later question. */
  readonly silence: boolean
}

/** Opcode STATUS: answered by the header gate alone, whatever the Corefile says. */
const sentinel = Buffer.from('feed10000001000000000000', 'hex')
const DEADLINE = 60_000

/** The reply to each packet, by its id; undefined: the server is silent. */
export const exchange = (packets: readonly Buffer[], door: Door): Promise<(Buffer | undefined)[]> =>
  new Promise((resolve, reject) => {
    const replies = new Map<number, Buffer>()
    const ids = packets.map(packet => (packet.length >= 2 ? packet.readUInt16BE(0) : -1))
    let ended = false
    const end = (error?: Error) => {
      if (ended) return
      ended = true
      clearTimeout(deadline)
      wire.close()
      if (error) reject(error)
      else resolve(ids.map(id => replies.get(id)))
    }
    const wire = open(door, {
      message(reply) {
        const id = reply.readUInt16BE(0)
        replies.set(id, reply)
        if (ids.every(wanted => replies.has(wanted)) || id === sentinel.readUInt16BE(0)) end()
      },
      ended: end,
    })
    const deadline = setTimeout(end, DEADLINE)
    wire.send(door.silence ? [...packets, sentinel] : packets)
  })

interface Wire {
  send(packets: readonly Buffer[]): void
  close(): void
}

interface Listener {
  readonly message: (reply: Buffer) => void
  readonly ended: (error?: Error) => void
}

const open = ({ transport, port, ca }: Door, listener: Listener): Wire => {
  if (transport === 'udp') return openUdp(port, listener)
  const host = '127.0.0.1'
  const socket = transport === 'tcp' ? connect(port, host) : connectTls({ host, port, ca, ALPNProtocols: ['dot'] })
  return openStream(socket, listener)
}

const openUdp = (port: number, { message, ended }: Listener): Wire => {
  const socket = createSocket('udp4')
  socket.on('message', message)
  socket.on('error', ended)
  return {
    send: packets =>
      socket.connect(port, '127.0.0.1', () => {
        for (const packet of packets) socket.send(packet)
      }),
    close: () => void socket.close(),
  }
}

const openStream = (socket: Socket, { message, ended }: Listener): Wire => {
  let received = Buffer.alloc(0)
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const reply = received.subarray(2, end)
      received = received.subarray(end)
      message(reply)
    }
  })
  // RFC 7766 §6.2.4: a server may close on what is no message at all; that is silence too.
  socket.on('close', () => ended())
  socket.on('error', ended)
  return {
    send: packets => void socket.write(Buffer.concat(packets.map(frame))),
    close: () => void socket.destroy(),
  }
}

export interface HttpsDoor {
  readonly port: number
  /** Knows who may have issued the server's certificate. */
  readonly agent: Agent
}

/** One message by POST (RFC 8484 §4.1); undefined: an HTTP status instead of a message. */
export const exchangeHttps = async (packet: Buffer, { port, agent }: HttpsDoor): Promise<Buffer | undefined> => {
  const headers = { 'content-type': 'application/dns-message' }
  const asking = request({ host: '127.0.0.1', port, agent, method: 'POST', path: '/dns-query', headers })
  asking.end(packet)
  const [response] = await once(asking, 'response')
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return response.statusCode === 200 ? Buffer.concat(chunks) : undefined
}

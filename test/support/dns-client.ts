import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import dnsPacket, { type DecodedPacket, type RecordType } from 'dns-packet'

export interface Ask {
  readonly name: string
  /** Default A. */
  readonly type?: string
  readonly port: number
  /** Default 127.0.0.1. */
  readonly address?: string
  /** Default udp. */
  readonly transport?: 'udp' | 'tcp'
  /** Milliseconds until an answer must be there. Default 30 s: on loopback nothing is lost, but a machine may be slow. */
  readonly deadline?: number
}

const DEADLINE = 30_000

/** A reply as dns-packet reads it, with the RCODE's name that its types leave out. */
export type Reply = DecodedPacket & { readonly rcode: string; readonly answers: readonly { readonly data?: unknown }[] }

/** Sends bytes over UDP; the first datagram with its id that comes back: a late reply to whoever had the port before is none. */
export const exchangeUdp = (
  packet: Buffer,
  port: number,
  address = '127.0.0.1',
  deadline = DEADLINE,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    const end = (settle: () => void) => {
      clearTimeout(timer)
      socket.close()
      settle()
    }
    const timer = setTimeout(() => end(() => reject(new Error(`no answer within ${deadline} ms`))), deadline)
    socket.on('error', error => end(() => reject(error)))
    socket.on('message', reply => {
      if (reply.subarray(0, 2).equals(packet.subarray(0, 2))) end(() => resolve(reply))
    })
    socket.connect(port, address, () => socket.send(packet))
  })

/** Puts the two length bytes before a message (RFC 1035 §4.2.2). */
export const frame = (packet: Buffer): Buffer => {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(packet.length)
  return Buffer.concat([length, packet])
}

/** Sends one message over a TCP connection of its own; the first message that comes back. */
export const exchangeTcp = (
  packet: Buffer,
  port: number,
  address = '127.0.0.1',
  deadline = DEADLINE,
): Promise<Buffer> => exchangeOver(connect(port, address), packet, deadline)

/** The same over a stream (TLS), which is closed then. */
export const exchangeOver = (socket: Socket, packet: Buffer, deadline = DEADLINE): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const end = (settle: () => void) => {
      clearTimeout(timer)
      socket.destroy()
      settle()
    }
    const timer = setTimeout(() => end(() => reject(new Error(`no answer within ${deadline} ms`))), deadline)
    socket.on('error', error => end(() => reject(error)))
    socket.on('close', () => end(() => reject(new Error('the connection was closed without an answer'))))
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      const length = received.length < 2 ? undefined : received.readUInt16BE(0)
      if (length !== undefined && received.length >= 2 + length) end(() => resolve(received.subarray(2, 2 + length)))
    })
    socket.write(frame(packet))
  })

/** Asks a server one question, RD set. Rejects when there is no answer before the deadline. */
export const ask = async ({ name, type = 'A', port, address, transport = 'udp', deadline }: Ask): Promise<Reply> => {
  const packet = dnsPacket.encode({
    type: 'query',
    id: Math.floor(Math.random() * 65_536),
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type: type as RecordType, name }],
  })
  const exchange = transport === 'udp' ? exchangeUdp : exchangeTcp
  return dnsPacket.decode(await exchange(packet, port, address, deadline)) as unknown as Reply
}

/**
 * Asks again and again until the reply is as wanted; rejects after `limit` milliseconds. A question that a server took
 * with it when it ended is asked again after a second.
 */
export const askUntil = async (question: Ask, wanted: (reply: Reply) => boolean, limit = 60_000): Promise<Reply> => {
  const end = performance.now() + limit
  for (;;) {
    const reply = await ask({ deadline: 1000, ...question }).catch((error: unknown) => error as Error)
    if (!(reply instanceof Error) && wanted(reply)) return reply
    if (performance.now() > end) throw new Error(`not the wanted answer within ${limit} ms`, { cause: reply })
    await new Promise(resolve => setImmediate(resolve))
  }
}

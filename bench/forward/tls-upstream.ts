/** An upstream over TLS on a thread of its own: every name has one address. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { parentPort, workerData } from 'node:worker_threads'

export interface UpstreamData {
  /** PEM. */
  readonly key: Uint8Array
  readonly cert: Uint8Array
}

/** Header and question kept, one A record for the question's name: TTL 300, 192.0.2.1 (RFC 1035 §4.1). */
const ANSWER = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1])

const questionEnd = (packet: Buffer): number => {
  let at = 12
  while (at < packet.length && packet[at] !== 0) at += packet[at]! + 1
  return at + 5
}

const replyTo = (query: Buffer): Buffer => {
  const reply = Buffer.concat([query.subarray(0, questionEnd(query)), ANSWER])
  reply.writeUInt16BE(0x8180, 2)
  reply.set([0, 1, 0, 1, 0, 0, 0, 0], 4)
  return reply
}

const serve = (socket: TLSSocket): void => {
  let received = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk])
    const replies: Buffer[] = []
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const reply = replyTo(received.subarray(2, end))
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      replies.push(length, reply)
      received = received.subarray(end)
    }
    if (replies.length > 0) socket.write(Buffer.concat(replies))
  })
}

const { key, cert } = workerData as UpstreamData
const server = createServer({ key: Buffer.from(key), cert: Buffer.from(cert) }, serve)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
parentPort!.postMessage((server.address() as AddressInfo).port)

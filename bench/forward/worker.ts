/** An upstream on a thread of its own: over UDP, or over TLS when it is given a certificate. Killed by a message. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { parentPort, workerData } from 'node:worker_threads'
import { replyTo, UpstreamStub } from '../upstream.ts'

export interface UpstreamData {
  /** PEM; absent: UDP. */
  readonly tls?: { readonly key: Uint8Array; readonly cert: Uint8Array }
}

/** `silent`: takes questions and answers none, as a machine that has lost its power. `closed`: its port is closed. */
export type UpstreamFate = 'silent' | 'closed'

const serve = (socket: TLSSocket): void => {
  let received = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk])
    socket.cork()
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const reply = replyTo(received.subarray(2, end))
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      socket.write(length)
      socket.write(reply)
      received = received.subarray(end)
    }
    socket.uncork()
  })
}

const { tls } = workerData as UpstreamData
if (tls) {
  const server = createServer({ key: Buffer.from(tls.key), cert: Buffer.from(tls.cert) }, serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  parentPort!.postMessage((server.address() as AddressInfo).port)
} else {
  const stub = new UpstreamStub()
  await stub.open()
  parentPort!.on('message', (fate: UpstreamFate) => {
    if (fate === 'closed') stub.close()
    else stub.capacity = 0
  })
  parentPort!.postMessage(Number(stub.address.split(':')[1]))
}

/**
 * Carries DNS between sockets inside a namespace and the DNS server outside: datagrams with a socket a client outside,
 * so that replies find their way back, and connections byte by byte.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { connect, createServer, type Server } from 'node:net'
import { LRUCache } from 'lru-cache'
import type { SocketAddress } from '#lib/address.ts'
import type { NamespaceSockets } from './namespace-sockets.ts'

/** Clients with a datagram under way; one command rarely has more than a few. */
const MAXIMUM_CLIENTS = 256
/** Longer than any resolver waits for an answer (glibc: 5 s). Milliseconds. */
const CLIENT_IDLE = 30_000

export interface Relay {
  close(): void
}

const relayDatagrams = (descriptor: number, server: SocketAddress): Relay => {
  const inside = createSocket('udp4')
  const outsideByClient = new LRUCache<string, UdpSocket>({
    max: MAXIMUM_CLIENTS,
    ttl: CLIENT_IDLE,
    ttlAutopurge: true,
    updateAgeOnGet: true,
    dispose: socket => socket.close(),
  })
  const openOutside = (address: string, port: number): UdpSocket => {
    const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4')
    socket.on('message', reply => inside.send(reply, port, address))
    // A refused port (the server restarts) shows as silence, which resolvers retry.
    socket.on('error', () => {})
    socket.unref()
    return socket
  }
  inside.on('message', (packet, { address, port }) => {
    // RFC 768: port 0 expects no reply, and none can be sent there.
    if (port === 0) return
    const client = `${address}:${port}`
    let outside = outsideByClient.get(client)
    if (!outside) {
      outside = openOutside(address, port)
      outsideByClient.set(client, outside)
    }
    outside.send(packet, server.port, server.host)
  })
  inside.on('error', () => {})
  inside.bind({ fd: descriptor })
  return {
    close() {
      outsideByClient.clear()
      inside.close()
    },
  }
}

const relayConnections = (descriptor: number, server: SocketAddress): Relay => {
  const connections = new Set<{ destroy(): void }>()
  const inside: Server = createServer({ allowHalfOpen: true }, client => {
    const outside = connect({ host: server.host, port: server.port, allowHalfOpen: true })
    for (const [from, to] of [
      [client, outside],
      [outside, client],
    ] as const) {
      connections.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => connections.delete(from))
    }
  })
  inside.listen({ fd: descriptor })
  return {
    close() {
      inside.close()
      for (const connection of connections) connection.destroy()
    },
  }
}

/** Serves both sockets from `server` until closed. */
export const startRelay = (sockets: NamespaceSockets, server: SocketAddress): Relay => {
  const relays = [relayDatagrams(sockets.udp, server), relayConnections(sockets.tcp, server)]
  return {
    close() {
      for (const relay of relays) relay.close()
    },
  }
}

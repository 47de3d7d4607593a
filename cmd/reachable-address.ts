import type { SocketAddress } from '#lib/address.ts'

/** How programs on this machine reach a server that listens there: a wildcard is no address to connect to. */
export const reachableAddress = ({ host, port }: SocketAddress): SocketAddress => ({
  host: host === '' || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host,
  port,
})

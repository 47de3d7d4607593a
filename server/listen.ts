import type { Server } from 'node:net'
import type { BindAddress } from './bind-address.ts'

export interface ListenOptions {
  readonly bind: BindAddress
  /** 0: the system's choice. */
  readonly port: number
  /** Connections that wait to be accepted. Default: Node's (511). */
  readonly backlog?: number
  /** EMFILE and its like, once it listens: a connection is lost, the listener is not. */
  readonly notAccepted: (error: Error) => void
}

/** Resolves with the port. Rejects with the system's error. */
export const listenOn = (server: Server, { bind, port, backlog, notAccepted }: ListenOptions): Promise<number> =>
  new Promise((resolve, reject) => {
    const place = { host: bind.address, port, ipv6Only: bind.family === 6, exclusive: true }
    server.once('error', reject)
    server.listen({ ...place, ...(backlog === undefined ? {} : { backlog }) }, () => {
      server.off('error', reject)
      server.on('error', notAccepted)
      const bound = server.address()
      resolve(typeof bound === 'object' && bound ? bound.port : port)
    })
  })

import { createSocket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import { systemCode } from '#lib/errors.ts'
import type { BindAddress } from './bind-address.ts'
import { portsCanBeShared } from './socket-options.ts'
import { turns } from './turns.ts'

export interface ListenOptions {
  readonly bind: BindAddress
  /** 0: the system's choice. */
  readonly port: number
  /** Whether others may have the address already, so that one takes over from the other. Only where ports can be shared. */
  readonly joins: boolean
  /** Connections that wait to be accepted. Default: Node's (511). */
  readonly backlog?: number
  /** EMFILE and its like, once it listens: a connection is lost, the listener is not. */
  readonly notAccepted: (error: Error) => void
}

/** Resolves with the port. Rejects with the system's error. */
export const listenOn = async (server: Server, options: ListenOptions): Promise<number> => {
  const { bind, port, joins, backlog, notAccepted } = options
  const place = { host: bind.address, port, ipv6Only: bind.family === 6, exclusive: true }
  const more = { reusePort: portsCanBeShared, ...(backlog === undefined ? {} : { backlog }) }
  const open = () => listen(server, { ...place, ...more })
  // Once it is open, another may join it; but not by mistake.
  const isShared = !portsCanBeShared || joins || port === 0
  const bound = isShared ? await open() : await afterLook(() => listenAlone(place), open)
  server.on('error', notAccepted)
  return bound
}

/** Turns of the loop. */
const LOOK_LEAVES = 10_000

/**
 * Opens what nobody has who was looked for. The socket that looked may stay for a moment: a program that is just being
 * started has it too (fork(2), until execve(2)).
 */
export const afterLook = async <Value>(look: () => Promise<void>, open: () => Promise<Value>): Promise<Value> => {
  await look()
  for (let tries = 1; ; tries++) {
    try {
      return await open()
    } catch (error) {
      if (systemCode(error) !== 'EADDRINUSE' || tries === LOOK_LEAVES) throw error
      await turns(1)
    }
  }
}

type Place = Parameters<Server['listen']>[0] & { readonly port: number }

/** Rejects if anybody has the address, whether it may be shared or not. */
const listenAlone = async (place: Place): Promise<void> => {
  const alone = createServer()
  await listen(alone, place)
  await new Promise(resolve => alone.close(resolve))
}

/** The same for datagrams: whoever has them alone, and shares them, is not noticed over TCP. */
export const datagramsAlone = ({ address, family }: BindAddress, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const alone = createSocket({ type: `udp${family}`, ipv6Only: family === 6 })
    alone.once('error', error => {
      alone.close()
      reject(error)
    })
    alone.bind({ address, port, exclusive: true }, () => alone.close(() => resolve()))
  })

/** A server may be told to again and again: nothing of a try that failed stays at it. */
const listen = (server: Server, place: Place): Promise<number> =>
  new Promise((resolve, reject) => {
    const opened = () => {
      server.off('error', failed)
      const bound = server.address()
      resolve(typeof bound === 'object' && bound ? bound.port : place.port)
    }
    const failed = (error: Error) => {
      server.off('listening', opened)
      reject(error)
    }
    server.once('error', failed)
    server.once('listening', opened)
    server.listen(place)
  })

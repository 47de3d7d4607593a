import { getSystemErrorMessage } from 'node:util'

/** Why no reply came from an upstream; its message stands in logs and in the extended error. */
export type ExchangeFailure =
  /** Nothing came in time. */
  | 'timeout'
  /** The network or the server's machine said no. */
  | 'unreachable'
  /** A connection broke, or what came was no DNS message. */
  | 'closed'
  /** This machine is out of sockets, ports or memory: no fault of the upstream. */
  | 'local'
  /** Nothing was asked: all upstreams are down, or lead back to this server, or their names are not known. */
  | 'none'

export class ExchangeError extends Error {
  readonly failure: ExchangeFailure

  constructor(failure: ExchangeFailure, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'ExchangeError'
    this.failure = failure
  }
}

/** Limits of this machine, by the names of the system's errors. */
const localCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EADDRINUSE', 'EAGAIN'])

/** The failure that an error of a socket stands for; `what` begins its message: `192.0.2.1#53 over UDP`. */
export const socketFailure = (
  cause: unknown,
  what: string,
  otherwise: 'unreachable' | 'closed' = 'unreachable',
): ExchangeError => {
  const { code = '', errno } = (cause ?? {}) as NodeJS.ErrnoException
  const message = cause instanceof Error ? cause.message : String(cause)
  // The system's own words ("connection refused") are what people look for in a log.
  const reason = errno === undefined ? message : `${message}: ${getSystemErrorMessage(errno)}`
  if (localCodes.has(code))
    return new ExchangeError('local', `this server could not open a socket: ${reason}`, { cause })
  return new ExchangeError(otherwise, `${what}: ${reason}`, { cause })
}

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

/** Whether it says nothing about the server that was to be asked. */
export const isLocal = (error: unknown): error is ExchangeError =>
  error instanceof ExchangeError && error.failure === 'local'

/** Limits of this machine, by the names of the system's errors. */
const localCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EADDRINUSE', 'EAGAIN'])

/** The failure that an error of a socket stands for; `what` begins its message: `192.0.2.1#53 over UDP`. */
export const socketFailure = (
  cause: unknown,
  what: string,
  otherwise: 'unreachable' | 'closed' = 'unreachable',
): ExchangeError => {
  const { code = '' } = (cause ?? {}) as NodeJS.ErrnoException
  return localCodes.has(code)
    ? localFailure(cause)
    : new ExchangeError(otherwise, `${what}: ${reasonOf(cause)}`, { cause })
}

/**
 * The same of a socket of UDP. Where IPv6 is switched off, a server there is as far as any without a route, and others may
 * be nearer. (A source address that is not there is refused by bind; for want of a port, connect says EAGAIN.)
 */
export const datagramFailure = (cause: unknown, what: string): ExchangeError => {
  const { code, syscall } = (cause ?? {}) as NodeJS.ErrnoException
  if (code !== 'EADDRNOTAVAIL' || syscall !== 'connect') return socketFailure(cause, what)
  return new ExchangeError('unreachable', `${what}: ${reasonOf(cause)}`, { cause })
}

const localFailure = (cause: unknown): ExchangeError =>
  new ExchangeError('local', `this server could not open a socket: ${reasonOf(cause)}`, { cause })

/** The system's own words ("connection refused") are what people look for in a log. */
const reasonOf = (cause: unknown): string => {
  const { errno } = (cause ?? {}) as NodeJS.ErrnoException
  const message = cause instanceof Error ? cause.message : String(cause)
  const words = errno === undefined ? '' : getSystemErrorMessage(errno)
  return message.includes(words) ? message : `${message}: ${words}`
}

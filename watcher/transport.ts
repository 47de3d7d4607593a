import type { Readable } from 'node:stream'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { InputLedger } from '#lib/input-ledger.ts'

export type HttpProtocol = 'h2' | 'http/1.1'

export interface TransportRequest {
  readonly method: string
  /** With the query, without the base path of the server's URL. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
  /** Ends the request, and the body of its response, whenever it aborts. */
  readonly signal: AbortSignal
}

export interface TransportResponse {
  readonly status: number
  /** Lower-case name. */
  header(name: string): string | undefined
  /** A 'data' listener hears bytes in the turn of the event loop in which the socket gave them. */
  readonly body: Readable
  /** When the other side last gave a sign of life on this connection (monotonic). Not every byte counts, PINGs do. */
  heard(): Milliseconds
}

/** Carries requests to one server. Reconnects by itself; does not repeat requests, except those that were not sent. */
export interface Transport {
  /**
   * Connects where there is no connection yet, and says what the next request will run on. `h2` ends requests whose
   * other side has gone silent (PING); on `http/1.1` callers bound the life of a watch.
   */
  protocol(signal: AbortSignal): Promise<HttpProtocol>
  /** Resolves with the head of the response; rejects with the system's error. */
  send(request: TransportRequest): Promise<TransportResponse>
  /** Ends all connections, requests in flight included. Idempotent. */
  close(): Promise<void>
}

/**
 * The other side certainly did not act on the request (refused stream, GOAWAY before it): it may be sent again
 * whatever its method.
 */
export class NotProcessedError extends Error {
  override readonly name = 'NotProcessedError'
}

/** What carrying requests needs. */
export interface TransportEnvironment {
  readonly clock: Clock
  readonly times: TransportTimes
  /** Told of each connection, and in each turn of the event loop in which something came on one. */
  readonly inputs: InputLedger | undefined
}

export interface TransportTimes {
  /** A silent HTTP/2 connection is asked for a sign of life this often. */
  readonly pingInterval: Milliseconds
  /** No answer to a PING within this: the connection is dead. Interval + timeout stay below 30 s. */
  readonly pingTimeout: Milliseconds
  /** TCP and TLS handshakes together. */
  readonly connectTimeout: Milliseconds
  /** How long a server that chose HTTP/1.1 is not asked for HTTP/2 again. */
  readonly renegotiateAfter: Milliseconds
}

export const TRANSPORT_TIMES: TransportTimes = {
  pingInterval: 10_000,
  pingTimeout: 15_000,
  connectTimeout: 10_000,
  renegotiateAfter: 600_000,
}

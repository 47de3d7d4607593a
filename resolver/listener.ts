/** What a configuration wants opened. The resolver declares; the server opens. */
import type { SocketAddress } from '#lib/address.ts'
import type { Endpoint, Transport } from './query.ts'

/** Where DNS is served, on UDP and TCP alike. */
export interface DnsListener {
  readonly address: SocketAddress
  /** `dns://:53`: the `server` label of the metrics. */
  readonly server: string
}

export interface HttpReply {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** One path on one address (`/health` on :8080). Several plugins may share an address, not a path. */
export interface HttpEndpoint {
  readonly address: SocketAddress
  readonly path: string
  readonly reply: () => HttpReply | Promise<HttpReply>
}

/** What the server tells of a request besides its bytes. */
export interface RequestContext {
  readonly transport: Transport
  readonly client: Endpoint
  readonly local: Endpoint
  /** The `server` of the listener that it came in by. */
  readonly server: string
}

/** A promise only where something has to be waited for: answers from memory come back at once. */
export type MaybePromise<Value> = Value | Promise<Value>

/**
 * The door between server and resolver: bytes in, bytes out. `undefined`: stay silent.
 * Never throws and never rejects: a bug inside becomes SERVFAIL and is counted.
 */
export type Responder = (packet: Buffer, context: RequestContext) => MaybePromise<Buffer | undefined>

/** What a configuration wants opened. The resolver declares; the server opens. */
import type { Readable } from 'node:stream'
import type { SocketAddress } from '#lib/address.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { Memo } from './memo.ts'
import type { Endpoint, Transport } from './query.ts'

/**
 * What a listener asks of clients' certificates (Go's ClientAuthType, CoreDNS's words): nothing, to show one, to have
 * one, to have a valid one if any, to have a valid one.
 */
export const clientAuths = ['nocert', 'request', 'require', 'verify_if_given', 'require_and_verify'] as const
export type ClientAuth = (typeof clientAuths)[number]

/** PEM. Certificate and key belong together. */
export interface TlsCredentials {
  /** The server's certificate, then those that lead to its authority. */
  readonly cert: Buffer
  readonly key: Buffer
  /** Whose certificates of clients are valid; absent: those whom the system trusts. */
  readonly ca?: Buffer
}

/** Who a listener is to its clients. */
export interface TlsIdentity {
  readonly clientAuth: ClientAuth
  /** Takes the secrets of connections, a line each (the format of NSS), for those who look into the traffic. */
  readonly keylog?: ((line: Buffer) => void) | undefined
  /** Of the moment: another object after the files have changed. */
  readonly credentials: TlsCredentials
}

/** What is spoken: DNS over UDP and TCP, over TLS (RFC 7858), over HTTPS (RFC 8484). */
export type ServedScheme = 'dns' | 'tls' | 'https'

/** What a listener grants its clients on connections, where it is not what the server does by itself. */
export interface ListenerTimeouts {
  /** For a query to arrive whole. */
  readonly read?: Milliseconds
  /** For a client to take its answers. */
  readonly write?: Milliseconds
  /** Without a query. */
  readonly idle?: Milliseconds
  /** Queries on one connection, which closes then; infinite: any number. */
  readonly maxQueries?: number
  /** Connections of HTTPS at one time. */
  readonly maxHttpsConnections?: number
  /** Streams of HTTP/2 on one of them at one time. */
  readonly maxHttpsStreams?: number
}

/** Where DNS is served. */
export interface DnsListener {
  readonly address: SocketAddress
  /** `dns://:53`: the `server` label of the metrics. */
  readonly server: string
  /** Absent: `dns`. */
  readonly scheme?: ServedScheme
  /** For `tls`, always; `https` without one is HTTP in the clear, for a proxy that ends TLS before it. */
  readonly identity?: TlsIdentity
  readonly timeouts?: ListenerTimeouts
}

export interface HttpReply {
  readonly status: number
  readonly contentType: string
  /** The name under which a browser keeps it; absent: it is shown. */
  readonly fileName?: string
  /** A stream for what may be too long for a string; whoever gets the reply reads or destroys it. */
  readonly body: string | Readable
}

/** One path on one address (`/health` on :8080). Several plugins may share an address, not a path. */
export interface HttpEndpoint {
  readonly address: SocketAddress
  readonly path: string
  /** `parameters`: of the request's URL, after `?`. `accept`: the forms that the client likes (RFC 9110 §12.5.1), or `''`. */
  readonly reply: (parameters: URLSearchParams, accept?: string) => MaybePromise<HttpReply>
}

/** What the server tells of a request besides its bytes. */
export interface RequestContext {
  readonly transport: Transport
  readonly client: Endpoint
  readonly local: Endpoint
  /** The `server` of the listener that it came in by. */
  readonly server: string
  /** How long the connection stays open without a query, milliseconds; where there is one that is DNS's own. */
  readonly idleTimeout?: Milliseconds
  /**
   * Takes the messages that follow the reply (RFC 5936 §2.2), before the reply itself is given; the transport asks for
   * each when the client has taken those before. Absent: a query has one reply at most.
   */
  readonly follow?: (messages: Iterable<Buffer>) => void
  /** Told, before the reply is given, that it may be given again. Absent: nobody would keep it. */
  readonly memoise?: (memo: Memo) => void
}

/**
 * The door between server and resolver: bytes in, bytes out. `undefined`: stay silent.
 * Never throws and never rejects: a bug inside becomes SERVFAIL and is counted.
 */
export type Responder = (packet: Buffer, context: RequestContext) => MaybePromise<Buffer | undefined>

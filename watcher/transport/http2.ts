import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Timer } from '#lib/clock.ts'
import { systemCode } from '#lib/errors.ts'
import {
  NotProcessedError,
  type TransportEnvironment,
  type TransportRequest,
  type TransportResponse,
} from '../transport.ts'

/** When somebody speaks it: what is known from the last run is answered before the apiserver is heard of. */
const http2 = () => process.getBuiltinModule('node:http2')

/**
 * How much the server may send ahead. RFC 9113 §6.9.2 starts at 64 KiB a connection, which all watches would share and
 * a long list would hold up; 16 MiB is ten objects of the largest size that etcd takes.
 */
const STREAM_WINDOW = 4 * 1024 * 1024
const CONNECTION_WINDOW = 16 * 1024 * 1024

/** One HTTP/2 connection that watches and requests share. PING notices a silent peer (RFC 9113 §6.7). */
export class Http2Connection {
  readonly #session: ClientHttp2Session
  readonly #basePath: string
  readonly #authority: string
  readonly #environment: TransportEnvironment
  #timer: Timer | undefined
  #heard: number
  #open = true

  constructor(server: URL, socket: TLSSocket, environment: TransportEnvironment) {
    this.#basePath = server.pathname.replace(/\/+$/, '')
    this.#authority = server.host
    this.#environment = environment
    this.#heard = environment.clock.monotonic()
    this.#session = http2().connect(server.origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    })
    // Node tells of the connection a turn later, when the session may have been closed already.
    this.#session.once('connect', () => this.open && this.#session.setLocalWindowSize(CONNECTION_WINDOW))
    // Streams carry the failure to those who wait; the session's own event has nobody else to tell.
    this.#session.on('error', () => {})
    this.#session.on('goaway', () => this.retire())
    this.#session.on('close', () => this.#end())
    // Node would tell of it a turn of the loop later, and what is asked in between be answered as if changes still came.
    socket.once('end', () => this.close(new Error('the server ended the connection')))
    this.#schedulePing()
  }

  /** Whether new requests may use it: not after GOAWAY, a lost socket, `retire` or `close`. */
  get open(): boolean {
    return this.#open && !this.#session.closed && !this.#session.destroyed
  }

  send({ method, path, headers, body, signal }: TransportRequest): Promise<TransportResponse> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const stream = this.#session.request(
        {
          ...(headers as Record<string, string | string[]>),
          ':method': method,
          ':path': this.#basePath + path,
          ':authority': this.#authority,
        },
        { endStream: body === undefined },
      )
      const abort = () => stream.close(http2().constants.NGHTTP2_CANCEL)
      signal.addEventListener('abort', abort, { once: true })
      stream.on('close', () => {
        signal.removeEventListener('abort', abort)
        reject(signal.aborted ? signal.reason : unanswered(stream))
      })
      stream.on('error', error => reject(signal.aborted ? signal.reason : notProcessed(stream, error)))
      stream.on('response', head => {
        this.#noteData()
        resolve({
          status: Number(head[':status']),
          header: name => (head[name] === undefined ? undefined : String(head[name])),
          body: stream,
          heard: () => this.#heard,
        })
      })
      stream.on('data', this.#noteData)
      // The consumer starts the flow: until then, bytes wait in the stream.
      stream.pause()
      if (body !== undefined) stream.end(body)
    })
  }

  /** No new requests; those in flight end in their own time. */
  retire(): void {
    this.#open = false
    if (!this.#session.closed) this.#session.close()
  }

  close(error?: Error): void {
    this.#open = false
    this.#session.destroy(error)
  }

  #noteData = () => {
    const { clock, inputs } = this.#environment
    this.#heard = clock.monotonic()
    inputs?.publishSoon()
  }

  #schedulePing(): void {
    const { clock, times } = this.#environment
    this.#timer = clock.after(times.pingInterval, () => this.#ping())
  }

  #ping(): void {
    if (this.#session.destroyed) return
    const { clock, times } = this.#environment
    const sentAt = clock.monotonic()
    const deadline = clock.after(times.pingTimeout, () => {
      // After a pause of this whole process the answer lies in the socket already: read first, judge then.
      setImmediate(() => {
        if (this.#heard <= sentAt && !this.#session.destroyed) this.close(new PeerSilentError(times.pingTimeout))
        else this.#schedulePing()
      })
    })
    this.#timer = deadline
    this.#session.ping(error => {
      if (error) return
      this.#noteData()
      deadline.cancel()
      if (!this.#session.destroyed) this.#schedulePing()
    })
  }

  #end(): void {
    this.#open = false
    this.#timer?.cancel()
  }
}

/** The connection is open, yet the other side answers nothing. */
class PeerSilentError extends Error {
  override readonly name = 'PeerSilentError'
  constructor(timeout: number) {
    super(`no answer to an HTTP/2 PING within ${timeout / 1000} s`)
  }
}

/** RFC 9113 §8.7: a refused stream, or one above GOAWAY's last, was not processed and may be sent again. */
const notProcessed = (stream: ClientHttp2Stream, error: Error): Error =>
  stream.rstCode === http2().constants.NGHTTP2_REFUSED_STREAM || systemCode(error) === 'ERR_HTTP2_GOAWAY_SESSION'
    ? new NotProcessedError('the server did not take the request', { cause: error })
    : error

const unanswered = (stream: ClientHttp2Stream): Error =>
  notProcessed(stream, new Error(`the connection was lost before the answer (code ${stream.rstCode ?? 'none'})`))

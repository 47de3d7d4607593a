/**
 * Questions to a server over HTTPS (RFC 8484), all over one HTTP/2 connection, which is opened when there is something
 * to ask and closed after being idle.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import { ExchangeError, socketFailure } from './exchange-error.ts'

/** When the first connection is wanted: servers that are asked over HTTPS are rare, and it costs 20 ms of a start. */
const http2 = () => process.getBuiltinModule('node:http2')

export const dohMethods = ['POST', 'GET'] as const
export type DohMethod = (typeof dohMethods)[number]

export interface HttpsOptions {
  /** Starts a TLS connection that offers `h2` (RFC 9113 §3.2). */
  readonly open: () => TLSSocket
  /** Host and port of the URL: `dns.example`, `192.0.2.1:8443`. */
  readonly authority: string
  readonly path: string
  readonly method: DohMethod
  /** For messages: `192.0.2.1#443 over HTTPS`. */
  readonly description: string
  readonly idle: Milliseconds
  /** How long a connection takes questions; 0: without end. */
  readonly maximumAge: Milliseconds
  readonly clock: Clock
  readonly onReuse: (reused: boolean) => void
}

export interface HttpsReply {
  readonly packet: Buffer
  /** How old it is by the caches between (RFC 9111 §5.1); seconds. */
  readonly age: number
}

const MEDIA_TYPE = 'application/dns-message'
const MAXIMUM_MESSAGE = 65_535

export class HttpsUpstream {
  readonly #options: HttpsOptions
  #session: Session | undefined

  constructor(options: HttpsOptions) {
    this.#options = options
  }

  /** The packet's id should be 0 (RFC 8484 §4.1). */
  async exchange(packet: Buffer, timeout: Milliseconds): Promise<HttpsReply> {
    const open = this.#session?.usable ? this.#session : undefined
    this.#options.onReuse(open !== undefined)
    this.#session = open ?? new Session(this.#options)
    return this.#session.exchange(packet, timeout)
  }

  close(): void {
    this.#session?.end()
  }
}

class Session {
  readonly #options: HttpsOptions
  readonly #session: ClientHttp2Session
  readonly #opened: Milliseconds
  #ended = false
  #underWay = 0
  #idleTimer: Timer | undefined
  /** When something last came. */
  #heard = Number.NEGATIVE_INFINITY
  #failure: Error | undefined

  constructor(options: HttpsOptions) {
    this.#options = options
    this.#opened = options.clock.monotonic()
    const socket = options.open()
    socket.on('secureConnect', () => {
      if (socket.alpnProtocol !== 'h2') socket.destroy(new Error('the server does not speak HTTP/2'))
    })
    this.#session = http2().connect(`https://${options.authority}`, { createConnection: () => socket })
    this.#session.on('error', error => {
      this.#failure ??= error
      this.#ended = true
    })
    this.#session.on('goaway', () => this.#retire())
    this.#session.on('close', () => {
      this.#ended = true
      this.#idleTimer?.cancel()
    })
    // Does not keep the program alive: the one who asks does.
    this.#session.unref()
  }

  get usable(): boolean {
    const { maximumAge, clock } = this.#options
    const isOld = maximumAge > 0 && clock.monotonic() - this.#opened >= maximumAge
    return !this.#ended && !isOld && !this.#session.closed && !this.#session.destroyed
  }

  exchange(packet: Buffer, timeout: Milliseconds): Promise<HttpsReply> {
    const { clock, description } = this.#options
    const sent = clock.monotonic()
    this.#idleTimer?.cancel()
    this.#underWay++
    return new Promise<HttpsReply>((resolve, reject) => {
      const stream = this.#request(packet)
      let failure: ExchangeError | undefined
      const late = () => {
        failure ??= new ExchangeError('timeout', `no reply from ${description} in ${timeout} ms`)
        stream.close(http2().constants.NGHTTP2_CANCEL)
        // A connection on which nothing came since is dead for all that wait on it.
        if (this.#heard < sent) this.end()
      }
      const timer = clock.after(timeout, () => setImmediate(late))
      const reply = new ReplyReader(stream, description)
      stream.on('error', error => {
        // Of a connection that failed, the stream tells in its cause.
        failure ??= socketFailure(this.#failure ?? error.cause ?? error, description, 'closed')
      })
      stream.once('close', () => {
        timer.cancel()
        if (--this.#underWay === 0) this.#restUntilIdle()
        const read = reply.finish()
        if (read instanceof ExchangeError) return reject(failure ?? read)
        this.#heard = clock.monotonic()
        return resolve(read)
      })
    })
  }

  end(): void {
    this.#ended = true
    this.#idleTimer?.cancel()
    this.#session.destroy()
  }

  /** The server takes no more; what is under way comes to its end. */
  #retire(): void {
    this.#ended = true
    this.#session.close()
  }

  #restUntilIdle(): void {
    this.#idleTimer?.cancel()
    if (this.usable) this.#idleTimer = this.#options.clock.after(this.#options.idle, () => this.end())
    else this.end()
  }

  #request(packet: Buffer): ClientHttp2Stream {
    const { method, path } = this.#options
    const headers = { ':method': method, accept: MEDIA_TYPE }
    if (method === 'GET') {
      // RFC 8484 §6: the variable `dns`, base64url without padding.
      const separator = path.includes('?') ? '&' : '?'
      return this.#session.request({ ...headers, ':path': `${path}${separator}dns=${packet.toString('base64url')}` })
    }
    const body = { 'content-type': MEDIA_TYPE, 'content-length': packet.length }
    const stream = this.#session.request({ ...headers, ...body, ':path': path })
    stream.end(packet)
    return stream
  }
}

/** What came on one stream. */
class ReplyReader {
  readonly #description: string
  readonly #chunks: Buffer[] = []
  #length = 0
  #status = 0
  #type = ''
  #age = 0
  #isWhole = false

  constructor(stream: ClientHttp2Stream, description: string) {
    this.#description = description
    stream.on('response', headers => {
      this.#status = Number(headers[':status'])
      this.#type = String(headers['content-type'] ?? '')
      this.#age = Math.max(0, Number.parseInt(String(headers.age ?? 0), 10) || 0)
    })
    stream.on('data', (chunk: Buffer) => {
      this.#length += chunk.length
      if (this.#length > MAXIMUM_MESSAGE) stream.close(http2().constants.NGHTTP2_CANCEL)
      else this.#chunks.push(chunk)
    })
    stream.on('end', () => {
      this.#isWhole = true
    })
  }

  finish(): HttpsReply | ExchangeError {
    if (!this.#isWhole || this.#length > MAXIMUM_MESSAGE)
      return new ExchangeError('closed', `${this.#description}: no whole reply came`)
    // RFC 8484 §4.2.1: other statuses say nothing about the name.
    if (this.#status < 200 || this.#status > 299)
      return new ExchangeError('closed', `${this.#description}: HTTP status ${this.#status}`)
    if (!this.#type.toLowerCase().startsWith(MEDIA_TYPE))
      return new ExchangeError('closed', `${this.#description}: the reply is "${this.#type}", no DNS message`)
    return { packet: Buffer.concat(this.#chunks), age: this.#age }
  }
}

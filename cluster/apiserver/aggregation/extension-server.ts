/**
 * One version of a group that another server serves: whether it does, what it has, and requests passed on to it as the
 * user whom the apiserver has authenticated and authorised (kubernetes.io, "Configure the aggregation layer").
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants } from 'node:http2'
import { Agent, type AgentOptions, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { ApiServiceSpec } from '#cluster/api/aggregation/api-service.ts'
import type { FrontProxy } from '#cluster/pki/front-proxy.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { Result } from '#lib/result.ts'
import { MASTERS, type User } from '../authenticator.ts'
import type { Request, Response } from '../http/exchange.ts'
import type { Cacher } from '../storage/cacher.ts'
import { resolveServiceEndpoint, type ServiceEndpoint } from '../webhook/service-endpoint.ts'
import { JoinedSockets } from './joined-sockets.ts'
import { answerHeaders, framingHeaders, type Headers, identityHeaders, requestHeaders } from './passed-headers.ts'

export interface ExtensionEnvironment {
  readonly clock: Clock
  readonly cacher: Cacher
  readonly random: Random
  readonly frontProxy: FrontProxy
}

/** Who asks when the apiserver itself wants to know something. */
const AGGREGATOR: User = { name: 'system:kube-aggregator', groups: [MASTERS] }
const CHECK_TIMEOUT: Milliseconds = 5000
/** kube-apiserver's --request-timeout: until the answer begins. Who waits holds a place that others want. */
const ANSWER_TIMEOUT: Milliseconds = 60_000
/** Bytes of a document that the apiserver reads itself. */
const MAX_DOCUMENT = 4 * 1024 * 1024

/** The extension server has not begun to answer in time. */
export class AnswerTimeout extends Error {}

/** The server had closed a kept connection before it heard of the request. */
class StaleConnection extends Error {}

/** RFC 9110 §9.2.1. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  readonly signal: AbortSignal
  readonly body?: Request
}

/** Whether it changes nothing, and has no body that may have been sent already. */
const isRepeatable = ({ method, headers }: Asked): boolean => {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers
  return SAFE.has(method) && Number(length) === 0 && encoding === undefined
}

/** What was authorised, and not what the client wrote: two servers may read that differently. */
interface Target {
  readonly pathname: string
  /** Of the URL: with its question mark, or empty. */
  readonly search: string
  /** Whether it may take as long as it likes. */
  readonly longRunning: boolean
}

/** A request of a client's, to be passed on. */
export interface Passed {
  readonly target: Target
  readonly user: User
}

/** What the server's own server said. */
interface RemoteDocument {
  readonly value: unknown
  readonly etag: string | undefined
}

export class ExtensionServer {
  readonly #environment: ExtensionEnvironment
  readonly #spec: ApiServiceSpec
  readonly #tls: AgentOptions
  readonly #agent: Agent

  constructor(spec: ApiServiceSpec, environment: ExtensionEnvironment) {
    const { service = {}, caBundle = '', insecureSkipTLSVerify = false } = spec
    const { certificate, key } = environment.frontProxy
    this.#environment = environment
    this.#spec = spec
    this.#tls = {
      cert: certificate,
      key,
      servername: `${service.name}.${service.namespace}.svc`,
      rejectUnauthorized: !insecureSkipTLSVerify,
      ...(caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString() }),
    }
    this.#agent = new Agent({ ...this.#tls, keepAlive: true })
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Takes nothing new: what is under way goes on, and no connection is kept for more. */
  retire(): void {
    this.#agent.maxFreeSockets = 0
    for (const idle of Object.values(this.#agent.freeSockets)) for (const socket of idle ?? []) socket.destroy()
  }

  /** Refused: why it is reached nowhere. */
  endpoint(): Result<ServiceEndpoint, string> {
    const { cacher, random } = this.#environment
    return resolveServiceEndpoint(cacher, this.#spec.service ?? {}, random)
  }

  /** A JSON document of the server's. Rejects for whatever is none. */
  async document(path: string): Promise<unknown> {
    return (await this.newerDocument(path))?.value
  }

  /** The same, unless it is the one of that ETag still: then undefined. */
  async newerDocument(path: string, etag?: string): Promise<RemoteDocument | undefined> {
    const signal = AbortSignal.timeout(CHECK_TIMEOUT)
    const headers = { accept: 'application/json', ...identityHeaders(AGGREGATOR) }
    const known = etag === undefined ? {} : { 'if-none-match': etag }
    const response = await this.#send({ method: 'GET', path, headers: { ...headers, ...known }, signal })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_DOCUMENT) throw new Error('the answer is too large')
      chunks.push(chunk)
    }
    const { statusCode = 0 } = response
    if (statusCode === 304 && etag !== undefined) return undefined
    if (statusCode < 200 || statusCode > 299) throw new Error(`bad status from ${path}: ${statusCode}`)
    return { value: JSON.parse(Buffer.concat(chunks).toString()), etag: response.headers.etag }
  }

  /** Passes the request on, and the answer back as it comes. Rejects when there is none; then nothing was answered. */
  async forward(request: Request, response: Response, { target, user }: Passed): Promise<void> {
    const headers = { ...requestHeaders(request, response, user), ...framingHeaders(request) }
    const answer = await this.#ask(request, response, { target, headers, body: request })
    await passBack(answer, response)
  }

  /**
   * Passes on a request to use the connection otherwise (RFC 9110 §7.8). Resolves with the two connections when the
   * server agrees, or when its refusal has gone to the client. Rejects when there is no answer, or one that is neither;
   * then nothing was answered.
   */
  async upgrade(
    request: IncomingMessage,
    response: ServerResponse,
    { target, user }: Passed,
  ): Promise<JoinedSockets | undefined> {
    const { upgrade = '' } = request.headers
    const headers = { ...requestHeaders(request, response, user), connection: 'Upgrade', upgrade }
    const stopLooking = noticeEnd(request.socket)
    const answer = await this.#ask(request, response, { target, headers }).finally(stopLooking)
    const { statusCode = 0 } = answer
    if (statusCode === constants.HTTP_STATUS_SWITCHING_PROTOCOLS) {
      response.writeHead(statusCode, answer.rawHeaders).flushHeaders()
      response.detachSocket(request.socket)
      return new JoinedSockets(request.socket, answer.socket, this.#environment.clock)
    }
    if (statusCode < constants.HTTP_STATUS_BAD_REQUEST) {
      answer.destroy()
      throw new Error(`invalid upgrade response: status code ${statusCode}`)
    }
    await passBack(answer, response)
    return undefined
  }

  async #ask(
    { method = 'GET' }: Request,
    response: Response,
    { target, ...asked }: Pick<Asked, 'headers' | 'body'> & Pick<Passed, 'target'>,
  ): Promise<IncomingMessage> {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const { pathname, search, longRunning } = target
    const answer = this.#send({ ...asked, method, path: pathname + search, signal: gone.signal })
    return this.#inTime(answer, longRunning ? undefined : gone)
  }

  /** `limited`: ends what is asked, when it takes too long; undefined: it may. */
  async #inTime(answer: Promise<IncomingMessage>, limited: AbortController | undefined): Promise<IncomingMessage> {
    if (!limited) return answer
    const late = this.#environment.clock.after(ANSWER_TIMEOUT, () => limited.abort(new AnswerTimeout()))
    try {
      return await answer
    } catch (error) {
      throw limited.signal.reason instanceof AnswerTimeout ? limited.signal.reason : error
    } finally {
      late.cancel()
    }
  }

  /** A kept connection that the server has just closed is no answer: what changes nothing is asked on another one. */
  async #send(asked: Asked): Promise<IncomingMessage> {
    for (;;) {
      try {
        return await this.#sendOnce(asked)
      } catch (error) {
        if (!(error instanceof StaleConnection) || !isRepeatable(asked)) throw error
      }
    }
  }

  #sendOnce({ path, body, ...options }: Asked): Promise<IncomingMessage> {
    const endpoint = this.endpoint()
    if (!endpoint.ok) return Promise.reject(new Error(endpoint.problem))
    const { host, port } = endpoint.value
    const { service = {} } = this.#spec
    const headers = { ...options.headers, host: `${service.name}.${service.namespace}.svc` }
    // A connection that becomes something else is one of its own.
    const upgrading = 'upgrade' in headers
    const connection = upgrading ? { ...this.#tls, agent: false } : { agent: this.#agent }
    return new Promise<IncomingMessage>((resolve, reject) => {
      const sent = httpsRequest({ ...options, ...connection, headers, host, port, path }, resolve)
      sent.on('error', (error: NodeJS.ErrnoException) => {
        const isStale = sent.reusedSocket && error.code === 'ECONNRESET'
        reject(isStale ? new StaleConnection(error.message, { cause: error }) : error)
      })
      sent.on('upgrade', (answer: IncomingMessage, socket: Socket, head: Buffer) => {
        if (upgrading) {
          if (head.length > 0) socket.unshift(head)
          resolve(answer)
        } else {
          socket.destroy()
          reject(new Error('it changed the protocol unasked'))
        }
      })
      if (body) body.pipe(sent)
      else sent.end()
    })
  }
}

/** Resolves when all of the answer has gone, or its client. */
const passBack = async (answer: IncomingMessage, response: Response): Promise<void> => {
  const gone = new Promise<void>(resolve => response.on('close', resolve))
  response.statusCode = answer.statusCode ?? constants.HTTP_STATUS_BAD_GATEWAY
  for (const [name, value] of Object.entries(answerHeaders(answer.headers))) response.setHeader(name, value)
  answer.on('error', () => response.destroy())
  answer.pipe(response as NodeJS.WritableStream)
  await gone
}

/** Nobody reads a connection that waits to be used otherwise, and so nobody would see its client leave. */
const noticeEnd = (socket: Socket): (() => void) => {
  const look = () => void socket.read(0)
  const end = () => void socket.destroy()
  socket.on('readable', look)
  socket.on('end', end)
  return () => {
    socket.off('readable', look)
    socket.off('end', end)
  }
}

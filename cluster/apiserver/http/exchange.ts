/**
 * One request and its answer, over HTTP/1.1 or HTTP/2 alike.
 *
 * Promised: an answer that follows a write leaves after the write's watch events have left (`afterEvents`): HTTP/2
 * sessions send in the check phase of the event loop what was written to them before it, HTTP/1.1 sockets at the next
 * tick, so an answer that waits for one turn of the check phase comes after both.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { Writable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { stringify } from 'yaml'
import { decodeProtobuf, PROTOBUF_MEDIA_TYPE } from '#cluster/api/protobuf/decode.ts'
import { encodeProtobuf } from '#cluster/api/protobuf/encode.ts'
import { badRequest, failure, type Status } from '#cluster/api/status.ts'
import type { Milliseconds } from '#lib/clock.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Segments } from '../forms/segments.ts'
import { type AnswerSyntax, errorSyntax, mediaType } from './negotiate.ts'

export type Request = IncomingMessage | Http2ServerRequest
export type Response = ServerResponse | Http2ServerResponse

/** As kube-apiserver bounds a request's body. */
const MAX_BODY = 3 * 1024 * 1024
/** A body that takes longer is given up with its stream or connection (slow loris): no client of the API is that slow. */
const BODY_DEADLINE: Milliseconds = 60_000
/** As kube-apiserver's --request-timeout: who does not read an answer does not hold it any longer. */
const ANSWER_DEADLINE: Milliseconds = 60_000
/** Bytes of an answer that the system takes, or that hold no more than the connection itself does. */
const SMALL = 64 * 1024
/** Smaller answers are not worth compressing (kube-apiserver's bound). */
const MIN_GZIP = 128 * 1024

const TOO_LARGE = failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY}`)
const NO_BODY = Buffer.alloc(0)

const compress = promisify(gzip)

export type Body = Buffer | string | Segments

export interface Answer {
  readonly code: number
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body: Body
  readonly contentType: string
}

let turn: Promise<void> | undefined

/** The next turn of the check phase, which all share that wait for it. */
export const afterEvents = (): Promise<void> => {
  turn ??= new Promise(resolve =>
    setImmediate(() => {
      turn = undefined
      resolve()
    }),
  )
  return turn
}

export const headerOf = (request: Request, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The whole body as text, protobuf as the JSON of the same object. Refused: 413 beyond 3 MiB, 400 for broken
 * protobuf. Rejects when the client goes away or takes too long. */
export const readBody = async (request: Request, deadline = BODY_DEADLINE): Promise<Result<string, Status>> => {
  if (Number(headerOf(request, 'content-length') ?? 0) > MAX_BODY) return refused(TOO_LARGE)
  const body = isWhole(request) ? (request.read() ?? NO_BODY) : await collectInTime(request, deadline)
  if (!body || body.length > MAX_BODY) return refused(TOO_LARGE)
  if (body.length === 0 || mediaType(headerOf(request, 'content-type')) !== PROTOBUF_MEDIA_TYPE)
    return accepted(body.toString())
  const decoded = decodeProtobuf(body)
  return decoded.ok ? accepted(JSON.stringify(decoded.value)) : refused(badRequest(decoded.problem))
}

/** Most bodies over HTTP/1.1 come with their head: nothing needs to be waited for. (HTTP/2 says so of broken ones, too.) */
const isWhole = (request: Request): request is IncomingMessage => !('stream' in request) && request.complete

const wentAway = (): Error => new Error('the client went away')

/** Whether no more of it comes, and nothing tells of that any more. */
const hasLeft = (request: Request): boolean => request.destroyed || ('stream' in request && request.aborted)

const collectInTime = async (request: Request, deadline: Milliseconds): Promise<Buffer | undefined> => {
  // While its request waited for its turn: what waited for its body then would hold that turn for ever.
  if (hasLeft(request)) throw wentAway()
  const late = setTimeout(() => giveUp(request), deadline)
  try {
    return await collect(request)
  } finally {
    clearTimeout(late)
  }
}

const giveUp = (request: Request): void => {
  if ('stream' in request) request.stream.close(constants.NGHTTP2_CANCEL)
  else request.destroy()
}

/** Undefined: it is larger than a body may be, and is not read on. (An iterator over the stream costs more than a body.) */
const collect = (request: Request): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size <= MAX_BODY) return
      resolve(undefined)
      request.destroy()
    })
    request.once('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)))
    request.once('error', reject)
    // After the end, too: then nobody went away, and an error would cost more than what it is told of.
    request.once('close', () => request.readableEnded || reject(wentAway()))
  })

const MEDIA_TYPES: Readonly<Record<AnswerSyntax, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: PROTOBUF_MEDIA_TYPE,
}

interface AnswerOptions {
  readonly code?: number
  readonly syntax?: AnswerSyntax
  readonly headers?: Readonly<Record<string, string | string[]>>
}

/** Bytes of JSON of which YAML is made; more is given as it is, for JSON is YAML: making it would hold up everybody. */
const MAX_YAML = 256 * 1024

const toYaml = (json: Body): Body =>
  json.length > MAX_YAML ? json : stringify(JSON.parse(json.toString()), { version: '1.1', lineWidth: 0 })

/** `body`: JSON, of which YAML is made where that is the syntax; protobuf where that is. */
export const formAnswer = (body: Body, { code = 200, syntax = 'json', headers = {} }: AnswerOptions = {}): Answer => {
  return { code, headers, body: syntax === 'yaml' ? toYaml(body) : body, contentType: MEDIA_TYPES[syntax] }
}

export const jsonAnswer = (body: Buffer | string, options: Omit<AnswerOptions, 'syntax'> = {}): Answer =>
  formAnswer(body, options)

/** An object that is no resource's, `type` as types.json names it. */
export const valueAnswer = (
  value: Readonly<Record<string, unknown>> & { readonly kind: string; readonly apiVersion: string },
  type: string,
  options: AnswerOptions,
): Answer => formAnswer(options.syntax === 'protobuf' ? encodeProtobuf(value, type) : JSON.stringify(value), options)

export const STATUS_TYPE = 'meta/v1.Status'

export const statusAnswer = (status: Status, accept?: string): Answer => {
  const retry = status.details?.retryAfterSeconds
  return valueAnswer({ ...status }, STATUS_TYPE, {
    code: status.code,
    syntax: errorSyntax(accept),
    headers: retry === undefined ? {} : { 'retry-after': String(retry) },
  })
}

export const textAnswer = (code: number, body: string): Answer => ({
  code,
  body,
  contentType: 'text/plain; charset=utf-8',
  headers: { 'x-content-type-options': 'nosniff' },
})

/** What http.NotFound of Go writes, and every client knows. */
export const pageNotFound = (): Answer => textAnswer(404, '404 page not found\n')

export const bytesOf = (body: Body): Buffer => {
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.isBuffer(body) ? body : body.join()
}

/** Whether nobody is there to be answered. Responses over HTTP/2 do not say of themselves that they are destroyed. */
export const isGone = (response: Response): boolean =>
  response.destroyed || ('stream' in response && response.stream.destroyed)

/** Resolves when all is sent, or the client is gone. */
const sendInChunks = (response: Writable, chunks: Iterator<Buffer>): Promise<void> =>
  new Promise(resolve => {
    const next = (): void => {
      const { value, done } = chunks.next()
      if (!done) response.write(value, error => (error ? resolve() : next()))
      else response.end(resolve)
    }
    response.once('close', resolve)
    next()
  })

/** Ends what has not been read by then. */
export const endUnread = (response: Response, deadline = ANSWER_DEADLINE): void => {
  const late = setTimeout(() => response.destroy(), deadline)
  response.once('close', () => clearTimeout(late))
}

/** `deadline`: of an answer that is large. */
export const send = async (
  request: Request,
  response: Response,
  answer: Answer,
  deadline = ANSWER_DEADLINE,
): Promise<void> => {
  let body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body
  const headers: Record<string, string | string[]> = { 'content-type': answer.contentType, ...answer.headers }
  const zip =
    body.length > MIN_GZIP && request.method === 'GET' && /\bgzip\b/.test(headerOf(request, 'accept-encoding') ?? '')
  if (zip) {
    body = await compress(bytesOf(body), { level: 1 })
    headers['content-encoding'] = 'gzip'
    headers.vary = 'Accept-Encoding'
  }
  if (isGone(response) || response.writableEnded) return
  headers['content-length'] = String(body.length)
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.statusCode = answer.code
  if (body.length > SMALL) endUnread(response, deadline)
  if (request.method === 'HEAD') response.end()
  else if (Buffer.isBuffer(body)) response.end(body)
  else await sendInChunks(response, body.chunks())
}

/** The TLS connection under a request; undefined when it is gone. */
export const socketOf = (request: Request): TLSSocket | undefined => {
  // HTTP/2 requests show a proxy of their session's socket that refuses most of what a socket can.
  const socket = 'stream' in request ? request.stream.session?.socket : request.socket
  return socket as TLSSocket | undefined
}

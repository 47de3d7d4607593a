/**
 * What an HTTP request asks (RFC 8484 §4.1): its method, path, parameters and headers made into a query's bytes, or the
 * status that says why not. Knows no sockets.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { METHODS } from '#lib/node-http.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { gateHeader } from '#resolver/wire/header.ts'
import { readJsonQuestion } from './json-question.ts'

/** RFC 8484 §6. */
export const MESSAGE_TYPE = 'application/dns-message'
export const JSON_TYPE = 'application/dns-json'
/** What RFC 8484's own examples use, and everybody since. */
const PATH = '/dns-query'

export interface HttpRequest {
  readonly method: string
  /** Path and parameters as they came. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
}

export interface HttpRefusal {
  readonly status: number
  /** For people. */
  readonly reason: string
}

/** How the answer is to be written. */
export type AnswerForm = 'message' | 'json'

export interface HttpQuestion {
  readonly form: AnswerForm
  readonly packet: Buffer
}

/** `body`: the question is in the body, which may have at most the limit's bytes. */
export type HttpReading = { readonly from: 'body' } | ({ readonly from: 'target' } & HttpQuestion)

const refusal = (status: number, reason: string) => refused<HttpRefusal>({ status, reason })

/** Reads what comes before a body. `limit`: the longest query, in bytes. */
export const readRequest = (request: HttpRequest, limit: number): Result<HttpReading, HttpRefusal> => {
  const { method, headers } = request
  // RFC 9112 §3.2.2: a server takes the absolute form too, as proxies are sent it.
  const [path = '', ...rest] = request.target.replace(/^https?:\/\/[^/?#]*/i, '').split('?')
  if (path !== PATH) return refusal(404, `DNS is at ${PATH}`)
  // RFC 9110 §15.6.2: 501 for a method that is not known, §15.5.6: 405 for one that is not for this.
  if (!METHODS.includes(method)) return refusal(501, `${method} is not a method of HTTP`)
  if (method === 'POST') return readPost(headers, limit)
  if (method !== 'GET' && method !== 'HEAD') return refusal(405, 'questions come by GET or POST')
  return readGet(new URLSearchParams(rest.join('?')), headers, limit)
}

const readPost = (headers: IncomingHttpHeaders, limit: number): Result<HttpReading, HttpRefusal> => {
  if (mediaType(headers['content-type']) !== MESSAGE_TYPE) return refusal(415, `a body must be ${MESSAGE_TYPE}`)
  // RFC 9110 §15.5.16: nor is it unpacked; a packed message would be read as another one.
  if (headers['content-encoding'] !== undefined) return refusal(415, 'a body must not be compressed')
  if (!accepts(headers.accept, [MESSAGE_TYPE])) return notAcceptable(MESSAGE_TYPE)
  if (Number(headers['content-length'] ?? 0) > limit) return tooLong(limit)
  return accepted({ from: 'body' })
}

const readGet = (
  parameters: URLSearchParams,
  headers: IncomingHttpHeaders,
  limit: number,
): Result<HttpReading, HttpRefusal> => {
  const [text, ...more] = parameters.getAll('dns')
  if (text === undefined) return readJson(parameters, headers)
  // RFC 8484 §6: base64url without padding.
  if (more.length > 0 || !/^[\w-]+$/.test(text)) return refusal(400, 'dns= is not one message in base64url')
  if (!accepts(headers.accept, [MESSAGE_TYPE])) return notAcceptable(MESSAGE_TYPE)
  // RFC 9110 §15.5.15: it is the URI that is too long.
  if (text.length > Math.ceil((limit * 4) / 3)) return refusal(414, `a query has at most ${limit} bytes`)
  const packet = readMessage(Buffer.from(text, 'base64url'))
  return packet.ok ? accepted({ from: 'target', form: 'message', packet: packet.value }) : packet
}

const readJson = (parameters: URLSearchParams, headers: IncomingHttpHeaders): Result<HttpReading, HttpRefusal> => {
  const packet = readJsonQuestion(parameters)
  if (!packet.ok) return refusal(400, packet.problem)
  if (!accepts(headers.accept, [JSON_TYPE, 'application/json'])) return notAcceptable(JSON_TYPE)
  return accepted({ from: 'target', form: 'json', packet: packet.value })
}

/** Bytes that DNS would not answer have no reply that HTTP could carry. */
export const readMessage = (packet: Buffer): Result<Buffer, HttpRefusal> =>
  gateHeader(packet) === 'ignore' ? refusal(400, 'not a DNS query') : accepted(packet)

export const tooLong = (limit: number) => refusal(413, `a query has at most ${limit} bytes`)

const notAcceptable = (type: string) => refusal(406, `answers are ${type}`)

const mediaType = (header = ''): string => header.replace(/;.*$/s, '').trim().toLowerCase()

/** RFC 9110 §12.5.1: absent means everything; a weight of zero means "not this". */
const accepts = (header: string | undefined, types: readonly string[]): boolean => {
  if (header === undefined || header.trim() === '') return true
  const ranges = header.split(',').map(range => ({
    type: mediaType(range),
    wanted: !/;\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)/i.test(range),
  }))
  // The most exact range has the word.
  const verdictOn = (type: string) =>
    [type, 'application/*', '*/*'].flatMap(form => ranges.find(range => range.type === form) ?? [])[0]?.wanted ?? false
  return types.some(verdictOn)
}

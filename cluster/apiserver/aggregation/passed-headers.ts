/** Headers of a request that goes on to another server, and of its answer (kubernetes.io, "Configure the aggregation layer"). */
import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'
import type { User } from '../authenticator.ts'
import { headerOf, type Request, type Response } from '../http/exchange.ts'
import { otherProtocols } from '../http/websocket-protocols.ts'

export type Headers = Record<string, string | string[]>

/** RFC 9110 §7.6.1: of one connection alone. */
const HOP_BY_HOP = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const PROTOCOLS = 'sec-websocket-protocol'

/** What only the apiserver may say, or be told. */
const isOurs = (name: string): boolean =>
  name === 'authorization' || name.startsWith('impersonate-') || name.startsWith('x-remote-')

/** Keys of extra become parts of header names. */
const escapeKey = (key: string): string =>
  encodeURIComponent(key).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16)}`)

/** Who asks, as the front proxy says it. */
export const identityHeaders = ({ name, uid, groups, extra = {} }: User): Headers => ({
  'x-remote-user': name,
  ...(uid === undefined ? {} : { 'x-remote-uid': uid }),
  ...(groups.length > 0 ? { 'x-remote-group': [...groups] } : {}),
  ...Object.fromEntries(
    Object.entries(extra).map(([key, values]) => [`x-remote-extra-${escapeKey(key)}`, [...values]]),
  ),
})

/** Of the client's own headers, those that are for the other server. */
const passedOn = (headers: IncomingMessage['headers']): Headers => {
  const kept: Headers = {}
  for (const [name, value] of Object.entries(headers)) {
    // RFC 9113 §8.3: what begins with a colon belongs to HTTP/2.
    if (value === undefined || name.startsWith(':') || HOP_BY_HOP.has(name) || isOurs(name)) continue
    const passed = name === PROTOCOLS ? otherProtocols(String(value)) : value
    if (passed !== undefined) kept[name] = passed
  }
  return kept
}

/** For whom it is asked: who asks here comes behind those whom proxies before have named. */
const forwardedFor = (request: Request): Headers => {
  const { remoteAddress } = request.socket
  if (!remoteAddress) return {}
  // An IPv4 client of a socket for both families has an address of IPv6; a zone (fe80::1%br-lan) says nothing elsewhere.
  const address = ipaddr.process(remoteAddress.replace(/%.*/, '')).toString()
  const before = headerOf(request, 'x-forwarded-for')
  return { 'x-forwarded-for': before ? `${before}, ${address}` : address }
}

/** `response`: whose headers say by which name the request is known here, and shall be there. */
export const requestHeaders = (request: Request, response: Response, user: User): Headers => ({
  ...passedOn(request.headers),
  ...identityHeaders(user),
  ...forwardedFor(request),
  'audit-id': String(response.getHeader('audit-id')),
})

const hasBody = (request: Request): boolean =>
  'stream' in request ? !request.stream.endAfterHeaders : request.headers['transfer-encoding'] !== undefined

/**
 * For a body whose length the client did not say. Node sends that of a GET or DELETE unframed: its bytes would be
 * further requests (RFC 9112 §6.3), by whoever they say, since the connection is the front proxy's.
 */
export const framingHeaders = (request: Request): Headers =>
  request.headers['content-length'] === undefined && hasBody(request) ? { 'transfer-encoding': 'chunked' } : {}

/** Those of an answer that are for the client. */
export const answerHeaders = (headers: IncomingMessage['headers']): Headers =>
  Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string | string[]] => {
      const [name, value] = entry
      return value !== undefined && !HOP_BY_HOP.has(name)
    }),
  )

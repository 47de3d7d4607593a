/**
 * A request and its answer, whatever the version of HTTP. Of HTTP/2 it is the stream itself: node:http2's requests and
 * responses in the manner of node:http cost a third more.
 */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders as Http2Headers, ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { HttpRequest } from './request.ts'

export interface HttpExchange extends HttpRequest {
  readonly body: Readable
  /** `isLast`: HTTP/1.1 says that the connection ends with it. Nothing is sent to who has gone. */
  send(status: number, headers: OutgoingHttpHeaders, body: Buffer, isLast: boolean): void
}

export const http1Exchange = (request: IncomingMessage, response: ServerResponse): HttpExchange => {
  const { method = '', url: target = '', headers } = request
  // A client that goes away is no failure.
  response.on('error', () => {})
  return {
    ...{ method, target, headers, body: request },
    send(status, fields, body, isLast) {
      if (response.destroyed || response.headersSent) return
      response.writeHead(status, isLast ? { ...fields, connection: 'close' } : fields)
      // Node leaves the body of an answer to HEAD out by itself.
      response.end(body)
    },
  }
}

export const http2Exchange = (stream: ServerHttp2Stream, headers: Http2Headers): HttpExchange => {
  const { ':method': method = '', ':path': target = '' } = headers
  stream.on('error', () => {})
  return {
    ...{ method, target, headers: headers as IncomingHttpHeaders, body: stream },
    send(status, fields, body) {
      if (stream.destroyed || stream.closed || stream.headersSent) return
      stream.respond({ ':status': status, ...fields })
      if (method === 'HEAD') stream.end()
      else stream.end(body)
    },
  }
}

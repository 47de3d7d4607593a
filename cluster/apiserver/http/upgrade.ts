/** Requests to use a connection otherwise than for HTTP (RFC 9110 §7.8). */
import { IncomingMessage } from 'node:http'
import { headerOf, type Request } from './exchange.ts'

/** Whether the server has let go of the connection. Node says so of such requests. */
export const isUpgrade = (request: Request): request is IncomingMessage =>
  request instanceof IncomingMessage && (request as { upgrade?: boolean }).upgrade === true

export const asksForWebsocket = (request: Request): boolean =>
  headerOf(request, 'upgrade')?.toLowerCase() === 'websocket'

/** What a client must say to get a websocket (RFC 6455 §4.2.1). */
import { badRequest } from '#cluster/api/status.ts'
import { type Answer, headerOf, type Request, statusAnswer } from './exchange.ts'
import { otherProtocols } from './websocket-protocols.ts'

const VERSION = '13'
/** Sixteen bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/
/** RFC 9110 §5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/

/** Undefined: the client gets its websocket. */
export const handshakeProblem = (request: Request): Answer | undefined => {
  const refuse = (problem: string) => statusAnswer(badRequest(`no websocket: ${problem}`), headerOf(request, 'accept'))
  if (headerOf(request, 'sec-websocket-version') !== VERSION) {
    const answer = refuse(`Sec-WebSocket-Version must be ${VERSION}`)
    // RFC 6455 §4.4.
    return { ...answer, headers: { ...answer.headers, 'sec-websocket-version': VERSION } }
  }
  if (!KEY.test(headerOf(request, 'sec-websocket-key') ?? ''))
    return refuse('Sec-WebSocket-Key must be 16 bytes in base64')
  const protocols = otherProtocols(headerOf(request, 'sec-websocket-protocol') ?? '')
  // As Kubernetes: a watch has no protocol of its own, so one that is offered alone is taken, and none is chosen.
  if (protocols !== undefined && !TOKEN.test(protocols))
    return refuse('Sec-WebSocket-Protocol may name one, beside a token')
  return undefined
}
